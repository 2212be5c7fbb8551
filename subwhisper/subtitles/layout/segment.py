"""Where one cue ends and the next begins: dynamic programming over pieces.

Every way of cutting the text into cues has a cost, the sum of the costs below; the cheapest
way wins (the idea of Knuth & Plass 1981, doi:10.1002/spe.4380111102, with time beside width).
Between equal costs the later start of the last cue wins, so the answer is always the same.
"""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from subwhisper.subtitles.layout.cohesion import Boundary, bond, boundary, opens_phrase
from subwhisper.subtitles.layout.lines import LineBreaker
from subwhisper.subtitles.layout.pieces import Piece
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.track import to_ms

CUE = 22.0
"""Each cue: fewer are calmer."""
END_AFTER = {Boundary.SENTENCE: 0.0, Boundary.CLAUSE: 12.0, Boundary.NOTHING: 45.0}
END_BEFORE_OPENER = -15.0
PAUSE_RELIEF = 0.9
"""Share of the cost of an end that a clear pause takes away."""
CLEAR_PAUSE = 0.6
"""Seconds."""
SEGMENT_RELIEF = 10.0
"""The recogniser ended a segment here."""
SENTENCE_INSIDE = 14.0
"""A sentence ends within a cue."""
TORN = 18.0
"""A sentence begins within a cue that does not hold its end."""
PAUSE_INSIDE = 45.0
"""Per second of silence within a cue beyond `CLEAR_PAUSE` / 2."""
FULLNESS = 20.0
"""A full cue, falling with the square: evens out the cues of a sentence."""
FRAGMENT = 16.0
"""A cue under a third of a line that is not a sentence by itself."""
TOO_SHORT = 90.0
"""A cue that can hardly be seen; in proportion to the part of the minimum duration that is missing."""
TOO_FAST = 45.0
"""Per multiple of the reading speed beyond the first, up to `FASTEST`."""
FASTEST = 3.0


def segment(pieces: Sequence[Piece], breaker: LineBreaker, profile: Profile, language: str) -> list[tuple[int, int]]:
    """Cut pieces into cues.

    Returns:
        First and last index of each cue, both included: all pieces, in order.
    """
    costs = _CueCosts(pieces, breaker, profile, language)
    cheapest = [0.0]  # of cutting the pieces before each index
    begins: list[int] = []  # where the last cue of that cut begins
    for last in range(len(pieces)):
        best, begin = math.inf, last
        for first in range(last, -1, -1):
            cost = costs.of(first, last)
            if cost == math.inf:
                break  # more pieces in front will not make it fit
            if cheapest[first] + cost < best:
                best, begin = cheapest[first] + cost, first
        cheapest.append(best)
        begins.append(begin)
    cues = []
    last = len(pieces) - 1
    while last >= 0:
        cues.append((begins[last], last))
        last = begins[last] - 1
    return cues[::-1]


class _CueCosts:
    """What a cue of the pieces `first` to `last` costs; infinite when it may not be, never so for a single piece."""

    def __init__(self, pieces: Sequence[Piece], breaker: LineBreaker, profile: Profile, language: str) -> None:
        self._breaker = breaker
        self._starts = [piece.start_ms for piece in pieces]
        self._ends = [piece.end_ms for piece in pieces]
        self._characters = list(accumulate((len(piece.text) + piece.spaced for piece in pieces), initial=0))
        gap = to_ms(profile.min_gap)
        self._latest = [start - gap for start in self._starts[1:]]  # when a cue must be gone
        if pieces:
            self._latest.append(self._ends[-1] + to_ms(max(profile.min_duration, profile.linger)))
        self._marks = [Boundary.SENTENCE] + [
            boundary(before.text, after.text) for before, after in pairwise(pieces)
        ]  # what ends before each piece
        self._marks.append(Boundary.SENTENCE)
        self._end = [
            _end_cost(before, after, mark, language)
            for before, after, mark in zip(pieces, pieces[1:], self._marks[1:], strict=False)
        ] + [0.0]
        self._inside = list(
            accumulate(
                (_inside_cost(*joint) for joint in zip(pieces, pieces[1:], self._marks[1:], strict=False)), initial=0.0
            )
        )
        self._stops = list(accumulate(mark is Boundary.SENTENCE for mark in self._marks))
        pauses = [max(after - before, 0) for before, after in zip(self._ends, self._starts[1:], strict=False)]
        too_long = to_ms(profile.max_pause)
        self._silences = list(accumulate((pause > too_long for pause in pauses), initial=0))
        self._longest = to_ms(profile.max_duration)
        self._shortest = to_ms(profile.min_duration)
        self._linger = to_ms(profile.linger)
        self._speed = profile.speed_for(language) / 1000  # characters per ms
        self._room = profile.max_line_width * profile.max_lines

    def of(self, first: int, last: int) -> float:
        if first < last and (
            self._ends[last] - self._starts[first] > self._longest or self._silences[last] > self._silences[first]
        ):
            return math.inf
        cost = self._breaker.cost(first, last)
        if cost == math.inf:
            return cost
        cost += CUE + self._end[last] + self._inside[last] - self._inside[first]
        width = self._breaker.width(first, last)
        cost += FULLNESS * (width / self._room) ** 2
        if width * 6 < self._room and not (self._marks[first] == self._marks[last + 1] == Boundary.SENTENCE):
            cost += FRAGMENT
        if self._stops[last] > self._stops[first] and self._marks[last + 1] is not Boundary.SENTENCE:
            cost += TORN
        return cost + self._haste(first, last)

    def _haste(self, first: int, last: int) -> float:
        start = self._starts[first]
        end = min(self._latest[last], max(self._ends[last] + self._linger, start + self._shortest))
        shown = max(end - start, 1)
        cost = TOO_SHORT * (1 - shown / self._shortest) if shown < self._shortest else 0.0
        pace = (self._characters[last + 1] - self._characters[first]) / (shown * self._speed)
        return cost + TOO_FAST * (min(pace, FASTEST) - 1) if pace > 1 else cost


def _end_cost(before: Piece, after: Piece, mark: Boundary, language: str) -> float:
    cost = END_AFTER[mark]
    if mark is Boundary.NOTHING:
        cost += bond(before.text, after.text, language)
        if opens_phrase(after.text, language):
            cost += END_BEFORE_OPENER
    pause = max(after.start_ms - before.end_ms, 0) / 1000
    cost *= 1 - PAUSE_RELIEF * min(pause / CLEAR_PAUSE, 1.0)
    return max(cost - SEGMENT_RELIEF, 0.0) if after.opens_segment else cost


def _inside_cost(before: Piece, after: Piece, mark: Boundary) -> float:
    pause = max(after.start_ms - before.end_ms, 0) / 1000
    cost = PAUSE_INSIDE * max(pause - CLEAR_PAUSE / 2, 0.0)
    return cost + SENTENCE_INSIDE if mark is Boundary.SENTENCE else cost
