"""A translation laid out in the cues of the original: `lay_out_beside`.

Both tracks then change at the same moments, so one can be switched for the other, or stand under it. The English of a
sentence is not said word by word where the original is; what is known is when each segment of it begins and ends.
Its words are shared out over the original's cues so that they stay near their time, sentences and clauses stay
whole where they can, and every cue holds what fits.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from subwhisper.subtitles.layout.cohesion import Boundary
from subwhisper.subtitles.layout.joints import Joint, joints_of
from subwhisper.subtitles.layout.lines import LineBreaker
from subwhisper.subtitles.layout.pieces import Piece, cut_into_pieces, set_line
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.standards import load_profile
from subwhisper.subtitles.track import Cue, Track
from subwhisper.transcript import Transcript

REACH_MS = 2500
"""How far from their time words may move to stand together."""
PARTED = {Boundary.SENTENCE: 0.0, Boundary.CLAUSE: 0.3, Boundary.NOTHING: 0.8}
"""Seconds of distance that parting after a piece is worth."""
TIE_SHARE = 1 / 80
"""Of what parting costs between the lines of a cue, in seconds."""
EMPTY = 1.5
"""Seconds that a cue without words costs: the original says something there."""
OVERFULL = 4.0
"""Seconds that a cue costs whose words need more lines than allowed."""
MORE_LINES = 2
"""Lines beyond those allowed that a cue may have, where the translation is so much longer."""


def lay_out_beside(track: Track, translation: Transcript, profile: Profile | None = None) -> Track:
    """Lay a translation out with the times of the original's cues.

    Every word of it is there and in order. A cue of the original for which no words are left has no counterpart.

    Args:
        track: the original, laid out.
        translation: its segments lie on the same clock; they need no word times.
        profile: the limits, as for the original.
    """
    limits = (profile or load_profile()).in_language(translation.language)
    pieces = cut_into_pieces(translation, limits.max_line_width)
    if not pieces or not track.cues:
        return Track(language=translation.language, cues=())
    joints = joints_of(pieces, translation.language)
    breakers = [
        LineBreaker(pieces, joints, replace(limits, max_lines=limits.max_lines + more, speaker_dash=None))
        for more in range(MORE_LINES + 1)
    ]
    cuts = _Sharing(track.cues, pieces, joints, breakers[0]).cuts()
    cues = []
    for cue, first, end in zip(track.cues, [0, *cuts], cuts, strict=False):
        if first < end:
            cues.append(Cue(cue.start_ms, cue.end_ms, _lines(pieces, first, end - 1, breakers)))
    return Track(cues=tuple(cues), language=translation.language)


def _lines(pieces: Sequence[Piece], first: int, last: int, breakers: Sequence[LineBreaker]) -> tuple[str, ...]:
    """The lines of a cue, in the fewest lines that hold it; the last of them is as long as it has to be."""
    fitting = next((breaker for breaker in breakers if breaker.cost(first, last) < math.inf), None)
    rows = fitting.lines(first, last) if fitting else [(first, last + 1)]
    return tuple(set_line(pieces[begin:end]) for begin, end in rows)


@dataclass(frozen=True, slots=True)
class _Sharing:
    """Shares pieces out over cues: the cheapest way, found by dynamic programming from cue to cue."""

    cues: Sequence[Cue]
    pieces: Sequence[Piece]
    joints: Sequence[Joint]
    breaker: LineBreaker

    def cuts(self) -> list[int]:
        """Return, for each cue, how many pieces are said up to its end."""
        times = [
            (before.end_ms + after.start_ms) / 2 for before, after in zip(self.pieces, self.pieces[1:], strict=False)
        ]
        best: dict[int, float] = {0: 0.0}
        came_from: list[dict[int, int]] = []
        for index in range(len(self.cues)):
            following: dict[int, float] = {}
            origins: dict[int, int] = {}
            for cut in self._candidates(index, times, min(best)):
                placed = self._placed(index, cut, times)
                for known, cost in best.items():
                    total = cost + placed + self._filled(known, cut) if known <= cut else math.inf
                    if total < following.get(cut, math.inf):
                        following[cut], origins[cut] = total, known
            best = following
            came_from.append(origins)
        cut, cuts = len(self.pieces), []
        for origins in reversed(came_from):
            cuts.append(cut)
            cut = origins[cut]
        return cuts[::-1]

    def _candidates(self, index: int, times: Sequence[float], least: int) -> range:
        """The cuts near the end of a cue; after the last one everything has been said."""
        if index == len(self.cues) - 1:
            return range(len(self.pieces), len(self.pieces) + 1)
        end = self._end(index)
        first = bisect_left(times, end - REACH_MS) + (1 if times and times[0] < end - REACH_MS else 0)
        last = bisect_right(times, end + REACH_MS)
        return range(max(least, first), max(least, first, last) + 1)

    def _end(self, index: int) -> float:
        return (self.cues[index].end_ms + self.cues[index + 1].start_ms) / 2

    def _placed(self, index: int, cut: int, times: Sequence[float]) -> float:
        if index == len(self.cues) - 1:
            return 0.0
        end = self._end(index)
        if not 0 < cut < len(self.pieces):
            edge = self.pieces[0].start_ms if cut == 0 else self.pieces[-1].end_ms
            late = end - edge if cut == 0 else edge - end
            return max(0.0, late) / 1000
        joint = self.joints[cut - 1]
        parted = PARTED[joint.mark]
        if joint.mark is Boundary.NOTHING:
            parted += joint.tie.cost * TIE_SHARE
        return abs(times[cut - 1] - end) / 1000 + parted

    def _filled(self, first: int, end: int) -> float:
        if first == end:
            return EMPTY
        return OVERFULL if self.breaker.cost(first, end - 1) == math.inf else 0.0
