"""Sound and stretches of it. NumPy only.

Everything above works on mono float32 at 16 kHz: the rate Whisper was trained at.
A source can be read more than once, block by block, so that a ten-hour file
needs no more memory than a ten-minute one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
"""Samples per second of everything inside subwhisper."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a recording, in seconds."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not self.start <= self.end:  # also refuses NaN
            raise ValueError(f"a span must not end before it starts, got {self.start} to {self.end}")

    @property
    def duration(self) -> float:
        return self.end - self.start

    def shifted(self, seconds: float) -> "Span":
        return Span(self.start + seconds, self.end + seconds)

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def clipped(self, bounds: "Span") -> "Span":
        """The part inside `bounds`; empty at the nearer edge where there is none."""
        start = min(max(self.start, bounds.start), bounds.end)
        return Span(start, max(start, min(self.end, bounds.end)))


class AudioSource(Protocol):
    """Sound that can be read from the start as often as needed."""

    def blocks(self) -> Iterator[Samples]:
        """Yield mono float32 samples at 16 kHz, in order; blocks may differ in length."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """A recording held in memory."""

    samples: Samples
    """Mono, float32, within [-1, 1]."""
    sample_rate: int = SAMPLE_RATE

    def __post_init__(self) -> None:
        if self.samples.ndim != 1:
            raise ValueError(f"samples must be one row (mono), got shape {self.samples.shape}")
        if self.sample_rate != SAMPLE_RATE:
            raise ValueError(f"audio must be at {SAMPLE_RATE} Hz, got {self.sample_rate}; resample it first")

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.sample_rate

    def clip(self, span: Span) -> "Audio":
        """The part inside `span`, sharing memory with this one."""
        first, last = (max(0, round(t * self.sample_rate)) for t in (span.start, span.end))
        return Audio(self.samples[first:last], self.sample_rate)

    def blocks(self) -> Iterator[Samples]:
        yield self.samples


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a recording; what lies behind is not read."""

    source: AudioSource
    n_samples: int

    def blocks(self) -> Iterator[Samples]:
        """As the recording's own, up to `n_samples`."""
        left = self.n_samples
        for block in self.source.blocks():
            yield block[:left]
            left -= len(block)
            if left <= 0:
                return
