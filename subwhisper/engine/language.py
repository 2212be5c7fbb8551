"""Which language is spoken: in one window, and in a recording.

Shapes: B windows, A audio positions, D width.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import torch

from subwhisper.audio import AudioSource
from subwhisper.engine.batched import clips_with_speech
from subwhisper.engine.features import FRAMES_PER_SECOND, HOP
from subwhisper.engine.options import TranscribeOptions, VadOptions
from subwhisper.engine.reader import WindowEncoder
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.engine.vad.listener import SpeechListener, detector
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.windows import Window
from subwhisper.model.cache import HeardWindows
from subwhisper.model.whisper import Whisper

_LEAST_SPEECH = FRAMES_PER_SECOND  # frames of it in a window that is worth listening to


@dataclass(frozen=True, slots=True)
class HeardLanguage:
    """The language of a recording, and how sure the network is of it."""

    language: str
    """Code."""
    probability: float
    """Of the window that is surest of it."""
    ranked: Mapping[str, float]
    """Code to mean probability over the windows listened to, the most probable first."""


def detect_language(
    model: Whisper, tokenizer: Tokenizer, heard: HeardWindows, allowed: Collection[str] = ()
) -> list[dict[str, float]]:
    """Ask the network for the language token after the start token.

    Args:
        model: a multilingual one.
        tokenizer: of the same checkpoint; its languages are the candidates.
        heard: B windows.
        allowed: codes to choose from, all of which the tokenizer knows; empty: every language.

    Returns:
        For each window, the probability of every candidate, the most probable first; they add up to 1.
    """
    languages = {code: token for code, token in tokenizer.language_tokens.items() if not allowed or code in allowed}
    with torch.inference_mode():
        start = torch.full((len(heard), 1), tokenizer.sot, device=heard.device)
        logits = model.decode(start, model.start(heard, capacity=1))[:, 0]
        chosen = torch.tensor(list(languages.values()), device=heard.device)
        probabilities = logits[:, chosen].softmax(dim=-1).tolist()
    return [_ranked(dict(zip(languages, row, strict=True))) for row in probabilities]


@dataclass(frozen=True, slots=True)
class WindowLanguages:
    """Tells the language of each window of mixed speech by itself, whatever the windows around it."""

    model: Whisper
    tokenizer: Tokenizer
    main: str
    """Code of what a window is taken for that is not sure."""
    allowed: Sequence[str]
    """Codes to choose from; empty: every language."""
    threshold: float
    """Probability above which a window is sure."""

    def __call__(self, heard: HeardWindows) -> list[str]:
        """Codes of windows."""
        surest = [next(iter(ranked.items())) for ranked in self._detect(heard)]
        return [code if probability > self.threshold else self.main for code, probability in surest]

    def _detect(self, heard: HeardWindows) -> list[dict[str, float]]:
        return detect_language(self.model, self.tokenizer, heard, self.allowed)


def agreed_language(windows: Iterable[Mapping[str, float]], threshold: float) -> HeardLanguage:
    """Settle on one language for a recording.

    The first window that is sure decides; when none is, the language that most windows are for, and among
    equals the one that a window is surest of. (faster-whisper's rule, but for the equals.)

    Args:
        windows: ranked probabilities of each window; no more are taken than are needed.
        threshold: probability above which a window is sure.

    Raises:
        ValueError: there is no window.
    """
    votes: dict[str, list[float]] = defaultdict(list)
    totals: dict[str, float] = defaultdict(float)
    n_windows = 0
    for ranked in windows:
        n_windows += 1
        for code, probability in ranked.items():
            totals[code] += probability
        best, surest = next(iter(ranked.items()))
        votes[best].append(surest)
        if surest > threshold:
            break
    else:
        if not n_windows:
            raise ValueError("no window to hear a language in")
        best = max(votes, key=lambda code: (len(votes[code]), max(votes[code])))
    means = {code: total / n_windows for code, total in totals.items()}
    return HeardLanguage(best, max(votes[best]), _ranked(means))


def openings(clips: Sequence[tuple[int, int]], speech: SpeechMap, window_frames: int) -> Iterator[int]:
    """First frames of windows, one behind the other, in which someone speaks in clips; none where nobody does."""
    reached = 0
    for first, end in clips_with_speech(clips, speech):
        start = max(first, reached)
        while start < end and (end - start >= _LEAST_SPEECH or not reached):
            yield start
            start = reached = start + window_frames


def first_openings(audio: AudioSource, vad: VadOptions, n_windows: int, window_frames: int) -> list[int]:
    """First frames of as many windows in which someone speaks; windows that cover the beginning where nobody does.

    The recording is read no further than they lie.
    """
    listener = SpeechListener(detector(vad), vad, longest=window_frames / FRAMES_PER_SECOND)
    n_samples, spans = 0, []
    for block in audio.blocks():
        n_samples += len(block)
        spans += listener.hear(block)
        found = [*openings([(0, n_samples // HOP)], SpeechMap(spans), window_frames)]
        if len(found) >= n_windows:
            return found[:n_windows]
    n_frames = max(1, n_samples // HOP)
    found = [*openings([(0, n_frames)], SpeechMap(spans + listener.finish()), window_frames)]
    return (found or [*range(0, n_frames, window_frames)])[:n_windows]


def hear_language(encoder: WindowEncoder, firsts: Iterable[int], options: TranscribeOptions) -> HeardLanguage:
    """Listen to windows one after the other until the language is sure.

    Args:
        encoder: of a recording, with a model of many languages.
        firsts: frames at which the windows begin.
        options: how many windows at most, when to be sure, which languages there are.
    """
    model = encoder.model
    chosen = islice(firsts, options.language_detection_segments)
    heard = (encoder.hear([Window(first, model.window_frames)]) for first in chosen)
    ranked = (detect_language(model.network, model.tokenizer, one, options.candidates)[0] for one in heard)
    return agreed_language(ranked, options.language_detection_threshold)


def _ranked(probabilities: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(probabilities.items(), key=lambda pair: -pair[1]))
