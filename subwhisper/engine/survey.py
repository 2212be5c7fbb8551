"""What is learned of a whole recording before its first window is read, all in one pass."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from subwhisper.audio import Audio, AudioSource, Samples, Span
from subwhisper.engine.features import CPU, MelSurvey, survey
from subwhisper.engine.options import VadOptions
from subwhisper.engine.vad.detector import Frames, Probabilities, SpeechDetector
from subwhisper.engine.vad.listener import SpeechListener, detector, find_speech
from subwhisper.engine.vad.spans import SpanMaker
from subwhisper.engine.vad.speech_map import SpeechMap


@dataclass(frozen=True, slots=True)
class Survey:
    """Length, loudest frame, and where someone speaks."""

    mel: MelSurvey
    speech: SpeechMap | None
    """`None` where nobody looked for speech."""
    second: SpeechMap | None = None
    """The opinion of another detector, where there is one."""
    faint: SpeechMap | None = None
    """Where the first detector had at least a suspicion; `None` for one that has none."""


_SUSPICION = VadOptions(threshold=0.1, neg_threshold=0.05, min_silence_duration_ms=300, speech_pad_ms=0)


class _Suspecting:
    """A detector whose faintest suspicions are noted too."""

    def __init__(self, heard_by: SpeechDetector) -> None:
        self._heard_by, self._maker = heard_by, SpanMaker(_SUSPICION)
        self.spans: list[Span] = []

    def probabilities(self, frames: Frames) -> Probabilities:
        found = self._heard_by.probabilities(frames)
        self.spans += self._maker.add(found.tolist())
        return found

    def finish(self, duration: float) -> SpeechMap:
        return SpeechMap(self.spans + self._maker.finish(duration))


@dataclass(frozen=True, slots=True)
class _Overheard:
    """A recording to which others listen while it is read."""

    source: AudioSource
    hear: Callable[[Samples], None]

    def blocks(self) -> Iterator[Samples]:
        for block in self.source.blocks():
            self.hear(block)
            yield block


def survey_stretch(audio: Audio, n_mels: int, second: VadOptions | None, *, device: torch.device = CPU) -> Survey:
    """Learn what there is to know of sound in which someone speaks all the time; arguments as in `survey_recording`."""
    speech = SpeechMap([Span(0.0, audio.duration)])
    checked = None if second is None else SpeechMap(find_speech(audio.blocks(), second))
    return Survey(survey(audio, n_mels, device), speech, checked)


def survey_recording(
    source: AudioSource,
    n_mels: int,
    vad: VadOptions | None,
    longest: float | None = None,
    second: VadOptions | None = None,
    *,
    device: torch.device = CPU,
) -> Survey:
    """Read a recording once, from start to end.

    Args:
        source: the recording.
        n_mels: mel bins of the model.
        vad: how speech is told from the rest; `None`: not at all.
        longest: seconds a span of speech may last; longer ones are cut in a pause.
        second: how another detector tells it; `None`: there is none.
        device: where the model is.

    Raises:
        ModelError: the detector's network is not there.
    """
    if vad is None:
        return Survey(survey(source, n_mels, device), None)
    suspecting = _Suspecting(detector(vad))
    listeners = [SpeechListener(suspecting, vad, longest=longest)]
    if second is not None:
        listeners.append(SpeechListener(detector(second), second))
    found: list[list[Span]] = [[] for _ in listeners]

    def hear(block: Samples) -> None:
        for listener, spans in zip(listeners, found, strict=True):
            spans += listener.hear(block)

    mel = survey(_Overheard(source, hear), n_mels, device)
    maps = [SpeechMap(spans + listener.finish()) for listener, spans in zip(listeners, found, strict=True)]
    faint = suspecting.finish(mel.duration) if vad.detector == "silero" else None
    return Survey(mel, maps[0], maps[1] if second else None, faint)
