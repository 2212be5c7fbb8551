"""One straight line from old times to new ones, for a whole file: where it could lie, and where exactly.

1. *Where could it lie?* For every ratio of the usual frame rates, the time that captions are on screen is laid over
   the time that someone speaks, at every offset at once, by cross-correlating the two as functions of 0 and 1 through
   the FFT (as ffsubsync does; in general Knapp and Carter 1976, doi:10.1109/TASSP.1976.1162830). The same is done
   with the moments at which captions appear and speech sets in. The highest peaks of both are kept.
2. *Where does it lie exactly?* Captions linger after the speech but appear with it, so only starts are measured. At
   each peak the offset is first set to where most pairs (start of a cue, onset of speech) agree, and then fitted by
   reweighted least squares with Tukey's biweight, which listens to near pairs and not to the rest (Holland and Welsch
   1977, doi:10.1080/03610927708827533).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from subwhisper.subtitles.sync_evidence import BIWEIGHT, Times, biweight, hits, nearest, settled

_STEP = 0.04  # seconds of one cell while looking for peaks
_ONSET_SPREAD = 0.1  # seconds of standard deviation that an onset has in that search
_PEAKS = 5  # kept per ratio and kind
_APART = 1.0  # seconds between two peaks
_AGREE_WITHIN = 1.5  # seconds around a peak in which pairs are looked at
_AGREE_SPREAD = 0.05  # seconds, standard deviation
RATIO_PRICE = 0.02
"""Share of the cues: a rarer ratio must place so many more of them."""
_SLOPE_EVIDENCE = 5.0  # standard errors by which a drift that no two frame rates explain must differ from theirs


@dataclass(frozen=True, slots=True)
class Line:
    """New time = ratio * old time + offset, in seconds."""

    ratio: float
    offset: float

    def __call__(self, times: Times) -> Times:
        return times * self.ratio + self.offset


def best_line(shown: Times, heard: Times, ratios: Sequence[float], furthest: float) -> Line:
    """The line that takes most cues to the speech they belong to.

    Args:
        shown: (n, 2) start and end of each cue.
        heard: (n, 2) start and end of each stretch of speech.
        ratios: tried.
        furthest: seconds that a cue may be from its place, beyond what stretching explains.
    """
    starts, onsets = shown[:, 0], heard[:, 0]
    search = _Search.of(heard, max(ratios) * shown[-1, 1] + furthest, furthest)
    scores: dict[Line, float] = {}
    for ratio in ratios:
        for offset in search.peaks(shown * ratio):
            line = _fitted(starts, onsets, Line(ratio, offset))
            scores[line] = float(hits(line(starts), onsets).sum())
    enough = max(scores.values()) - RATIO_PRICE * len(starts)
    likely = {line: score for line, score in scores.items() if score >= enough}
    # where several ratios fit alike they say nearly the same: take the one nearest to 1, and there the best
    chosen = min(likely, key=lambda line: (abs(log(line.ratio)), -likely[line]))
    return _with_drift(starts, onsets, chosen)


@dataclass(frozen=True, slots=True)
class _Search:
    """Speech as it is looked at while searching for offsets, ready to be correlated with."""

    spectra: tuple[npt.NDArray[np.complexfloating], ...]
    """Of when someone speaks, and of when speech sets in."""
    n_cells: int
    reach: int
    """Cells that an offset may have."""

    @classmethod
    def of(cls, heard: Times, last: float, furthest: float) -> "_Search":
        """Prepare for cues up to `last` seconds; offsets up to `furthest` either way."""
        n_cells = 1 << int((last + heard[-1, 1]) / _STEP).bit_length()
        spectra = tuple(np.fft.rfft(cover(heard, n_cells)) for cover in (_presence, _onsets))
        return cls(spectra, n_cells, min(int(furthest / _STEP), n_cells // 2 - 1))

    def peaks(self, shown: Times) -> list[float]:
        """Offsets, in seconds, at which cues lie best over speech, and at which they best begin with it."""
        lags = np.arange(-self.reach, self.reach + 1)
        offsets: list[float] = []
        for cover, spectrum in zip((_presence, _onsets), self.spectra, strict=True):
            ours = np.fft.rfft(cover(shown, self.n_cells))
            products = np.fft.irfft(np.conj(ours) * spectrum, self.n_cells)
            offsets += (float(lags[peak]) * _STEP for peak in _highest(products[lags], int(_APART / _STEP)))
        return offsets


def _presence(spans: Times, n_cells: int) -> Times:
    """1 in every cell that lies in a span, 0 in the others."""
    first, last = (np.clip(np.round(spans / _STEP).astype(int), 0, n_cells - 1)).T
    changes = np.zeros(n_cells)
    np.add.at(changes, first, 1.0)
    np.add.at(changes, last, -1.0)
    present: Times = (np.cumsum(changes) > 0).astype(np.float64)
    return present


def _onsets(spans: Times, n_cells: int) -> Times:
    """A bell over the start of every span."""
    starts = np.clip(np.round(spans[:, 0] / _STEP).astype(int), 0, n_cells - 1)
    ticks = np.zeros(n_cells)
    np.add.at(ticks, starts, 1.0)
    reach = int(4 * _ONSET_SPREAD / _STEP)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _STEP / _ONSET_SPREAD) ** 2)
    return np.convolve(ticks, bell, mode="same")


def _highest(values: Times, apart: int) -> list[int]:
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


def _fitted(starts: Times, onsets: Times, line: Line) -> Line:
    """The line moved to where cues begin with speech."""
    times = line(starts)
    near = _most_agreed(times, onsets)
    return Line(line.ratio, line.offset + near + settled(times + near, onsets))


def _most_agreed(times: Times, onsets: Times) -> float:
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


def _with_drift(starts: Times, onsets: Times, given: Line) -> Line:
    """Let the factor go where the pairs want it, if they are sure that it is not the one given."""
    line, error = given, np.inf
    for reach in BIWEIGHT:
        gaps = nearest(line(starts), onsets)
        weights = biweight(gaps, reach)
        if np.count_nonzero(weights) < 10:
            return given
        middle = float((weights * starts).sum() / weights.sum())
        spread = float((weights * (starts - middle) ** 2).sum())
        slope = float((weights * gaps * (starts - middle)).sum() / spread)
        level = float((weights * gaps).sum() / weights.sum())
        error = float(np.sqrt((weights * gaps**2).sum() / weights.sum() / spread))
        line = Line(line.ratio + slope, line.offset + level - slope * middle)
    return line if abs(line.ratio - given.ratio) > _SLOPE_EVIDENCE * error else given
