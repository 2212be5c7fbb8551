"""What is learned of a whole recording before its first window is read, all in one pass."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from subwhisper.audio import AudioSource, Samples, Span
from subwhisper.engine.features import MelSurvey, survey
from subwhisper.engine.options import VadOptions
from subwhisper.engine.vad.listener import SpeechListener, detector
from subwhisper.engine.vad.speech_map import SpeechMap


@dataclass(frozen=True, slots=True)
class Survey:
    """Length, loudest frame, and where someone speaks."""

    mel: MelSurvey
    speech: SpeechMap | None
    """`None` where nobody looked for speech."""
    second: SpeechMap | None = None
    """The opinion of another detector, where there is one."""


@dataclass(frozen=True, slots=True)
class _Overheard:
    """A recording to which others listen while it is read."""

    source: AudioSource
    hear: Callable[[Samples], None]

    def blocks(self) -> Iterator[Samples]:
        for block in self.source.blocks():
            self.hear(block)
            yield block


def survey_recording(
    source: AudioSource,
    n_mels: int,
    vad: VadOptions | None,
    longest: float | None = None,
    second: VadOptions | None = None,
) -> Survey:
    """Read a recording once, from start to end.

    Args:
        source: the recording.
        n_mels: mel bins of the model.
        vad: how speech is told from the rest; `None`: not at all.
        longest: seconds a span of speech may last; longer ones are cut in a pause.
        second: how another detector tells it; `None`: there is none.

    Raises:
        ModelError: the detector's network is not there.
    """
    if vad is None:
        return Survey(survey(source, n_mels), None)
    listeners = [SpeechListener(detector(vad), vad, longest=longest)]
    if second is not None:
        listeners.append(SpeechListener(detector(second), second))
    found: list[list[Span]] = [[] for _ in listeners]

    def hear(block: Samples) -> None:
        for listener, spans in zip(listeners, found, strict=True):
            spans += listener.hear(block)

    mel = survey(_Overheard(source, hear), n_mels)
    maps = [SpeechMap(spans + listener.finish()) for listener, spans in zip(listeners, found, strict=True)]
    return Survey(mel, *maps)
