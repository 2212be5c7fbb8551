"""Tracks whose cues come at other times: moved, stretched, cut into parts, put together.

Values in, values out. Only times change: text, lines and everything else a cue carries stay as they are.
Two languages stacked in one cue are the exception that says so.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from subwhisper.errors import OptionError
from subwhisper.subtitles.markup import CueSpan, RawBlock
from subwhisper.subtitles.track import Cue, CueWord, Track, first_overlap

_NTSC = (24, 30, 48, 60, 120)
"""Frames per second of which there is a variant slower by 1000/1001."""
_RATE_TOLERANCE = 0.005
"""Frames per second: 23.976 and 23.98 both mean 24000/1001."""


Clock: TypeAlias = Callable[[int], int]
"""From an old time to its new one, both in milliseconds."""


@dataclass(frozen=True, slots=True)
class Retiming:
    """A straight line from old times to new ones: new = factor * old + offset.

    Raises:
        OptionError: the factor is not above 0, or a number is not finite.
    """

    factor: float = 1.0
    """Above 1 makes the track longer."""
    offset_ms: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and self.factor > 0):
            raise OptionError(f"a factor must be above 0, got {self.factor:g}")
        if not math.isfinite(self.offset_ms):
            raise OptionError(f"an offset must be a finite number, got {self.offset_ms:g}")

    def __call__(self, ms: int) -> int:
        return round(self.factor * ms + self.offset_ms)

    @classmethod
    def through(cls, first: tuple[int, int], second: tuple[int, int]) -> "Retiming":
        """The line through two points, each an old and a new time in milliseconds.

        Raises:
            OptionError: the old times are the same, or time would run backwards.
        """
        (old, new), (old_later, new_later) = sorted((first, second))
        if old == old_later or new >= new_later:
            raise OptionError("the two points need two different times, in the same order before and after")
        factor = (new_later - new) / (old_later - old)
        return cls(factor, new - factor * old)

    @classmethod
    def between_rates(cls, source: float, target: float) -> "Retiming":
        """For cues that were timed on a picture of `source` frames per second and go with one of `target`.

        The same frames are shown, so at a lower rate everything lasts longer.
        """
        return cls(float(exact_rate(source) / exact_rate(target)))


def exact_rate(rate: float) -> Fraction:
    """A frame rate as it is meant: 23.976 is 24000/1001, 29.97 is 30000/1001.

    Raises:
        OptionError: it is not above 0.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise OptionError(f"a frame rate must be above 0, got {rate:g}")
    for whole in _NTSC:
        slower = Fraction(whole * 1000, 1001)
        if abs(rate - slower) < _RATE_TOLERANCE:
            return slower
    return Fraction(rate).limit_denominator(1001)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a track: the cues that start in it."""

    start_ms: int = 0
    end_ms: int | None = None
    """Not in it any more; `None` is the end of the track."""

    def holds(self, start_ms: int) -> bool:
        return self.start_ms <= start_ms and (self.end_ms is None or start_ms < self.end_ms)


def retime(track: Track, clock: Clock, part: Part = Part()) -> Track:
    """Move the cues of a part, all by default, as `retime_parts` does."""
    return retime_parts(track, [(part, clock)])


def retime_parts(track: Track, parts: Sequence[tuple[Part, Clock]], left_out: Collection[int] = ()) -> Track:
    """Move cues to other times.

    A cue that would begin before 0 begins at 0; one that would also end there is left out.

    Args:
        track: whose text stays.
        parts: cues that move, and from an old time to its new one, in milliseconds, which must never run backwards;
            cues in none of them stay where they are.
        left_out: indices of cues that the result does not have.
    """

    def clock_at(ms: int) -> Clock:
        return next((clock for part, clock in parts if part.holds(ms)), _unmoved)

    moved = {index: retime_cue(cue, clock_at(cue.start_ms)) for index, cue in enumerate(track.cues)}
    blocks = (
        replace(block, times=_moved(block.times, clock_at(block.times[0]))) if block.times else block
        for block in track.raw
    )
    kept = {index: cue for index, cue in moved.items() if cue is not None and index not in left_out}
    return _rearranged(replace(track, raw=tuple(blocks)), kept)


def _unmoved(ms: int) -> int:
    return ms


def retime_cue(cue: Cue, clock: Clock) -> Cue | None:
    """Move one cue; `None` when it would end before it can begin."""
    if clock(cue.end_ms) <= 0:
        return None
    _, end_ms = _moved((cue.start_ms, cue.end_ms), clock)
    # a cue that shrinks to nothing is shown for a millisecond
    return cue.retimed(lambda ms: end_ms if ms == cue.end_ms else max(clock(ms), 0))


def _moved(times: tuple[int, int], clock: Clock) -> tuple[int, int]:
    start_ms = max(clock(times[0]), 0)
    return start_ms, max(clock(times[1]), start_ms + 1)


def _rearranged(track: Track, kept: Mapping[int, Cue]) -> Track:
    """The track with these cues instead of its own, each under the index of the one it was.

    What else the file held stays before the cue that it stood before.
    """
    indices = sorted(kept)
    blocks = (replace(block, before=bisect_left(indices, block.before)) for block in track.raw)
    return _with_cues(track, kept.values(), tuple(blocks))


def _with_cues(track: Track, cues: Iterable[Cue], raw: tuple[RawBlock, ...]) -> Track:
    """The track with other cues; whether any are on screen together is found out anew."""
    ordered = tuple(sorted(cues, key=lambda cue: cue.start_ms))
    return replace(track, cues=ordered, overlapping=first_overlap(ordered) is not None, raw=raw)


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a track that was cut."""

    track: Track
    start_ms: int
    """Where the part begins in the whole."""


def split(track: Track, cuts_ms: Iterable[int], *, keep_times: bool = False) -> tuple[Piece, ...]:
    """Cut a track into parts, as its recording is cut.

    Every cue goes to the part that shows more of it (the earlier, if they are equal) and ends or begins at the cut.

    Args:
        track: to be cut.
        cuts_ms: where, in any order.
        keep_times: leave times as they are, instead of counting from the start of each part.

    Returns:
        One more than there are cuts; a part in which nothing is said has no cues.

    Raises:
        OptionError: a cut is at or before 0.
    """
    cuts = sorted(set(cuts_ms))
    if cuts and cuts[0] <= 0:
        raise OptionError("a cut must lie after 0")
    bounds = [*zip([0, *cuts], [*cuts, math.inf], strict=True)]
    shares: list[dict[int, Cue]] = [{} for _ in bounds]
    for index, cue in enumerate(track.cues):
        shown = [min(cue.end_ms, end) - max(cue.start_ms, start) for start, end in bounds]
        most = shown.index(max(shown))
        shares[most][index] = _within(cue, *bounds[most])
    pieces = []
    for share, (start, _) in zip(shares, bounds, strict=True):
        part = _rearranged(replace(track, raw=_blocks_of(track, share)), share)
        pieces.append(Piece(part if keep_times else retime(part, Retiming(offset_ms=-start)), start))
    return tuple(pieces)


def _blocks_of(track: Track, share: Mapping[int, Cue]) -> tuple[RawBlock, ...]:
    """What a part of a file takes with it: all that stands before the first cue, and what stands among its own."""
    return tuple(block for block in track.raw if block.before == 0 or block.before in share)


def _within(cue: Cue, start_ms: int, end_ms: float) -> Cue:
    """The cue cut to a stretch that it overlaps."""
    if start_ms <= cue.start_ms and cue.end_ms <= end_ms:
        return cue
    cut = retime_cue(cue, lambda ms: int(min(max(ms, start_ms), end_ms)))
    assert cut is not None  # a stretch begins at 0 or later, and shows some of the cue
    return cut


def cuts_every(track: Track, length_ms: int) -> list[int]:
    """Cuts after every so many milliseconds, up to the last cue.

    Raises:
        OptionError: the length is not above 0.
    """
    if length_ms <= 0:
        raise OptionError("the length of a part must be above 0")
    return [*range(length_ms, _end_ms(track.cues), length_ms)]


def cuts_at_gaps(track: Track, gap_ms: int) -> list[int]:
    """Cuts in the middle of every stretch without a cue that is at least so long.

    Raises:
        OptionError: the gap is not above 0.
    """
    if gap_ms <= 0:
        raise OptionError("a gap must be above 0")
    cuts, end_ms = [], 0
    for index, cue in enumerate(track.cues):
        if index and cue.start_ms - end_ms >= gap_ms:
            cuts.append((end_ms + cue.start_ms) // 2)
        end_ms = max(end_ms, cue.end_ms)
    return cuts


def append(first: Track, second: Track, offset_ms: int) -> Track:
    """Put a track after another one: the cues of the second come `offset_ms` later than they say.

    Raises:
        OptionError: the second would then begin before the first ends.
    """
    second = retime(second, Retiming(offset_ms=offset_ms))
    later = second.cues
    if later and later[0].start_ms < _end_ms(first.cues):
        raise OptionError(
            f"the second file would begin at {later[0].start_ms} ms, before the first ends at {_end_ms(first.cues)} ms",
            hint="say how long the first recording is",
        )
    blocks = (replace(block, before=block.before + len(first.cues)) for block in second.raw if block.before > 0)
    return _with_cues(first, (*first.cues, *later), (*first.raw, *blocks))


def _end_ms(cues: Sequence[Cue]) -> int:
    return max((cue.end_ms for cue in cues), default=0)


def stack(upper: Track, lower: Track, *, tolerance_ms: int = 500) -> Track:
    """Show two tracks at once, each cue's lines of the one above those of the other: two languages, usually.

    Each text is shown as long as its own file says; where one of them changes, the other stays in its place, so
    a cue of one may appear in several of the result.

    Args:
        upper: whose times count, and whose language, header and style sheets the result has.
        lower: its times are taken to the nearest of `upper` where they differ by no more than the tolerance.
        tolerance_ms: two people who time the same speech differ by less; 0 changes no time.
    """
    below = _snapped(lower.cues, sorted({t for cue in upper.cues for t in (cue.start_ms, cue.end_ms)}), tolerance_ms)
    cues: list[Cue] = []
    shown: tuple[int, ...] = ()
    both = [*upper.cues, *below]
    for start_ms, end_ms, active in _moments(both):
        if active and active == shown and cues and cues[-1].end_ms == start_ms:
            cues[-1] = replace(cues[-1], end_ms=end_ms)
        elif active:
            cues.append(_stacked([both[index] for index in active], start_ms, end_ms))
        shown = active
    return _with_cues(upper, cues, tuple(block for block in upper.raw if block.before == 0))


def flattened(track: Track) -> Track:
    """The track with one cue at a time, for formats that show no more: what is on screen together stands in one."""
    return stack(track, Track(()), tolerance_ms=0) if track.overlapping else track


def _snapped(cues: Sequence[Cue], edges: Sequence[int], tolerance_ms: int) -> list[Cue]:
    """Cues with their times taken to the nearest of `edges`; one that would have no length left keeps its own."""

    def nearest(ms: int) -> int:
        at = bisect_left(edges, ms)
        best = min(edges[max(at - 1, 0) : at + 1], key=lambda edge: abs(edge - ms), default=ms)
        return best if abs(best - ms) <= tolerance_ms else ms

    snapped = []
    for cue in cues:
        start_ms, end_ms = nearest(cue.start_ms), nearest(cue.end_ms)
        snapped.append(replace(cue, start_ms=start_ms, end_ms=end_ms) if start_ms < end_ms else cue)
    return snapped


def _moments(cues: Sequence[Cue]) -> Iterable[tuple[int, int, tuple[int, ...]]]:
    """Every stretch during which the same cues are shown: its start, its end, and the cues by their index."""
    changes = sorted(
        [(cue.start_ms, True, index) for index, cue in enumerate(cues)]
        + [(cue.end_ms, False, index) for index, cue in enumerate(cues)]
    )
    active: set[int] = set()
    before = 0
    for ms, begins, index in changes:
        if ms > before:
            yield before, ms, tuple(sorted(active))
        (active.add if begins else active.discard)(index)
        before = ms


def _stacked(cues: Sequence[Cue], start_ms: int, end_ms: int) -> Cue:
    """Several cues as one, the lines of the first on top."""
    if len(cues) == 1:
        return replace(cues[0], start_ms=start_ms, end_ms=end_ms)
    lines: list[str] = []
    words: list[CueWord] = []
    spans: list[CueSpan] = []
    for cue in cues:
        words += (replace(word, line=word.line + len(lines)) for word in cue.words)
        spans += (replace(span, line=span.line + len(lines)) for span in cue.spans)
        lines += cue.lines
    return Cue(start_ms, end_ms, tuple(lines), tuple(words), spans=tuple(spans), placement=cues[0].placement)
