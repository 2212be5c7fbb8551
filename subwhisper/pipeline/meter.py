"""How far a batch is, and how long the rest will take.

Work is measured in seconds of sound. What a recording holds is known when it has been opened; before, it is reckoned
from its size and from recordings of the same kind. The pace is that of this very batch: as long as nothing has been
done there is none, and no time is promised.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from subwhisper.pipeline.plan import Planned, name_of

_LEAST_WORK = 10.0
"""Seconds of work after which the pace is believed."""


@dataclass
class LengthGuess:
    """Reckons how long a recording is from its size, once some of its kind are known."""

    _known: dict[str, tuple[float, int]] = field(default_factory=lambda: defaultdict(lambda: (0.0, 0)))

    def learn(self, path: Path, n_bytes: int, seconds: float) -> None:
        for kind in (path.suffix.lower(), ""):
            total, size = self._known[kind]
            self._known[kind] = (total + seconds, size + n_bytes)

    def seconds(self, path: Path, n_bytes: int) -> float | None:
        for kind in (path.suffix.lower(), ""):
            total, size = self._known.get(kind, (0.0, 0))
            if size:
                return total * n_bytes / size
        return None


def survey(
    planned: Sequence[Planned], guess: LengthGuess, probe: Callable[[Path], float | None], budget: float
) -> None:
    """Look into a few recordings, spread over all of them, for `budget` seconds at most."""
    ends = time.monotonic() + budget
    n = len(planned)
    order = sorted(range(n), key=lambda index: (index * 2654435761) % (1 << 32))  # spread, and the same every time
    for index in order:
        one = planned[index]
        if one.source.path and (seconds := probe(one.source.path)):
            guess.learn(one.source.path, one.n_bytes, seconds)
        if time.monotonic() > ends:
            return


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Where a batch stands."""

    n_settled: int
    n_files: int
    done: float
    """Seconds of sound, parts of recordings included."""
    total: float | None
    """Seconds of sound; `None` when nobody knows."""
    remaining: float | None
    """Seconds of waiting; `None` while it cannot be said honestly."""


class Meter:
    """Hears what happens in a batch and knows how far it is."""

    def __init__(self, planned: Iterable[Planned], guess: LengthGuess) -> None:
        self._guess = guess
        self._open = {name_of(one.source): one for one in planned}
        self._n_files = len(self._open)
        self._known: dict[str, float] = {}
        self._at: dict[str, float] = {}
        self._settled_seconds = 0.0
        self._started = time.monotonic()
        self._heard = 0.0
        """Seconds of sound that were worked on, and not found in the journal."""

    def opened(self, name: str, duration: float) -> None:
        self._known[name] = duration
        if (one := self._open.get(name)) and one.source.path:
            self._guess.learn(one.source.path, one.n_bytes, duration)

    def at(self, name: str, position: float, duration: float | None) -> None:
        """A recording has been read so far."""
        if duration is not None and name not in self._known:
            self.opened(name, duration)
        self._heard += max(0.0, position - self._at.get(name, 0.0))
        self._at[name] = position

    def settled(self, name: str, duration: float | None) -> None:
        one = self._open.pop(name, None)
        if one is None:
            return
        self._at.pop(name, None)
        self._settled_seconds += duration if duration is not None else self._length(name, one) or 0.0

    def progress(self) -> BatchProgress:
        lengths = [self._length(name, one) for name, one in self._open.items()]
        known = [length for length in lengths if length is not None]
        done = self._settled_seconds + sum(self._at.values())
        total = self._settled_seconds + sum(known) if len(known) == len(lengths) else None
        return BatchProgress(self._n_files - len(self._open), self._n_files, done, total, self._remaining(done, total))

    def _length(self, name: str, one: Planned) -> float | None:
        if name in self._known:
            return self._known[name]
        return self._guess.seconds(one.source.path, one.n_bytes) if one.source.path else None

    def _remaining(self, done: float, total: float | None) -> float | None:
        worked = time.monotonic() - self._started
        if total is None or worked < _LEAST_WORK or self._heard <= 0:
            return None
        return max(0.0, total - done) * worked / self._heard
