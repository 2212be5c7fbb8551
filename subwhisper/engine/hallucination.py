"""Text that was invented over silence: the rule of openai-whisper's `hallucination_silence_threshold`.

It goes by doubtful words alone and is off unless asked for; `invention` has the rules that know where someone speaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.windows import Window
from subwhisper.transcript import Dropped, Segment, Word

_PUNCTUATION = "\"'“¿([{-\"'.。,，!！?？:：”)]}、"
_EDGE = 2.0  # seconds from a window's edge at which invented text is common
_N_JUDGED = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of a window, and where to go on."""

    segments: tuple[Segment, ...]
    next_frame: int
    is_abandoned: bool = False
    """The window is read again from `next_frame`, as if it had not been decoded."""
    dropped: tuple[Dropped, ...] = ()


def skip_silence(
    kept: Kept, window: Window, *, window_end: float, n_frames: int, last_speech: float, threshold: float
) -> Kept:
    """Leave out doubtful text that stands alone in silence.

    Args:
        kept: the window's segments with words, and where it would go on.
        window: where it lies.
        window_end: seconds at which a full window from there would end.
        n_frames: of the whole recording.
        last_speech: seconds at which the last word before this window ended.
        threshold: seconds of silence that count.
    """
    first = _first_with_words(kept.segments)
    if first is not None and is_doubtful(first) and first.start - window.start > threshold:
        gap = round((first.start - window.start) * FRAMES_PER_SECOND)
        return Kept((), window.first + gap, is_abandoned=True)
    before = last_speech
    for at, segment in enumerate(kept.segments):
        if not segment.words:
            continue
        if is_doubtful(segment):
            following = _first_with_words(kept.segments[at + 1 :])
            after = following.words[0].start if following else window.start + window.duration
            alone_before = (
                segment.start - before > threshold or segment.start < threshold or segment.start - window.start < _EDGE
            )
            alone_after = (
                after - segment.end > threshold
                or (following is not None and is_doubtful(following))
                or window_end - segment.end < _EDGE
            )
            if alone_before and alone_after:
                at_end = n_frames / FRAMES_PER_SECOND - segment.end < threshold
                again = round(max(window.start + 1, segment.start) * FRAMES_PER_SECOND)
                return Kept(kept.segments[:at], n_frames if at_end else again)
        before = segment.end
    return kept


def is_doubtful(segment: Segment) -> bool:
    """Decide whether the first words are improbable, or last too short or too long, to be real."""
    judged = [word for word in segment.words if word.text not in _PUNCTUATION][:_N_JUDGED]
    if not segment.words:
        return False
    score = sum(_oddity(word) for word in judged)
    return score >= 3 or score + 0.01 >= len(judged)


def _oddity(word: Word) -> float:
    duration = word.end - word.start
    score = 1.0 if (word.probability or 0.0) < 0.15 else 0.0
    if duration < 0.133:
        score += (0.133 - duration) * 15
    if duration > 2.0:
        score += duration - 2.0
    return score


def _first_with_words(segments: Sequence[Segment]) -> Segment | None:
    return next((segment for segment in segments if segment.words), None)
