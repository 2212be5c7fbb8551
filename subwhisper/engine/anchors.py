"""Which words of a known text are which words that were heard.

Stretches that occur once in both are matched first, and of them the longest chain in the order of both (patience
diff; the chain after Schensted 1961). What lies between two of them is short; of all ways to match it in order, the
one is taken that keeps most words in long common runs, so a chorus does not lead away the verses around it. So a text
of a hundred thousand words is matched in seconds, whatever is missing from either side.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

_RARE_RUN = 3  # words in a row that are looked for on both sides
_LARGEST_GAP = 3_000**2  # pairs of words that are compared one by one
_LONGEST_RUN = 100  # words that make a run better; what is longer is no chance either
_TELLING = 5  # letters: a shorter word alone is matched by chance too easily


def bare(word: str) -> str:
    """A word as it is compared: letters and digits, without case; empty if it has none."""
    return "".join(character for character in word.casefold() if character.isalnum())


def match(text: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Pair words of a text with equal words that were heard.

    Args:
        text: words, compared by their letters and digits.
        heard: words.

    Returns:
        Index in the text and index among those heard, both strictly increasing. A short word without a
        matched neighbour is left out.
    """
    ours, theirs = [bare(word) for word in text], [bare(word) for word in heard]
    pairs: list[tuple[int, int]] = []
    i = j = 0
    for i_next, j_next in [*_chain(ours, theirs), (len(ours), len(theirs))]:
        pairs += _between(ours, theirs, range(i, i_next), range(j, j_next))
        if i_next < len(ours):
            pairs.append((i_next, j_next))
        i, j = i_next + 1, j_next + 1
    found = {pair for pair in pairs if ours[pair[0]]}
    return [
        (i, j)
        for i, j in sorted(found)
        if (i - 1, j - 1) in found or (i + 1, j + 1) in found or len(ours[i]) >= _TELLING
    ]


def _chain(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Words of the runs that occur once in both, as far as they are in one order."""
    places = [_rare_runs(words) for words in (ours, theirs)]
    shared = [(at, places[1][run]) for run, at in places[0].items() if run in places[1]]
    starts = _longest_increasing(shared)
    # where a run overlaps the next one at another offset, the words that both want go to the later
    bounds = [*starts[1:], (len(ours), len(theirs))]
    return sorted(
        {
            (i + k, j + k)
            for (i, j), (i_next, j_next) in zip(starts, bounds, strict=False)
            for k in range(min(_RARE_RUN, i_next - i, j_next - j))
        }
    )


def _rare_runs(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Runs of words that occur once: run -> where it begins, in order."""
    places: dict[tuple[str, ...], int | None] = {}
    for at in range(len(words) - _RARE_RUN + 1):
        run = tuple(words[at : at + _RARE_RUN])
        places[run] = None if run in places else at
    return {run: at for run, at in places.items() if at is not None}


def _longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of pairs in order of their first number, the longest chain in which the second increases too."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        before.append(last[at - 1] if at else None)
        tails[at : at + 1], last[at : at + 1] = [j], [index]
    chain: list[tuple[int, int]] = []
    step = last[-1] if last else None
    while step is not None:
        chain.append(pairs[step])
        step = before[step]
    return chain[::-1]


def _between(ours: Sequence[str], theirs: Sequence[str], first: range, second: range) -> Iterator[tuple[int, int]]:
    """Match what lies between two pairs that are sure."""
    if not first or not second or len(first) * len(second) > _LARGEST_GAP:
        return
    before = min(_RARE_RUN, first.start, second.start)  # a run may go on in what is sure
    after = min(_RARE_RUN, len(ours) - first.stop, len(theirs) - second.stop)
    sides = ((ours, first), (theirs, second))
    runs = _runs(*(words[where.start - before : where.stop + after] for words, where in sides))
    worth = runs[before : before + len(first), before : before + len(second)]
    telling = np.array([len(ours[index]) >= _TELLING for index in first])
    worth[(worth == 1) & ~telling[:, None]] = 0
    yield from ((first.start + i, second.start + j) for i, j in _best_path(worth))


def _runs(left: Sequence[str], right: Sequence[str]) -> npt.NDArray[np.uint8]:
    """For each pair of words, the length of the run of equal words that it stands in; 0 where they differ."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*left, *right]), start=1)} | {"": 0}
    rows, columns = (np.array([numbers[word] for word in words]) for words in (left, right))
    runs = np.zeros((len(left) + 2, len(right) + 2), np.uint8)
    for i, number in enumerate(rows, start=1):
        runs[i, 1:-1] = (np.minimum(runs[i - 1, :-2], _LONGEST_RUN) + 1) * ((columns == number) & (number > 0))
    for i in range(len(left), 0, -1):  # all of a run is worth what its last pair has counted
        here, behind = runs[i, 1:-1], runs[i + 1, 2:]
        np.maximum(here, behind, out=here, where=here > 0)
    return runs[1:-1, 1:-1]


def _best_path(worth: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Of all chains of pairs that increase on both sides, the one worth most; of equals, the earliest."""
    best = np.zeros((worth.shape[0] + 1, worth.shape[1] + 1), np.int32)
    for i, row in enumerate(worth):
        taken = np.where(row > 0, best[i, :-1] + row, 0)
        best[i + 1, 1:] = np.maximum.accumulate(np.maximum(best[i, 1:], taken))
    path: list[tuple[int, int]] = []
    i, j = worth.shape
    while best[i, j]:
        if best[i - 1, j] == best[i, j]:
            i -= 1
        elif best[i, j - 1] == best[i, j]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            path.append((i, j))
    return path[::-1]
