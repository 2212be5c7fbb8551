"""How well cues placed on a time line begin with speech, and how likely chance would have placed them so well."""

from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]
"""Seconds."""

NEAR = 0.1
"""Seconds: a cue that starts no further from an onset is said to start with it."""
PLACE = 0.05
"""Seconds between two offsets that are different tries."""
SCORE_SPREAD = 0.06
"""Seconds, standard deviation: a near miss counts as part of a hit."""
BIWEIGHT = (0.3, 0.2, 0.2, 0.15, 0.15, 0.15)
"""Seconds beyond which a pair is not heard, round by round."""


def nearest(times: Times, onsets: Times) -> Times:
    """What must be added to each time to reach the onset nearest to it."""
    after = np.clip(np.searchsorted(onsets, times), 1, len(onsets) - 1)
    before_gap, after_gap = onsets[after - 1] - times, onsets[after] - times
    nearest: Times = np.where(np.abs(before_gap) < np.abs(after_gap), before_gap, after_gap)
    return nearest


def hits(times: Times, onsets: Times) -> Times:
    """How well each time meets an onset: 1 exactly, 0 not at all."""
    met: Times = np.exp(-0.5 * (nearest(times, onsets) / SCORE_SPREAD) ** 2)
    return met


def settled(times: Times, onsets: Times) -> float:
    """The move, below 0.3 s, after which times begin with onsets, found by listening to near pairs only."""
    offset = 0.0
    for reach in BIWEIGHT:
        gaps = nearest(times + offset, onsets)
        weights = biweight(gaps, reach)
        if weights.sum() > 0:
            offset += float((weights * gaps).sum() / weights.sum())
    return offset


def biweight(gaps: Times, reach: float) -> Times:
    """Tukey's weights: 1 for a gap of 0, 0 for one beyond reach."""
    weights: Times = np.clip(1 - (gaps / reach) ** 2, 0, None) ** 2
    return weights


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a place."""

    n_cues: int
    """Cues that it was judged by: those that come to lie in the recording."""
    n_matched: int
    """Of them, those that start within 100 ms of an onset of speech."""
    confidence: float
    """Probability, 0 to 1, that chance would not have found so good a fit."""


def evidence(times: Times, heard: Times, n_tries: float) -> Evidence:
    """Compare the cues that begin with speech with those that would by chance, in the best of so many tries."""
    first, last = heard[0, 0] - 2 * NEAR, heard[:, 1].max() + 2 * NEAR
    inside = times[(first <= times) & (times <= last)]
    matched = int((np.abs(nearest(inside, heard[:, 0])) <= NEAR).sum())
    tail = _binomial_tail(matched, len(inside), _chance(heard, first, last))
    return Evidence(len(inside), matched, 1 - min(1.0, n_tries * tail))


def _chance(heard: Times, first: float, last: float) -> float:
    """The share of a time line on which a cue would be said to start with speech."""
    gaps = np.minimum(np.diff(heard[:, 0], append=np.inf), 2 * NEAR)
    return min(1.0, float(gaps.sum() / (last - first)))


def _binomial_tail(least: int, n: int, chance: float) -> float:
    """Probability of at least so many successes in `n` tries."""
    if least <= 0 or chance >= 1:
        return 1.0
    log_p, log_q = log(chance), log(1 - chance)
    terms = (
        lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log_p + (n - k) * log_q for k in range(least, n + 1)
    )
    return min(1.0, sum(map(exp, terms)))
