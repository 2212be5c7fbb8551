"""The batched plan: windows laid over speech beforehand, and read many at once.

Each window is one contiguous stretch of the recording, begins and ends in a pause, and is told nothing of the
others. No sample is cut out, joined or altered; sound between windows is not read.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor

from subwhisper.audio import Span
from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.windows import Window

LONGEST_PAUSE = 4.0
"""Seconds inside a window: a longer silence invites text that nobody said."""
LONGEST_STRETCH = 300.0
"""Seconds of a recording that one batch may lie on, so that what has been read can be kept at hand."""


def pack(speech: Iterable[Span], clips: Sequence[tuple[int, int]], window_frames: int) -> Iterator[Window]:
    """Lay windows over speech: as few as possible, each as long as its speech.

    Args:
        speech: in order, none longer than a window.
        clips: (first, end) frames of the parts to read; windows never leave them.
        window_frames: frames of the longest window.
    """
    spans = list(speech)
    for clip in clips:
        parts = [part for span in spans if (part := _in_frames(span, clip)) is not None]
        yield from _packed(parts, window_frames)


def clips_with_speech(clips: Sequence[tuple[int, int]], speech: SpeechMap) -> tuple[tuple[int, int], ...]:
    """The parts of clips in which someone speaks, short pauses included: what the sequential plan reads."""
    spans = [*speech.joined(LONGEST_PAUSE)]
    return tuple(part for clip in clips for span in spans if (part := _in_frames(span, clip)) is not None)


def _in_frames(span: Span, clip: tuple[int, int]) -> tuple[int, int] | None:
    """First and end frame of the part of a span that lies in a clip."""
    start, stop = (round(time * FRAMES_PER_SECOND, 3) for time in (span.start, span.end))  # 0.29 is 29 frames, not 28
    first, end = max(clip[0], floor(start)), min(clip[1], ceil(stop))
    return (first, end) if first < end else None


def _packed(parts: Iterable[tuple[int, int]], window_frames: int) -> Iterator[Window]:
    longest_pause = round(LONGEST_PAUSE * FRAMES_PER_SECOND)
    first = end = -1
    for start, stop in parts:
        if first >= 0 and (stop - first > window_frames or start - end > longest_pause):
            yield Window(first, end - first)
            first = -1
        if first < 0:
            first = start
        end = stop
        while end - first > window_frames:  # only speech of another's making is so long
            yield Window(first, window_frames)
            first += window_frames
    if first >= 0:
        yield Window(first, end - first)


class BatchedPlan:
    """Windows known beforehand, handed out several at once."""

    reads_on = False
    """No window is read from where the text of the last one leaves off: all its text counts."""

    def __init__(self, windows: Iterable[Window], batch_size: int) -> None:
        """Read these windows, at most so many at once."""
        self._waiting = iter(windows)
        self._next = next(self._waiting, None)
        self._batch_size = batch_size

    def upcoming(self) -> tuple[Window, ...]:
        batch: list[Window] = []
        while self._next is not None and len(batch) < self._batch_size:
            if batch and self._next.end_frame - batch[0].first > LONGEST_STRETCH * FRAMES_PER_SECOND:
                break
            batch.append(self._next)
            self._next = next(self._waiting, None)
        return tuple(batch)

    def settled(self, window: Window, next_frame: int) -> None:
        pass
