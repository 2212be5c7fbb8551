"""Two tracks compared: which cues they share, and how those differ in time and in words.

Cues are paired by their text first (longest common runs, Ratcliff and Obershelp 1988, in the standard library's
difflib); what lies between two such runs is paired by the time on screen they share. So two files of the same
words are paired rightly however far one of them is shifted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from statistics import median
from typing import Any

from subwhisper.subtitles.track import Cue, Track


@dataclass(frozen=True, slots=True)
class Pair:
    """A cue of each track, or one that has no counterpart."""

    first: Cue | None
    second: Cue | None
    first_number: int | None
    """Of the cue in its track, from 1."""
    second_number: int | None

    @property
    def start_ms(self) -> int:
        """Where it stands in the first track, else in the second."""
        cue = self.first or self.second
        assert cue is not None
        return cue.start_ms

    @property
    def start_difference_ms(self) -> int | None:
        """How much later the second begins."""
        return self.second.start_ms - self.first.start_ms if self.first and self.second else None

    @property
    def end_difference_ms(self) -> int | None:
        return self.second.end_ms - self.first.end_ms if self.first and self.second else None

    @property
    def same_text(self) -> bool:
        return self.first is not None and self.second is not None and self.first.lines == self.second.lines

    def moved(self, tolerance_ms: int) -> bool:
        """Whether both are there, and begin or end further apart than this."""
        differences = (self.start_difference_ms, self.end_difference_ms)
        return any(ms is not None and abs(ms) > tolerance_ms for ms in differences)

    def to_dict(self) -> dict[str, Any]:
        return {
            "first": self.first_number,
            "second": self.second_number,
            "start_ms": self.start_ms,
            "start_difference_ms": self.start_difference_ms,
            "end_difference_ms": self.end_difference_ms,
            "same_text": self.same_text,
            "first_text": list(self.first.lines) if self.first else None,
            "second_text": list(self.second.lines) if self.second else None,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two tracks differ."""

    pairs: tuple[Pair, ...]
    """Every cue of both tracks once, in order."""
    tolerance_ms: int
    """Times no further apart than this count as the same."""

    @property
    def differences(self) -> tuple[Pair, ...]:
        """The pairs that are not the same."""
        return tuple(pair for pair in self.pairs if not pair.same_text or pair.moved(self.tolerance_ms))

    @property
    def start_differences_ms(self) -> list[int]:
        return [ms for pair in self.pairs if (ms := pair.start_difference_ms) is not None]

    def to_dict(self) -> dict[str, Any]:
        """A machine-readable report: counts, and every difference."""
        starts = self.start_differences_ms
        both = [pair for pair in self.pairs if pair.first and pair.second]
        return {
            "same": not self.differences,
            "tolerance_ms": self.tolerance_ms,
            "cues": {
                "paired": len(both),
                "other_times": sum(pair.moved(self.tolerance_ms) for pair in both),
                "other_text": sum(not pair.same_text for pair in both),
                "only_in_first": sum(pair.second is None for pair in self.pairs),
                "only_in_second": sum(pair.first is None for pair in self.pairs),
            },
            "start_difference_ms": {
                "median": median(starts) if starts else None,
                "smallest": min(starts, default=None),
                "largest": max(starts, default=None),
            },
            "differences": [pair.to_dict() for pair in self.differences],
        }


def compare(first: Track, second: Track, *, tolerance_ms: int = 0) -> Comparison:
    """Pair the cues of two tracks and find what differs.

    Args:
        first: the earlier, or the reference.
        second: the later, or the candidate.
        tolerance_ms: times no further apart than this count as the same.
    """
    ours, theirs = first.cues, second.cues
    said, told = ([_bare(cue) for cue in cues] for cues in (ours, theirs))
    pairs: list[Pair] = []
    for tag, a, a_end, b, b_end in SequenceMatcher(None, said, told, autojunk=False).get_opcodes():
        if tag == "equal":
            matched: Iterator[tuple[int | None, int | None]] = zip(range(a, a_end), range(b, b_end), strict=True)
        else:
            matched = _by_time(ours, theirs, range(a, a_end), range(b, b_end))
        pairs += (_pair(ours, theirs, i, j) for i, j in matched)
    return Comparison(tuple(pairs), tolerance_ms)


def _bare(cue: Cue) -> str:
    """What cues are paired by: their words, however broken into lines."""
    return " ".join(cue.text.split()).casefold()


def _pair(ours: Sequence[Cue], theirs: Sequence[Cue], i: int | None, j: int | None) -> Pair:
    return Pair(
        first=None if i is None else ours[i],
        second=None if j is None else theirs[j],
        first_number=None if i is None else i + 1,
        second_number=None if j is None else j + 1,
    )


def _by_time(
    ours: Sequence[Cue], theirs: Sequence[Cue], first: range, second: range
) -> Iterator[tuple[int | None, int | None]]:
    """Pair cues whose texts differ: in order, those that are on screen together for half of the shorter one."""
    rest_first, rest_second = list(first), list(second)
    while rest_first and rest_second:
        i, j = rest_first[0], rest_second[0]
        a, b = ours[i], theirs[j]
        shared = min(a.end_ms, b.end_ms) - max(a.start_ms, b.start_ms)
        if 2 * shared >= min(a.duration_ms, b.duration_ms):
            yield rest_first.pop(0), rest_second.pop(0)
        elif (a.end_ms, a.start_ms) <= (b.end_ms, b.start_ms):
            yield rest_first.pop(0), None
        else:
            yield None, rest_second.pop(0)
    yield from ((i, None) for i in rest_first)
    yield from ((None, j) for j in rest_second)


def word_changes(before: str, after: str) -> str:
    """One line that shows how a text became another: `the [-quick-] {+fast+} fox`, as git's word diff has it."""
    old, new = before.split(), after.split()
    parts: list[str] = []
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts += old[i:i_end]
            continue
        if i < i_end:
            parts.append(f"[-{' '.join(old[i:i_end])}-]")
        if j < j_end:
            parts.append(f"{{+{' '.join(new[j:j_end])}+}}")
    return " ".join(parts)
