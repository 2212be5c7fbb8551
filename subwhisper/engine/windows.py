"""Where each window lies and what its timestamps mean. No network, no text.

The sequential plan: a window starts where the last complete segment ended, so nothing is cut in half.
Frames are 10 ms of mel, positions 20 ms of encoder output; a timestamp token names a position.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from subwhisper.audio import SAMPLE_RATE
from subwhisper.engine.features import FRAMES_PER_SECOND, HOP

FRAMES_PER_POSITION = 2
SECONDS_PER_POSITION = FRAMES_PER_POSITION * HOP / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of mel frames given to the network."""

    first: int
    n_frames: int
    """Frames of the recording in it; fewer than the network reads at the end of a clip."""

    @property
    def start(self) -> float:
        """Seconds."""
        return self.first / FRAMES_PER_SECOND

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.n_frames / FRAMES_PER_SECOND

    @property
    def end_frame(self) -> int:
        return self.first + self.n_frames


@dataclass(frozen=True, slots=True)
class Place:
    """How far reading has come: a frame, in one of the clips."""

    frame: int = 0
    clip: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens between two timestamps."""

    start: float
    """Seconds from the start of the recording."""
    end: float
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """What a window's tokens say about time."""

    pieces: tuple[Piece, ...]
    next_frame: int
    """Where the next window starts."""
    is_complete: bool
    """The last segment is closed by a single timestamp: nothing is said after it."""


def clips_in_frames(times: Sequence[float], n_frames: int) -> tuple[tuple[int, int], ...]:
    """Clips as (first, end) frames; without times the whole recording, without a last end up to its end."""
    points = [round(time * FRAMES_PER_SECOND) for time in times] or [0]
    if len(points) % 2:
        points.append(n_frames)
    return tuple((first, min(end, n_frames)) for first, end in zip(points[::2], points[1::2], strict=True))


def next_window(place: Place, clips: Sequence[tuple[int, int]], window_frames: int) -> tuple[Place, Window] | None:
    """The next stretch to read, and the place where it starts; `None` when every clip has been read."""
    frame = place.frame
    for clip in range(place.clip, len(clips)):
        first, end = clips[clip]
        frame = max(frame, first) if clip == place.clip else first
        if frame < end:
            return Place(frame, clip), Window(frame, min(window_frames, end - frame))
    return None


def split_tokens(tokens: Sequence[int], window: Window, timestamp_begin: int) -> Split:
    """Cut a window's tokens at its timestamps.

    Two timestamps in a row close one segment and open the next. Text after the last pair is not
    finished: it is left to the next window, unless a single timestamp closes it.
    """
    is_timestamp = [token >= timestamp_begin for token in tokens]
    is_complete = is_timestamp[-2:] == [False, True]
    cuts = [at + 1 for at, (before, after) in enumerate(pairwise(is_timestamp)) if before and after]
    if not cuts:
        return Split((_one_piece(tokens, window, timestamp_begin),), window.end_frame, is_complete)
    if is_complete:
        cuts.append(len(tokens))
    pieces = tuple(
        Piece(
            start=window.start + (tokens[first] - timestamp_begin) * SECONDS_PER_POSITION,
            end=window.start + (tokens[end - 1] - timestamp_begin) * SECONDS_PER_POSITION,
            tokens=tuple(tokens[first:end]),
        )
        for first, end in pairwise([0, *cuts])
    )
    if is_complete:
        return Split(pieces, window.end_frame, is_complete)
    last_position = tokens[cuts[-1] - 1] - timestamp_begin
    return Split(pieces, window.first + last_position * FRAMES_PER_POSITION, is_complete)


def _one_piece(tokens: Sequence[int], window: Window, timestamp_begin: int) -> Piece:
    """All tokens as one segment: up to the last timestamp, or the window's end where there is none."""
    timestamps = [token for token in tokens if token >= timestamp_begin]
    duration = window.duration
    if timestamps and timestamps[-1] != timestamp_begin:
        duration = (timestamps[-1] - timestamp_begin) * SECONDS_PER_POSITION
    return Piece(window.start, window.start + duration, tuple(tokens))


def every_piece(tokens: Sequence[int], window: Window, timestamp_begin: int) -> tuple[Piece, ...]:
    """Cut a window's tokens at its timestamps, and keep the text after the last pair too, up to the window's end."""
    pieces = split_tokens(tokens, window, timestamp_begin).pieces
    rest = tuple(tokens[sum(len(piece.tokens) for piece in pieces) :])
    if all(token >= timestamp_begin for token in rest):
        return pieces
    start = pieces[-1].end
    if rest[0] >= timestamp_begin:
        start = window.start + (rest[0] - timestamp_begin) * SECONDS_PER_POSITION
    return (*pieces, Piece(start, max(start, window.start + window.duration), rest))


def whole_window(tokens: Sequence[int], window: Window, timestamp_begin: int) -> Split:
    """Cut all text of a window that no other window goes on from; nothing reaches beyond its end."""
    end = window.start + window.duration
    pieces = every_piece(tokens, window, timestamp_begin)
    inside = (replace(piece, start=min(piece.start, end), end=min(piece.end, end)) for piece in pieces)
    return Split(tuple(inside), window.end_frame, is_complete=True)


def advanced(place: Place, frame: int, window: Window) -> Place:
    """Go on at `frame`; behind the window instead if that would not get any further."""
    return Place(frame if frame > place.frame else window.end_frame, place.clip)


class Plan(Protocol):
    """Says which windows of a recording are read, and in which order."""

    reads_on: bool
    """A window may begin where the text of the one before leaves off, and is told of that text."""

    def upcoming(self) -> Sequence[Window]:
        """The windows to read now, all at once; empty when everything has been read."""
        ...

    def settled(self, window: Window, next_frame: int) -> None:
        """Hear that a window has been read, and where its text leaves off."""
        ...


class SequentialPlan:
    """One window at a time, each from where the text of the last one leaves off."""

    reads_on = True

    def __init__(self, clips: Sequence[tuple[int, int]], window_frames: int) -> None:
        """Read these clips, (first, end) in frames, in windows of at most this many frames."""
        self._clips, self._window_frames = clips, window_frames
        self._place = Place()

    def upcoming(self) -> tuple[Window, ...]:
        found = next_window(self._place, self._clips, self._window_frames)
        if found is None:
            return ()
        self._place, window = found
        return (window,)

    def settled(self, window: Window, next_frame: int) -> None:
        self._place = advanced(self._place, next_frame, window)
