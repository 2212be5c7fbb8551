"""Where one cue ends and the next begins: dynamic programming over pieces.

Every way of cutting the text into cues has a cost, the sum of the costs below; the cheapest
way wins (the idea of Knuth & Plass 1981, doi:10.1002/spe.4380111102, with time beside width).
A broken rule of the profile costs more than all that makes a cue handsome, so a rule is
broken only where the words leave no other way. Between equal costs the later start of the last cue wins, so the
answer is always the same.

Few cues are costed in full: those that begin where the cheapest one without their last piece begins, and others only
where a bound that is quickly added up leaves them a chance.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

from subwhisper.subtitles.layout.cohesion import Boundary
from subwhisper.subtitles.layout.joints import Joint, turns_of
from subwhisper.subtitles.layout.lines import LineBreaker
from subwhisper.subtitles.layout.pieces import Piece
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.timing import Timing
from subwhisper.subtitles.track import to_ms

CUE = 22.0
"""Each cue: fewer are calmer."""
END_AFTER = {Boundary.SENTENCE: 0.0, Boundary.CLAUSE: 14.0, Boundary.NOTHING: 66.0}
END_BEFORE_OPENING = -32.0
"""In proportion to how well the next word begins a cue."""
STRANDED = 40.0
"""One word of a clause in another cue than the rest of it."""
PAUSE_RELIEF = 0.9
"""Share of the cost of an end that a clear pause takes away."""
HESITATION_RELIEF = 0.2
"""Share of the cost of parting what belongs together that it takes away: people hesitate after articles, too."""
CLEAR_PAUSE = 0.6
"""Seconds."""
SEGMENT_RELIEF = 10.0
"""The recogniser ended a segment here."""
SENTENCE_INSIDE = {False: 14.0, True: 300.0}
"""A sentence ends within a cue; by whether the profile wants one sentence in each."""
TORN = 18.0
"""A sentence begins within a cue that does not hold its end."""
PAUSE_INSIDE = 45.0
"""Per second of silence within a cue beyond `CLEAR_PAUSE` / 2."""
FULLNESS = 20.0
"""A full cue, falling with the square: evens out the cues of a sentence."""
FRAGMENT = 16.0
"""A cue under a third of a line that is not a sentence by itself."""
DIALOGUE = 12.0
"""Two speakers share a cue: dearer than a cue for each, where there is time for that."""
SHOT_INSIDE = 12.0
"""A shot change within a cue."""

BROKEN = 1500.0
"""A duration or gap that the profile forbids, and up to as much again by how far it is off."""
TOO_FAST = 25.0
"""Per character of a cue that cannot be read in time: text that is too fast wherever it is cut costs the same."""
PACE = 45.0
"""Per multiple of the reading speed beyond the first, up to `FASTEST`."""
FASTEST = 3.0
BAD_SHOT = 600.0
"""A cue that begins or ends too near to a shot change."""
NO_ROOM = 1e6
"""The next cue would begin at the same moment."""
ROUNDING = 0.001
"""More than sums of costs are ever off by the order in which they are added."""


def segment(
    pieces: Sequence[Piece],
    joints: Sequence[Joint],
    breaker: LineBreaker,
    timing: Timing,
    profile: Profile,
) -> list[tuple[int, int]]:
    """Cut pieces into cues.

    Returns:
        First and last index of each cue, both included: all pieces, in order.
    """
    costs = CueCosts(pieces, joints, breaker, timing, profile)
    cheapest = [0.0]  # of cutting the pieces before each index
    leads = [0.0]  # what a cue that begins with each piece brings to the sum
    begins: list[int] = []  # where the last cue of that cut begins
    for last in range(len(pieces)):
        # Where it begins without its last piece: seldom elsewhere.
        begin = max(begins[-1], costs.earliest[last]) if begins else 0
        best = cheapest[begin] + costs.of(begin, last)
        for least, first in costs.rivals(begin, last, best, leads):
            if least > best + ROUNDING:
                break
            before = cheapest[first]
            cost = before + costs.of(first, last, best - before + ROUNDING)
            if cost < best or (cost == best and first > begin):
                best, begin = cost, first
        cheapest.append(best)
        leads.append(best - costs.inside[last + 1])
        begins.append(begin)
    cues = []
    last = len(pieces) - 1
    while last >= 0:
        cues.append((begins[last], last))
        last = begins[last] - 1
    return cues[::-1]


class CueCosts:
    """What a cue of the pieces `first` to `last` costs; infinite when it may not be, never so for a single piece."""

    def __init__(
        self,
        pieces: Sequence[Piece],
        joints: Sequence[Joint],
        breaker: LineBreaker,
        timing: Timing,
        profile: Profile,
    ) -> None:
        self._breaker, self._timing = breaker, timing
        self._limits, self._shots = timing.limits, timing.shots
        ends = [True, *(joint.mark is Boundary.SENTENCE for joint in joints), True]
        self._is_end = ends  # of a sentence, before each piece
        self._end = [*map(_end_cost, joints), 0.0]
        within = SENTENCE_INSIDE[profile.one_sentence]
        self.inside = list(accumulate((*(_inside_cost(joint, within) for joint in joints), 0.0), initial=0.0))
        self._stops = list(accumulate(ends))
        self._turns = turns_of(joints)
        self._room = profile.max_line_width * profile.max_lines
        self.earliest = self._earliest(
            _walls(joints, to_ms(profile.max_pause), shared=profile.speaker_dash is not None)
        )

    def _earliest(self, walls: Sequence[int]) -> list[int]:
        """For each piece, the first one that may begin its cue: more take too long to say, or too many columns."""
        first, found = 0, []
        for last, wall in enumerate(walls):
            first = max(first, wall)
            while first < last and self._is_too_long(first, last):
                first += 1
            found.append(first)
        return found

    def _is_too_long(self, first: int, last: int) -> bool:
        spoken = self._timing.spoken[last] - self._timing.starts[first]
        return spoken > self._limits.longest or self._breaker.least_width(first, last) > self._room

    def rivals(self, begin: int, last: int, cost: float, leads: Sequence[float]) -> list[tuple[float, int]]:
        """Find the other pieces with which the cue that begins with `begin` might begin at no more cost.

        Time on screen and lines take a while to look at, and most beginnings are too dear without them.

        Args:
            begin: a piece.
            last: the last piece of the cue.
            cost: of everything up to there.
            leads: cost of everything before each piece, without what lies within cues.

        Returns:
            What everything up to there costs at least, and the piece; the cheapest first.
        """
        left, right, full = self._breaker.left, self._breaker.right[last], FULLNESS / self._room**2
        known = CUE + self._end[last] + self.inside[last]
        most = cost - known + ROUNDING
        rivals = [
            (known + least, first)
            for first in range(self.earliest[last], last + 1)
            if (least := leads[first]) <= most
            and (least := least + full * (right - left[first]) ** 2) <= most
            and first != begin
        ]
        return sorted(rivals)

    def of(self, first: int, last: int, enough: float = math.inf) -> float:
        """Add up the cost, or give up with infinity as soon as it is not below `enough`."""
        width = self._breaker.width(first, last)
        cost = CUE + self._end[last] + self.inside[last] - self.inside[first] + FULLNESS * (width / self._room) ** 2
        ends = self._is_end[last + 1]
        if width * 6 < self._room and not (ends and self._is_end[first]):
            cost += FRAGMENT
        if not ends and self._stops[last] > self._stops[first]:
            cost += TORN
        if first < self._turns[last]:
            cost += DIALOGUE if ends and self._is_end[first] else math.inf
        cost += self._haste(first, last)
        return cost + self._breaker.cost(first, last) if cost < enough else math.inf

    def _haste(self, first: int, last: int) -> float:
        """What the time on screen costs: rules broken, and shots."""
        timing, limits = self._timing, self._limits
        start, following = timing.starts[first], timing.starts[last + 1]
        if following <= start:
            return NO_ROOM
        needed = timing.reading_time(first, last)
        end = timing.end(start, last, following, needed)
        shown = end - start
        cost = BROKEN * (2 - shown / limits.shortest) if shown < limits.shortest else 0.0
        if (gap := following - end) < limits.gap:
            cost += BROKEN * (2 - gap / limits.gap)
        elif limits.gap < gap < limits.chain and not self._shots.crossed(end - 1, following + 1):
            cost += BROKEN
        if needed > shown:
            cost += TOO_FAST * timing.characters(first, last) + PACE * (min(needed / shown, FASTEST) - 1)
        if self._shots:
            cost += SHOT_INSIDE * self._shots.crossed(start, end)
            cost += BAD_SHOT * (self._shots.begins_badly(start) + bool(self._shots.around(start, end, following)))
        return cost


def _walls(joints: Sequence[Joint], longest_pause: int, *, shared: bool) -> list[int]:
    """For each piece, the first one that may share a cue with it.

    Args:
        joints: between the pieces.
        longest_pause: milliseconds; a longer silence is always a wall.
        shared: two speakers may share a cue, when both are known; else every change of speaker is a wall, too.
    """
    walls, silence = [0], 0
    turns = turns_of(joints)
    for index, joint in enumerate(joints, start=1):
        if joint.pause_ms > longest_pause:
            silence = index
        turn = turns[index]
        is_answer = shared and turn > 0 and joints[turn - 1].are_known
        walls.append(max(silence, turns[turn - 1] if is_answer else turn))
    return walls


def _end_cost(joint: Joint) -> float:
    pause = min(joint.pause_ms / 1000 / CLEAR_PAUSE, 1.0)
    cost = END_AFTER[joint.mark]
    if joint.mark is Boundary.NOTHING:
        cost += END_BEFORE_OPENING * joint.opening
        cost += STRANDED * joint.strands
    cost *= 1 - PAUSE_RELIEF * pause
    if joint.opens_segment:
        cost = max(cost - SEGMENT_RELIEF, 0.0)
    return cost + joint.tie.cost * (1 - HESITATION_RELIEF * pause)


def _inside_cost(joint: Joint, sentence_inside: float) -> float:
    cost = PAUSE_INSIDE * max(joint.pause_ms / 1000 - CLEAR_PAUSE / 2, 0.0)
    return cost + sentence_inside if joint.mark is Boundary.SENTENCE else cost
