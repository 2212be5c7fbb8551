"""Samples to log-mel frames, whole or as a stream.

A frame is 25 ms of sound every 10 ms, seen through triangular filters on Slaney's mel scale
(Slaney 1998, Auditory Toolbox, report 1998-010), as the base-10 logarithm of power. Frames are then
limited to the loudest one of the whole recording minus 8 (80 dB) and scaled: (x + 4) / 4.
That maximum is why a long recording is read twice: once for it, once for the windows. The frames of a shorter one are
kept from the first time.

Shapes: M mel bins, F frames, N samples.
"""

from collections import deque
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from subwhisper.audio import SAMPLE_RATE, AudioSource, Samples
from subwhisper.model.pages import paged

N_FFT = 400
HOP = 160
FRAMES_PER_SECOND = SAMPLE_RATE // HOP
FLOOR = -10.0
"""log10 of the smallest power told apart from silence."""
DYNAMIC_RANGE = 8.0
"""Powers of ten kept below the maximum."""
KEPT_SECONDS = 20 * 60
"""Longest recording whose frames are kept: 38 MB with 80 mel bins."""
CPU = torch.device("cpu")
_AT_ONCE = 1000
"""Frames of a stream that are reckoned together: a processor gains nothing from more, and their spectra are large."""

_BREAK_HZ, _BREAK_MEL, _LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27.0


def _mel_to_hz(mels: np.ndarray) -> np.ndarray:
    """Linear up to 1 kHz (15 mel), logarithmic above."""
    linear = mels * (_BREAK_HZ / _BREAK_MEL)
    return np.where(mels >= _BREAK_MEL, _BREAK_HZ * np.exp(_LOG_STEP * (mels - _BREAK_MEL)), linear)


def _edges(n_mels: int) -> np.ndarray:
    """(M + 2,) Hz at which the triangles begin, are highest and end."""
    top = _BREAK_MEL + np.log(SAMPLE_RATE / 2 / _BREAK_HZ) / _LOG_STEP
    return _mel_to_hz(np.linspace(0.0, top, n_mels + 2))


def mel_centres(n_mels: int) -> np.ndarray:
    """(M,) Hz in the middle of each mel bin."""
    return _edges(n_mels)[1:-1]


@lru_cache(maxsize=4)
def mel_filters(n_mels: int) -> Tensor:
    """(M, N_FFT / 2 + 1) triangles of equal area over the power spectrum, 0 to 8 kHz."""
    edges = _edges(n_mels)
    bins = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return torch.from_numpy(triangles.astype(np.float32))


def _log_power(padded: Tensor, n_mels: int) -> Tensor:
    """Log-mel power of every whole frame, (N,) -> (M, (N - 400) / 160 + 1); nothing is padded here."""
    window = torch.hann_window(N_FFT, device=padded.device)
    spectrum = torch.stft(padded, N_FFT, HOP, window=window, center=False, return_complex=True)
    power = mel_filters(n_mels).to(padded.device) @ spectrum.abs() ** 2
    return power.clamp(min=10.0**FLOOR).log10()


def _kept_log_power(samples: Samples, n_mels: int, device: torch.device) -> Tensor:
    """The same of samples that have just been read, part by part, to be kept for a while by the processor."""
    padded = torch.from_numpy(samples)
    n_frames = (len(padded) - N_FFT) // HOP + 1
    log_power = paged((n_mels, n_frames), torch.float32)
    for first in range(0, n_frames, _AT_ONCE):
        end = min(first + _AT_ONCE, n_frames)
        log_power[:, first:end] = _reckoned(padded[first * HOP : (end - 1) * HOP + N_FFT], n_mels, device)
    return log_power


def _reckoned(padded: Tensor, n_mels: int, device: torch.device) -> Tensor:
    """The same, on a device if it has room."""
    if device != CPU:
        with suppress(RuntimeError):  # a card that is full says it in many ways, and the processor can do it, too
            return _log_power(padded.to(device), n_mels).cpu()
    return _log_power(padded, n_mels)


def _scaled(log_power: Tensor, maximum: float | Tensor) -> Tensor:
    limited = torch.maximum(log_power, torch.as_tensor(maximum, device=log_power.device) - DYNAMIC_RANGE)
    return (limited + 4.0) / 4.0


def log_mel(samples: Tensor, n_mels: int) -> Tensor:
    """Features of a recording held in memory, (N,) -> (M, N // 160).

    Frames are centred on multiples of 10 ms; the ends are mirrored.
    """
    half = N_FFT // 2
    padded = torch.nn.functional.pad(samples[None], (half, half), mode="reflect")[0]
    log_power = _log_power(padded, n_mels)[:, : len(samples) // HOP]
    return _scaled(log_power, log_power.max())


@dataclass(frozen=True, slots=True)
class MelSurvey:
    """What must be known of a whole recording before its first window."""

    n_frames: int
    """Whole frames of sound; the silence that fills the last window is not counted."""
    maximum: float
    """Largest log10 power of any frame."""
    kept: tuple[Tensor, ...] | None = field(default=None, repr=False, compare=False)
    """Log powers of all frames, one piece behind the other, of a recording that is short enough."""
    device: torch.device = field(default=CPU, compare=False)
    """Where frames are reckoned."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.n_frames / FRAMES_PER_SECOND


def _stream(source: AudioSource, n_mels: int, device: torch.device) -> Generator[tuple[Tensor, int], None, None]:
    """Log powers of a recording followed by silence, with the number of samples read so far.

    The last piece holds the frames that reach past the end; behind them every frame is `FLOOR`.
    """
    half = N_FFT // 2
    rest, n_samples, started = np.zeros(0, np.float32), 0, False
    for block in source.blocks():
        n_samples += len(block)
        rest = np.concatenate([rest, block])
        if not started and len(rest) > half:
            rest = np.concatenate([rest[half:0:-1], rest])  # mirrored, as in `log_mel`
            started = True
        n_ready = (len(rest) - N_FFT) // HOP + 1 if started else 0
        if n_ready > 0:
            yield _kept_log_power(rest[: (n_ready - 1) * HOP + N_FFT], n_mels, device), n_samples
            rest = rest[n_ready * HOP :]
    if n_samples:
        silent = np.zeros(2 * N_FFT, np.float32)
        if not started:  # shorter than half a frame: the silence behind it is mirrored with it
            longer = np.concatenate([rest, silent])
            rest = np.concatenate([longer[half:0:-1], rest])
        tail = np.concatenate([rest, silent])
        yield _kept_log_power(tail, n_mels, device), n_samples


def survey(source: AudioSource, n_mels: int, device: torch.device = CPU) -> MelSurvey:
    """Read a recording once for its length and its loudest frame.

    Args:
        source: the recording.
        n_mels: mel bins of the model.
        device: where the model is; frames are reckoned there if it is a CUDA device, else on the processor.
    """
    device = device if device.type == "cuda" else CPU
    maximum, n_samples = FLOOR, 0
    pieces: list[Tensor] = []
    for log_power, n_read in _stream(source, n_mels, device):
        maximum, n_samples = max(maximum, float(log_power.max())), n_read
        if n_read <= KEPT_SECONDS * SAMPLE_RATE:
            pieces.append(log_power)
        else:
            pieces.clear()
    return MelSurvey(n_samples // HOP, maximum, tuple(pieces) or None, device)


class MelReader:
    """Windows of a recording, read forwards; what lies far behind is forgotten, so memory stays flat.

    A window that begins before what is still known makes it read again from the start.
    """

    def __init__(self, source: AudioSource, n_mels: int, surveyed: MelSurvey, *, behind: int = 0) -> None:
        """Open a recording; `behind` frames before the start of a window stay at hand."""
        self._source, self._n_mels, self._survey, self._behind = source, n_mels, surveyed, behind
        self._rewind()

    def window(self, first: int, n_frames: int) -> Tensor:
        """Frames `first` to `first + n_frames`, (M, n_frames) float32; silence past the end."""
        if first < self._held_from:
            self._rewind()
        while self._held_to < first + n_frames and (piece := self._next()) is not None:
            self._held.append(piece)
            self._held_to += piece.shape[1]
            self._forget(first - self._behind)
        held, at = [torch.empty(self._n_mels, 0)], self._held_from
        for piece_held in self._held:
            held.append(piece_held[:, max(0, first - at) : max(0, first + n_frames - at)])
            at += piece_held.shape[1]
        found = torch.cat(held, dim=1)
        filled = torch.nn.functional.pad(found, (0, n_frames - found.shape[1]), value=FLOOR)
        return _scaled(filled, self._survey.maximum)

    def _next(self) -> Tensor | None:
        """The next piece; after a failure (of memory, say) whoever tries again reads from the start."""
        try:
            return next(self._pieces, None)
        except Exception:
            self._rewind()  # a generator that has failed would give nothing more, as at the end of a recording
            raise

    def close(self) -> None:
        """Stop reading; whatever decodes the recording ends now and not when Python does."""
        self._pieces.close()

    def _read(self) -> Generator[Tensor, None, None]:
        if self._survey.kept is not None:
            yield from self._survey.kept
            return
        with closing(_stream(self._source, self._n_mels, self._survey.device)) as stream:
            for log_power, _ in stream:
                yield log_power

    def _forget(self, before: int) -> None:
        while self._held and self._held_from + self._held[0].shape[1] <= before:
            self._held_from += self._held.popleft().shape[1]

    def _rewind(self) -> None:
        self._pieces = self._read()
        self._held: deque[Tensor] = deque()
        self._held_from = self._held_to = 0
