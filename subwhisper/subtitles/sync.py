"""How an old subtitle file must be moved and stretched to fit its sound, or another file: arrays in, numbers out.

Two steps:

1. *Where could it lie?* For every ratio of the usual frame rates, the time that captions are on screen is laid over
   the time that someone speaks, at every offset at once, by cross-correlating the two as functions of 0 and 1 through
   the FFT (as ffsubsync does; in general Knapp and Carter 1976, doi:10.1109/TASSP.1976.1162830). The same is done
   with the moments at which captions appear and speech sets in. The highest peaks of both are kept.
2. *Where does it lie exactly?* Captions linger after the speech but appear with it, so only starts are measured. At
   each peak the offset is first set to where most pairs (start of a cue, onset of speech) agree, and then fitted by
   reweighted least squares with Tukey's biweight, which listens to near pairs and not to the rest (Holland and Welsch
   1977, doi:10.1080/03610927708827533).

The best line is believed if chance would hardly have found one as good among all that were tried: the number of
cues that start with an onset is compared with the binomial tail of doing so at a random place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import exp, lgamma, log
from typing import Any

import numpy as np
import numpy.typing as npt

from subwhisper.errors import InputError
from subwhisper.subtitles.edit import Retiming, exact_rate

_Times = npt.NDArray[np.float64]

FRAME_RATES = (23.976, 24.0, 25.0, 29.97, 30.0)
"""Frames per second of film, PAL and NTSC: a film transferred from one to another runs at their ratio."""
_STEP = 0.04  # seconds of one cell while looking for peaks
_ONSET_SPREAD = 0.1  # seconds of standard deviation that an onset has in that search
_PEAKS = 5  # kept per ratio and kind
_APART = 1.0  # seconds between two peaks
_AGREE_WITHIN = 1.5  # seconds around a peak in which pairs are looked at
_AGREE_SPREAD = 0.05  # seconds, standard deviation
_BIWEIGHT = (0.3, 0.2, 0.2, 0.15, 0.15, 0.15)  # seconds beyond which a pair is not heard, round by round
_NEAR = 0.1  # seconds: a cue that starts no further from an onset is said to start with it
_PLACE = 0.05  # seconds between two offsets that are different tries
_SCORE_SPREAD = 0.06  # seconds, standard deviation
_RATIO_PRICE = 0.02  # share of the cues: a rarer ratio must place so many more of them
_SLOPE_EVIDENCE = 5.0  # standard errors by which a drift that no two frame rates explain must differ from theirs


@dataclass(frozen=True, slots=True)
class Fit:
    """A line from old times to new ones, and how far to trust it."""

    retiming: Retiming
    confidence: float
    """Probability, 0 to 1, that chance would not have found so good a fit."""
    n_cues: int
    """Cues that the line was judged by: those that come to lie in the recording."""
    n_matched: int
    """Of them, those that start within 100 ms of an onset of speech."""

    def to_dict(self) -> dict[str, Any]:
        """A machine-readable report; new time = factor * old time + offset, in seconds."""
        return {
            "factor": self.ratio,
            "offset": self.offset,
            "confidence": self.confidence,
            "cues": self.n_cues,
            "cues_with_speech": self.n_matched,
        }

    @property
    def ratio(self) -> float:
        return self.retiming.factor

    @property
    def offset(self) -> float:
        """Seconds."""
        return self.retiming.offset_ms / 1000


def usual_ratios() -> tuple[float, ...]:
    """1 and the ratios of every two usual frame rates, nearest to 1 first."""
    rates = [exact_rate(rate) for rate in FRAME_RATES]
    return tuple(sorted({float(a / b) for a, b in product(rates, rates)}, key=lambda ratio: abs(np.log(ratio))))


def fit(
    cues: Sequence[tuple[float, float]],
    speech: Sequence[tuple[float, float]],
    *,
    furthest: float = 120.0,
    ratios: Iterable[float] | None = None,
) -> Fit:
    """Find the line that takes cues to the speech they belong to.

    Args:
        cues: start and end of each, in seconds, in order of start.
        speech: start and end of each stretch in which someone speaks (or of each cue of a file that fits), in
            seconds, in order; with no margins added.
        furthest: seconds that a cue may be from its place, beyond what stretching explains.
        ratios: tried for the factor; `usual_ratios` when not given.

    Raises:
        InputError: there is nothing to compare.
    """
    shown, heard = (np.asarray(spans, np.float64).reshape(-1, 2) for spans in (cues, speech))
    if len(shown) < 2 or len(heard) < 2:
        raise InputError("there is too little to compare: at least two cues and two stretches of speech are needed")
    tried = tuple(ratios) if ratios is not None else usual_ratios()
    n_places = len(tried) * max(1.0, 2 * furthest / _PLACE)
    starts, onsets = shown[:, 0], heard[:, 0]
    search = _Search.of(heard, max(tried) * shown[-1, 1] + furthest, furthest)
    scores: dict[tuple[float, float], float] = {}
    for ratio in tried:
        for offset in search.peaks(shown * ratio):
            line = _fitted(starts, onsets, ratio, offset)
            scores[line] = _agreement(starts, onsets, *line)
    enough = max(scores.values()) - _RATIO_PRICE * len(starts)
    likely = {line: score for line, score in scores.items() if score >= enough}
    # where several ratios fit alike they say nearly the same: take the one nearest to 1, and there the best
    chosen = min(likely, key=lambda line: (abs(log(line[0])), -likely[line]))
    return _judged(starts, heard, *_with_drift(starts, onsets, *chosen), n_places)


@dataclass(frozen=True, slots=True)
class _Search:
    """Speech as it is looked at while searching for offsets, ready to be correlated with."""

    spectra: tuple[npt.NDArray[np.complexfloating], ...]
    """Of when someone speaks, and of when speech sets in."""
    n_cells: int
    reach: int
    """Cells that an offset may have."""

    @classmethod
    def of(cls, heard: _Times, last: float, furthest: float) -> "_Search":
        """Prepare for cues up to `last` seconds; offsets up to `furthest` either way."""
        n_cells = 1 << int((last + heard[-1, 1]) / _STEP).bit_length()
        spectra = tuple(np.fft.rfft(cover(heard, n_cells)) for cover in (_presence, _onsets))
        return cls(spectra, n_cells, min(int(furthest / _STEP), n_cells // 2 - 1))

    def peaks(self, shown: _Times) -> list[float]:
        """Offsets, in seconds, at which cues lie best over speech, and at which they best begin with it."""
        lags = np.arange(-self.reach, self.reach + 1)
        offsets: list[float] = []
        for cover, spectrum in zip((_presence, _onsets), self.spectra, strict=True):
            ours = np.fft.rfft(cover(shown, self.n_cells))
            products = np.fft.irfft(np.conj(ours) * spectrum, self.n_cells)
            offsets += (float(lags[peak]) * _STEP for peak in _highest(products[lags], int(_APART / _STEP)))
        return offsets


def _presence(spans: _Times, n_cells: int) -> _Times:
    """1 in every cell that lies in a span, 0 in the others."""
    first, last = (np.clip(np.round(spans / _STEP).astype(int), 0, n_cells - 1)).T
    changes = np.zeros(n_cells)
    np.add.at(changes, first, 1.0)
    np.add.at(changes, last, -1.0)
    present: _Times = (np.cumsum(changes) > 0).astype(np.float64)
    return present


def _onsets(spans: _Times, n_cells: int) -> _Times:
    """A bell over the start of every span."""
    starts = np.clip(np.round(spans[:, 0] / _STEP).astype(int), 0, n_cells - 1)
    ticks = np.zeros(n_cells)
    np.add.at(ticks, starts, 1.0)
    reach = int(4 * _ONSET_SPREAD / _STEP)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _STEP / _ONSET_SPREAD) ** 2)
    return np.convolve(ticks, bell, mode="same")


def _highest(values: _Times, apart: int) -> list[int]:
    """Indices of the highest values, none within `apart` of a higher one."""
    rest = values.copy()
    found = []
    for _ in range(_PEAKS):
        top = int(rest.argmax())
        if not np.isfinite(rest[top]):
            break
        found.append(top)
        rest[max(0, top - apart) : top + apart + 1] = -np.inf
    return found


def _nearest(times: _Times, onsets: _Times) -> _Times:
    """What must be added to each time to reach the onset nearest to it."""
    after = np.clip(np.searchsorted(onsets, times), 1, len(onsets) - 1)
    before_gap, after_gap = onsets[after - 1] - times, onsets[after] - times
    nearest: _Times = np.where(np.abs(before_gap) < np.abs(after_gap), before_gap, after_gap)
    return nearest


def _fitted(starts: _Times, onsets: _Times, ratio: float, offset: float) -> tuple[float, float]:
    """Ratio and offset, the offset moved to where cues begin with speech."""
    offset += _most_agreed(starts * ratio + offset, onsets)
    for reach in _BIWEIGHT:
        gaps = _nearest(starts * ratio + offset, onsets)
        weights = _biweight(gaps, reach)
        if weights.sum() > 0:
            offset += float((weights * gaps).sum() / weights.sum())
    return ratio, offset


def _most_agreed(times: _Times, onsets: _Times) -> float:
    """The move, up to `_AGREE_WITHIN`, that takes most times to an onset."""
    step = _AGREE_SPREAD / 5
    reach = int(_AGREE_WITHIN / step)
    firsts, lasts = (np.searchsorted(onsets, times + side * _AGREE_WITHIN) for side in (-1, 1))
    n_pairs = lasts - firsts
    # every pair of a time and an onset near it: the k-th onset of a time is k after its first
    rank = np.arange(n_pairs.sum()) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs)
    gaps = onsets[np.repeat(firsts, n_pairs) + rank] - np.repeat(times, n_pairs)
    counts = np.bincount(np.clip(np.round(gaps / step).astype(int) + reach, 0, 2 * reach), minlength=2 * reach + 1)
    bell = np.exp(-0.5 * (np.arange(-20, 21) * step / _AGREE_SPREAD) ** 2)
    return float((np.convolve(counts, bell, mode="same").argmax() - reach) * step)


def _biweight(gaps: _Times, reach: float) -> _Times:
    weights: _Times = np.clip(1 - (gaps / reach) ** 2, 0, None) ** 2
    return weights


def _agreement(starts: _Times, onsets: _Times, factor: float, offset: float) -> float:
    """How many cues begin with speech, a near miss counting as part of one."""
    gaps = _nearest(starts * factor + offset, onsets)
    return float(np.exp(-0.5 * (gaps / _SCORE_SPREAD) ** 2).sum())


def _with_drift(starts: _Times, onsets: _Times, factor: float, offset: float) -> tuple[float, float]:
    """Let the factor go where the pairs want it, if they are sure that it is not the one given."""
    line, error = (factor, offset), np.inf
    for reach in _BIWEIGHT:
        gaps = _nearest(starts * line[0] + line[1], onsets)
        weights = _biweight(gaps, reach)
        if np.count_nonzero(weights) < 10:
            return factor, offset
        middle = float((weights * starts).sum() / weights.sum())
        spread = float((weights * (starts - middle) ** 2).sum())
        slope = float((weights * gaps * (starts - middle)).sum() / spread)
        level = float((weights * gaps).sum() / weights.sum())
        error = float(np.sqrt((weights * gaps**2).sum() / weights.sum() / spread))
        line = line[0] + slope, line[1] + level - slope * middle
    return line if abs(line[0] - factor) > _SLOPE_EVIDENCE * error else (factor, offset)


def _judged(starts: _Times, heard: _Times, factor: float, offset: float, n_places: float) -> Fit:
    """Compare the cues that begin with speech with those that would by chance."""
    times = starts * factor + offset
    first, last = heard[0, 0] - 2 * _NEAR, heard[:, 1].max() + 2 * _NEAR
    inside = times[(first <= times) & (times <= last)]
    matched = int((np.abs(_nearest(inside, heard[:, 0])) <= _NEAR).sum())
    gaps = np.minimum(np.diff(heard[:, 0], append=np.inf), 2 * _NEAR)
    chance = min(1.0, float(gaps.sum() / (last - first)))
    confidence = 1 - min(1.0, n_places * _binomial_tail(matched, len(inside), chance))
    return Fit(Retiming(factor, offset * 1000), confidence, len(inside), matched)


def _binomial_tail(least: int, n: int, chance: float) -> float:
    """Probability of at least so many successes in `n` tries."""
    if least <= 0 or chance >= 1:
        return 1.0
    log_p, log_q = log(chance), log(1 - chance)
    terms = (
        lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log_p + (n - k) * log_q for k in range(least, n + 1)
    )
    return min(1.0, sum(map(exp, terms)))
