"""How loud a recording is from one hundredth of a second to the next, and where sound sets in and dies away.

Finer than a detector of speech and knowing nothing of speech: it moves edges that others found to where the
signal has them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE, Samples, Span

STEP = 0.01
"""Seconds from one level to the next."""
_STEP_SAMPLES = round(STEP * SAMPLE_RATE)
_FLATTEN = np.float32(0.95)  # pre-emphasis: voices fall by 6 dB an octave, and consonants begin words
_QUIETEST_DB = -90.0  # of full scale: quieter than 16-bit samples can be
_NEIGHBOURHOOD = 10.0  # seconds in which background and voice are judged
_BACKGROUND, _VOICE = 10, 95  # percentiles of the levels around
_DEEPEST_DB = 45.0  # below the voice nothing is heard of it
_RISE = 0.3  # of the way from background to voice that counts as sound
_LEAST_RISE_DB = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Loudness:
    """Levels of a recording, and which of them are more than its background."""

    levels: npt.NDArray[np.float32]
    """(N,) decibels of full scale, one per `STEP`."""
    is_sound: npt.NDArray[np.bool_]
    """(N,) whether it is well above the background around it."""

    @classmethod
    def of(cls, blocks: Iterable[Samples]) -> "Loudness":
        """Measure a recording, block by block."""
        measured = list(_levels(blocks))
        levels = np.concatenate(measured) if measured else np.zeros(0, np.float32)
        return cls(levels, levels > _thresholds(levels))

    def spans(self, *, min_sound: float = 0.06, min_silence: float = 0.2) -> list[Span]:
        """Stretches of sound; shorter silences are bridged, then shorter sounds dropped."""
        edges = np.flatnonzero(np.diff(self.is_sound, prepend=False, append=False)).reshape(-1, 2)
        spans: list[Span] = []
        for start, end in (edges * STEP).tolist():
            if spans and start - spans[-1].end < min_silence:
                spans[-1] = Span(spans[-1].start, end)
            else:
                spans.append(Span(start, end))
        return [span for span in spans if span.duration >= min_sound]


def _levels(blocks: Iterable[Samples]) -> Iterator[npt.NDArray[np.float32]]:
    """The level of each step; what remains of a block is joined to the next."""
    rest = np.zeros(0, np.float32)
    before = np.zeros(1, np.float32)  # the sample before the rest
    for block in blocks:
        samples = np.concatenate([before, rest, block])
        flat = samples[1:] - _FLATTEN * samples[:-1]
        n_whole = len(flat) // _STEP_SAMPLES * _STEP_SAMPLES
        yield _decibels(flat[:n_whole])
        before, rest = samples[n_whole : n_whole + 1], samples[n_whole + 1 :]


def _decibels(samples: Samples) -> npt.NDArray[np.float32]:
    power = np.square(samples.reshape(-1, _STEP_SAMPLES)).mean(axis=1)
    decibels: npt.NDArray[np.float32] = (10 * np.log10(power + 10 ** (_QUIETEST_DB / 10))).astype(np.float32)
    return decibels


def _thresholds(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N,) the level from which on there is sound, from the levels in the neighbourhood."""
    if not len(levels):
        return levels
    reach, hop = round(_NEIGHBOURHOOD / STEP), round(1 / STEP)
    middles = np.arange(0, len(levels), hop)
    around = [np.percentile(levels[max(0, at - reach) : at + reach], (_BACKGROUND, _VOICE)) for at in middles]
    background, voice = np.array(around).T
    background = np.maximum(background, voice - _DEEPEST_DB)
    thresholds = background + np.maximum(_RISE * (voice - background), _LEAST_RISE_DB)
    smooth: npt.NDArray[np.float32] = np.interp(np.arange(len(levels)), middles, thresholds).astype(np.float32)
    return smooth
