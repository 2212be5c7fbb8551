"""Where a cue breaks into lines.

One line when the text fits; otherwise the fewest lines that hold it, broken at the cheapest
places: after punctuation, before conjunctions and prepositions, never after an article, and in a
shape that is even or heavier at the bottom, without a lone short word. Two speakers have a line each.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from subwhisper.subtitles.layout.cohesion import Boundary
from subwhisper.subtitles.layout.joints import Joint, turns_of
from subwhisper.subtitles.layout.pieces import Piece
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.script import display_width

BREAK_AFTER = {Boundary.SENTENCE: 0.0, Boundary.CLAUSE: 0.0, Boundary.NOTHING: 16.0}
BREAK_BEFORE_OPENING = -12.0
"""In proportion to how well the next word begins a line."""
TOP_HEAVY = 0.3
"""Per column by which a line is longer than those below it."""
BOTTOM_HEAVY = 0.25
"""Per column by which it is shorter."""
ORPHAN = 12.0
"""A line of less than a fifth of the width, beside longer ones."""
STRANDED = 35.0
"""One word of a clause on another line than the rest of it."""
EXTRA_LINE = 0.5


class LineBreaker:
    """Breaks any run of the pieces it was made for. `first` and `last` are indices of pieces, both included."""

    def __init__(self, pieces: Sequence[Piece], joints: Sequence[Joint], profile: Profile) -> None:
        self._width = profile.max_line_width
        self._lines = profile.max_lines
        self._words = profile.max_words_per_line or len(pieces)
        self.left: list[int] = []  # column of each piece's first character if all stood on one endless line
        self.right: list[int] = []  # column just past its last
        self._clipped: list[int] = [0]  # sum of the widths with the spaces before, no piece counting more than a line
        column = 0
        for piece in pieces:
            column += piece.spaced
            self.left.append(column)
            column += piece.width
            self.right.append(column)
            self._clipped.append(self._clipped[-1] + piece.spaced + min(piece.width, self._width))
        self._parting = [_parting_cost(joint) for joint in joints]
        self._dashes = [display_width(profile.dash(line)) for line in range(2)]
        self._turns = turns_of(joints) if profile.speaker_dash is not None else [0] * len(pieces)

    def width(self, first: int, last: int) -> int:
        """Count the columns of these pieces on one line."""
        return self.right[last] - self.left[first]

    def least_width(self, first: int, last: int) -> int:
        """Count the columns that these pieces take at least, in any number of lines."""
        return self._clipped[last + 1] - self._clipped[first] - self._lines  # each line begins without its space

    def cost(self, first: int, last: int) -> float:
        """Return what the best break of these pieces costs; infinite when no allowed number of lines holds them."""
        if first < self._turns[last]:
            return 0.0 if self._holds_two_speakers(first, last) else math.inf
        if self._fits(first, last):
            return 0.0
        for lines in range(2, self._lines + 1):
            cost, _ = self._best(first, last, lines)
            if cost < math.inf:
                return cost + EXTRA_LINE * (lines - 1)
        return math.inf

    def lines(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return the first piece of each line of the best break, and that after its last.

        Raises:
            ValueError: the pieces do not fit.
        """
        begins = [first, *(end + 1 for end in self._ends(first, last))]
        return list(pairwise(begins))

    def _ends(self, first: int, last: int) -> list[int]:
        """The last piece of each line."""
        if first < self._turns[last]:
            return [self._turns[last] - 1, last]
        if self._fits(first, last):
            return [last]
        for lines in range(2, self._lines + 1):
            if self._best(first, last, lines)[0] < math.inf:
                ends = []
                for remaining in range(lines, 1, -1):
                    ends.append(self._best(first, last, remaining)[1])
                    first = ends[-1] + 1
                return [*ends, last]
        raise ValueError(f"pieces {first} to {last} do not fit into {self._lines} lines")

    def _holds_two_speakers(self, first: int, last: int) -> bool:
        """Whether two speakers say this, and what each of them says fits on a line after its dash."""
        second = self._turns[last]
        return (
            self._lines > 1
            and self._turns[second - 1] <= first
            and all(
                dash + self.width(begin, end) <= self._width and end - begin < self._words
                for dash, begin, end in zip(self._dashes, (first, second), (second - 1, last), strict=True)
            )
        )

    def _fits(self, first: int, last: int) -> bool:
        fits = self.right[last] - self.left[first] <= self._width and last - first < self._words
        return fits or first == last  # a piece that is wider than a line has a line to itself

    def _best(self, first: int, last: int, lines: int) -> tuple[float, int]:
        """Return cost and end of the first line, when these pieces fill exactly so many lines (two or more)."""
        left, right = self.left, self.right
        begin, stop, below = left[first], right[last], lines - 1
        reach = min(max(bisect_right(right, begin + self._width, first, last) - 1, first), first + self._words - 1)
        best, where = math.inf, first
        for end in range(reach, (self._least(first, last) if lines == 2 else first) - 1, -1):
            cost = self._parting[end] + self._shape(right[end] - begin, stop - left[end + 1], below)
            if lines > 2:
                cost += self._best(end + 1, last, below)[0] if end + 1 < last else math.inf
            if cost < best:
                best, where = cost, end
        return best, where

    def _least(self, first: int, last: int) -> int:
        """The first piece from which on all that follows fits on one line: at the latest the one before the last."""
        begin = bisect_left(self.left, self.right[last] - self._width, first + 1, last)
        return max(begin, last - self._words + 1) - 1

    def _shape(self, above: int, below: int, lines_below: int) -> float:
        excess = above - below / lines_below
        cost = excess * TOP_HEAVY if excess > 0 else -excess * BOTTOM_HEAVY
        return cost + ORPHAN if min(above, below) * 5 < self._width else cost


def _parting_cost(joint: Joint) -> float:
    cost = BREAK_AFTER[joint.mark]
    if joint.mark is Boundary.NOTHING:
        cost += joint.tie.cost + BREAK_BEFORE_OPENING * joint.opening + STRANDED * joint.strands
    return cost
