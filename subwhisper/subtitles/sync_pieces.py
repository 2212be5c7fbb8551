"""Several straight lines, one after another: a recording with breaks put in, or parts cut out, where a file has none.

The offset may change between two cues, and the speed may not. For every ratio of speeds,

1. cues are taken a score at a time: the offsets at which most of them begin with speech are the candidates;
2. dynamic programming gives every cue one of the candidates, so that as many as can be begin with speech, where each
   change of candidate costs as much as a few cues that do not (Viterbi 1967, doi:10.1109/TIT.1967.1054010);
3. each piece's offset is fitted to its own cues, and the pieces are found once more.

A piece that chance could have placed as well is no piece: its cues are heard no more, and go with their neighbours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
import numpy.typing as npt

from subwhisper.subtitles.sync_evidence import (
    NEAR,
    PLACE,
    SCORE_SPREAD,
    Evidence,
    Times,
    evidence,
    hits,
    nearest,
    settled,
)
from subwhisper.subtitles.sync_line import RATIO_PRICE, Line

_BLOCK = 20  # cues looked at together, half of them again with the next
_STEP = 0.02  # seconds between two offsets
_PEAKS = 3  # offsets kept of each block
_SAME = 0.15  # seconds: offsets nearer than that are one
_MOST_OFFSETS = 60
_BREAK_PRICE = 4.0  # cues that a break must bring into place
_SPEECH_WORTH = 0.5  # of a cue that is all spoken, beside 1 of one that begins with speech
_PAUSE = 2.0  # seconds without a cue at which a break is likelier than between two sentences
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Stretch:
    """Cues that lie on one line."""

    first: int
    stop: int
    line: Line
    evidence: Evidence


def best_stretches(
    shown: Times, heard: Times, ratios: Sequence[float], furthest: float, *, most_breaks: int, min_confidence: float
) -> tuple[Stretch, ...]:
    """Cut cues into stretches that lie each on a line of its own.

    Args:
        shown: (n, 2) start and end of each cue, in order.
        heard: (n, 2) start and end of each stretch of speech.
        ratios: tried; one goes for all stretches.
        furthest: seconds that a cue may be from its place, beyond what stretching explains.
        most_breaks: more are not believed.
        min_confidence: of every stretch.

    Returns:
        None where no more than one stretch can be told from chance.
    """
    found: dict[float, tuple[float, list[Stretch]]] = {}
    for ratio in ratios:
        search = _Search(shown, heard, ratio, furthest, len(ratios))
        stretches = search.stretches(min_confidence)
        if 1 < len(stretches) <= most_breaks + 1:
            found[ratio] = search.score(stretches), stretches
    if not found:
        return ()
    enough = max(score for score, _ in found.values()) - RATIO_PRICE * len(shown)
    ratio = min((ratio for ratio, (score, _) in found.items() if score >= enough), key=lambda ratio: abs(log(ratio)))
    return tuple(found[ratio][1])


class _Search:
    """One ratio tried."""

    def __init__(self, shown: Times, heard: Times, ratio: float, furthest: float, n_ratios: int) -> None:
        self._shown, self._heard, self._ratio = shown * ratio, heard, ratio
        self._times = self._shown[:, 0]
        pauses = np.clip(shown[1:, 0] - shown[:-1, 1], 0, None)
        self._prices = _BREAK_PRICE + np.exp(-pauses / _PAUSE)
        """Of a break after each cue."""
        self._onsets = heard[:, 0]
        self._furthest = furthest
        self._n_tries = n_ratios * max(1.0, 2 * furthest / PLACE) * len(shown)
        self._edges = np.maximum.accumulate(heard.ravel())  # stretches that overlap become one
        self._spoken = np.concatenate(
            [[0.0], np.cumsum(np.diff(self._edges) * (np.arange(len(self._edges) - 1) % 2 == 0))]
        )
        """Seconds of speech up to each of these."""
        span = max(float(heard[:, 1].max() - heard[0, 0]), 1.0)
        by_chance = len(heard) / span * SCORE_SPREAD * np.sqrt(2 * np.pi)
        self._chance = by_chance + _SPEECH_WORTH * float(self._spoken[-1]) / span
        self._deaf = np.zeros(len(shown), bool)
        """Cues that are not heard."""

    def stretches(self, min_confidence: float) -> list[Stretch]:
        """The best there are, each told from chance."""
        offsets = self._candidates()
        stretches: list[Stretch] = []
        for _ in range(_ROUNDS):
            if not len(offsets):
                return []
            stretches = [self._fitted(first, stop, offset) for first, stop, offset in self._path(offsets)]
            unsure = [stretch for stretch in stretches if stretch.evidence.confidence < min_confidence]
            if not unsure and len(stretches) == len(offsets):
                break
            for stretch in unsure:
                self._deaf[stretch.first : stretch.stop] = True
            offsets = np.unique([stretch.line.offset for stretch in stretches if stretch not in unsure])
        return stretches

    def score(self, stretches: Sequence[Stretch]) -> float:
        met = (hits(self._times[part.first : part.stop] + part.line.offset, self._onsets).sum() for part in stretches)
        return float(sum(met)) - _BREAK_PRICE * (len(stretches) - 1)

    def _candidates(self) -> Times:
        """Offsets at which a score of cues in a row begins with speech."""
        heights: dict[float, float] = {}
        for first in range(0, max(len(self._times) - _BLOCK // 2, 1), _BLOCK // 2):
            for offset, height in self._peaks(self._times[first : first + _BLOCK]):
                like = next((known for known in heights if abs(known - offset) < _SAME), offset)
                heights[like] = heights.get(like, 0.0) + height
        return np.array(sorted(heights, key=lambda offset: -heights[offset])[:_MOST_OFFSETS])

    def _peaks(self, times: Times) -> Iterator[tuple[float, float]]:
        """The offsets that most pairs of a cue and an onset have in common, and how many these are."""
        first, last = np.searchsorted(self._onsets, (times[0] - self._furthest, times[-1] + self._furthest))
        gaps = (self._onsets[None, first:last] - times[:, None]).ravel()
        gaps = gaps[np.abs(gaps) <= self._furthest]
        reach = int(self._furthest / _STEP)
        counts = np.bincount(np.round(gaps / _STEP).astype(int) + reach, minlength=2 * reach + 1).astype(np.float64)
        bell = np.exp(-0.5 * (np.arange(-15, 16) * _STEP / SCORE_SPREAD) ** 2)
        counts = np.convolve(counts, bell, mode="same")
        for _ in range(_PEAKS):
            top = int(counts.argmax())
            yield (top - reach) * _STEP, float(counts[top])
            counts[max(0, top - 10) : top + 11] = 0

    def _path(self, offsets: Times) -> Iterator[tuple[int, int, float]]:
        """Give every cue an offset; runs of cues with the same: first, stop, offset."""
        met = np.stack([self._met(offset) for offset in offsets], axis=1) - self._chance
        met[self._deaf] = 0
        chosen = _cheapest(met, self._prices)
        edges = [0, *(np.flatnonzero(np.diff(chosen)) + 1), len(chosen)]
        for first, stop in pairwise(edges):
            yield int(first), int(stop), float(offsets[chosen[first]])

    def _met(self, offset: float) -> Times:
        """How well each cue begins with speech; a little, too, how much of it is spoken."""
        spoken = np.diff(self._spoken_until(self._shown + offset), axis=1)[:, 0]
        share = spoken / np.diff(self._shown, axis=1)[:, 0]
        met: Times = hits(self._times + offset, self._onsets) + _SPEECH_WORTH * share
        return met

    def _spoken_until(self, times: Times) -> Times:
        spoken: Times = np.interp(times, self._edges, self._spoken)
        return spoken

    def _fitted(self, first: int, stop: int, offset: float) -> Stretch:
        times = self._times[first:stop]
        offset += settled(times + offset, self._onsets)
        judged = evidence(times + offset, self._heard, self._n_tries)
        return Stretch(first, stop, Line(self._ratio, offset), judged)


def _cheapest(met: Times, prices: Times) -> npt.NDArray[np.int64]:
    """The column for each row whose sum is greatest, less the price of every change of column."""
    n_rows, n_columns = met.shape
    best = met[0].copy()
    came_from = np.empty((n_rows, n_columns), np.int64)
    stay = np.arange(n_columns)
    for row in range(1, n_rows):
        top = int(best.argmax())
        changed = best[top] - prices[row - 1]
        came_from[row] = np.where(changed > best, top, stay)
        best = np.maximum(changed, best) + met[row]
    path = np.empty(n_rows, np.int64)
    path[-1] = best.argmax()
    for row in range(n_rows - 1, 0, -1):
        path[row - 1] = came_from[row, path[row]]
    return path


def without_a_place(starts: Times, heard: Times, stretches: Sequence[Stretch]) -> set[int]:
    """Cues at breaks that would come before the one that they follow: what they say was cut out."""
    lost: set[int] = set()
    for before, after in pairwise(stretches):
        left, right = before.stop - 1, after.first
        while left >= before.first and right < after.stop:
            times = np.array([before.line(starts[left]), after.line(starts[right])])
            if times[0] < times[1]:
                break
            misses = np.abs(nearest(times, heard[:, 0])) > NEAR
            if misses[1] and not misses[0]:
                lost.add(right)
                right += 1
            else:
                lost.add(left)
                left -= 1
    return lost
