"""How probable speech is, frame by frame.

Shapes: N frames of 512 samples (32 ms).
"""

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE

FRAME_SAMPLES = 512
FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE

Frames: TypeAlias = npt.NDArray[np.float32]
"""(N, 512) samples."""
Probabilities: TypeAlias = npt.NDArray[np.float32]
"""(N,) of speech, 0 to 1."""


class SpeechDetector(Protocol):
    """Tells how probable speech is; one object per recording.

    To add a detector: write a class with this method, name it in `options.DetectorName` and in `listener.detector`.
    """

    def probabilities(self, frames: Frames) -> Probabilities:
        """Judge the frames that follow those given before."""
        ...


class Everything:
    """Takes everything for speech, for those who want no detector."""

    def probabilities(self, frames: Frames) -> Probabilities:
        return np.ones(len(frames), np.float32)


class EnergyDetector:
    """Takes for speech what rises above the background: it misses little and believes much.

    The level is that of 250 to 4000 Hz, where voices are strong and rumble is not; the background is the
    quietest moment of the last seconds (minimum statistics: Martin 2001, doi:10.1109/89.928915, without its
    bias correction). Noise that does not change is background, however loud; music and barking are not.
    """

    def __init__(self, *, margin_db: float = 9.0) -> None:
        """Ask for this many decibels above the background at a probability of one half."""
        self._margin = margin_db
        self._past: npt.NDArray[np.float32] = np.zeros(0, np.float32)

    def probabilities(self, frames: Frames) -> Probabilities:
        if not len(frames):
            return np.zeros(0, np.float32)
        levels = levels_db(frames)
        background = self._background(levels)
        rise = np.where(levels > _SILENT_DB, levels - background, 0.0)
        with np.errstate(over="ignore"):
            return (1.0 / (1.0 + np.exp((self._margin - rise) / _SOFTNESS_DB))).astype(np.float32)

    def _background(self, levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The lowest of each frame and those in the seconds before it; at the very start, of those after it."""
        if not len(self._past):
            self._past = np.full(_MEMORY - 1, levels[:_MEMORY].min(), np.float32)
        known = np.concatenate([self._past, levels])
        self._past = known[-_MEMORY + 1 :].copy()
        lowest: npt.NDArray[np.float32] = np.lib.stride_tricks.sliding_window_view(known, _MEMORY).min(axis=1)
        return lowest


_MEMORY = round(8.0 / FRAME_SECONDS)  # frames; people pause for breath more often than this
_SILENT_DB = -65.0  # of full scale: below it nothing counts as sound
_SOFTNESS_DB = 2.0
_AT_ONCE = 64  # frames: their spectra, double precision, then stay in the processor's cache
_BAND = slice(round(250 * FRAME_SECONDS), round(4000 * FRAME_SECONDS))  # bins of the spectrum of a frame


def levels_db(frames: Frames) -> npt.NDArray[np.float32]:
    """Decibels of full scale in the band of voices, (N, 512) -> (N,)."""
    some = (frames[first : first + _AT_ONCE] for first in range(0, len(frames), _AT_ONCE))
    return np.concatenate([np.zeros(0, np.float32), *map(_levels_db, some)])


def _levels_db(frames: Frames) -> npt.NDArray[np.float32]:
    spectrum = np.fft.rfft(frames * np.hanning(FRAME_SAMPLES).astype(np.float32), axis=1)[:, _BAND]
    power = (spectrum.real**2 + spectrum.imag**2).sum(axis=1) / FRAME_SAMPLES**2
    decibels: npt.NDArray[np.float32] = (10 * np.log10(power + 1e-12)).astype(np.float32)
    return decibels
