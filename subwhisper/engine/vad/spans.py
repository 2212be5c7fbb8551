"""Probabilities of speech to spans: a state machine that knows nothing of sound."""

from collections.abc import Iterable
from itertools import repeat
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from subwhisper.audio import Span
from subwhisper.engine.options import VadOptions
from subwhisper.engine.vad.detector import FRAME_SECONDS

_Heard: TypeAlias = tuple[float, float]  # probability and loudness of a frame


class SpanMaker:
    """Probabilities to spans, frame by frame.

    Speech begins where the probability reaches the threshold, and ends where it falls below the lower one
    for long enough; each end is then moved outwards by a pad that never reaches into the neighbour. A span
    that grows too long is cut in the last deep pause of its second half or, without one, where it is quietest.
    """

    def __init__(self, options: VadOptions, *, longest: float | None = None) -> None:
        """Begin a recording.

        Args:
            options: thresholds and durations.
            longest: seconds a span may last, as well as the limit in the options.
        """
        limits = [limit for limit in (options.max_speech_duration_s, longest) if limit is not None]
        self._enter, self._leave = options.threshold, options.leave_threshold
        self._min_speech = options.min_speech_duration_ms / 1000
        self._min_silence = options.min_silence_duration_ms / 1000
        self._longest = min(limits, default=None)
        self._pad = min([options.speech_pad_ms / 1000, *(limit / 4 for limit in limits)])  # half for what is said
        self._n_heard = 0
        self._first: int | None = None  # frame at which the open span begins
        self._silent_from: int | None = None  # frame at which the pause in it begins
        self._inside: list[_Heard] = []  # frames of the open span
        self._is_cut = False  # the open span goes on from a cut
        self._last_end = 0.0  # seconds; of the span before, with its pad

    @property
    def open_since(self) -> float | None:
        """Seconds at which the span that is not yet finished begins."""
        return None if self._first is None else self._start()

    def add(self, probabilities: Iterable[float], levels: Iterable[float] | None = None) -> list[Span]:
        """Take in the next frames, with their loudness in any unit; return the spans that they finish."""
        frames = (
            zip(probabilities, repeat(0.0), strict=False) if levels is None else zip(probabilities, levels, strict=True)
        )
        return [span for heard in frames if (span := self._step(heard)) is not None]

    def finish(self, duration: float) -> list[Span]:
        """End the recording, which lasts this many seconds."""
        if self._first is None:
            return []
        end = self._n_heard if self._silent_from is None else self._silent_from
        span = self._close(end, self._pad)
        return [Span(min(span.start, duration), min(span.end, duration))] if span else []

    def _step(self, heard: "_Heard") -> Span | None:
        frame, probability = self._n_heard, heard[0]
        self._n_heard += 1
        if self._first is None:
            if probability >= self._enter:
                self._first, self._silent_from, self._inside = frame, None, [heard]
            return None
        if self._longest is not None:
            self._inside.append(heard)
        if probability >= self._enter:
            self._silent_from = None
        elif probability < self._leave and self._silent_from is None:
            self._silent_from = frame
        return self._ended(frame + 1) or self._grown_too_long(frame + 1)

    def _ended(self, now: int) -> Span | None:
        if self._silent_from is None or (now - self._silent_from) * FRAME_SECONDS < self._min_silence:
            return None
        return self._close(self._silent_from, min(self._pad, self._min_silence / 2))

    def _grown_too_long(self, now: int) -> Span | None:
        if self._longest is None or self._first is None:
            return None
        if now * FRAME_SECONDS + self._pad - self._start() < self._longest:
            return None
        cut = self._first + _best_cut(np.array(self._inside, np.float32), self._leave)
        rest, silent_from = self._inside[cut - self._first :], self._silent_from
        span = self._close(cut, 0.0, is_cut=True)
        self._first, self._is_cut, self._inside = cut, True, rest
        self._silent_from = max(cut, silent_from) if silent_from is not None else None
        return span

    def _start(self) -> float:
        """Seconds at which the open span begins, with its pad."""
        assert self._first is not None
        first = self._first * FRAME_SECONDS
        return first if self._is_cut else max(self._last_end, first - self._pad, 0.0)

    def _close(self, end: int, pad: float, *, is_cut: bool = False) -> Span | None:
        assert self._first is not None
        start = self._start()
        span = Span(round(start, 6), round(max(start, end * FRAME_SECONDS + pad), 6))  # 0.208, not 0.20799999999999996
        is_long_enough = (end - self._first) * FRAME_SECONDS >= self._min_speech or self._is_cut or is_cut
        self._first, self._silent_from, self._inside, self._is_cut = None, None, [], False
        if not is_long_enough or span.duration == 0:
            return None
        self._last_end = span.end
        return span


_PAUSE = 7  # frames over which a pause is judged: a quarter of a second
_AS_DEEP = 0.05  # of two pauses that differ by less, the later one is taken
_BREATH = 3  # frames over which loudness is judged: a tenth of a second


def _best_cut(inside: npt.NDArray[np.float32], pause_below: float) -> int:
    """Index of the frame in the second half at which a cut hurts least.

    Args:
        inside: (N, 2) probability and loudness of the frames of a span.
        pause_below: a mean probability that tells of a pause.
    """
    half = len(inside) // 2
    end = max(half + 1, len(inside) - _PAUSE // 2)  # around the last frames not everything is known
    mean = _smoothed(inside[:, 0], _PAUSE)[half:end]
    if mean.min() < pause_below:
        return half + int(np.flatnonzero(mean <= mean.min() + _AS_DEEP)[-1])
    loudness = _smoothed(inside[:, 1], _BREATH)[half:end]
    return half + int(np.flatnonzero(loudness == loudness.min())[-1])


def _smoothed(values: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float32]:
    """Means over `width` values around each, (N,) -> (N,); what lies outside counts as 0."""
    before = (width - 1) // 2
    padded = np.pad(values, (width - 1 - before, before))
    return np.convolve(padded, np.full(width, 1 / width, np.float32), mode="valid")
