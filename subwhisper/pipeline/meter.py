"""How far a batch is, and how long the rest will take.

Work is measured in seconds of sound. What a recording holds is known when it has been opened; before, it is reckoned
from its size and from recordings of the same kind. The pace is that of this very batch: as long as nothing has been
done there is none, and no time is promised.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from subwhisper.pipeline.plan import Planned, name_of

_LEAST_WORK = 5.0
"""Seconds of work after which the pace is believed."""
_ADDRESS = "url"
"""The kind of what has no size."""


def kind_of(one: Planned) -> str:
    """What recordings of about the same number of bytes per second have in common."""
    return one.source.path.suffix.lower() if one.source.path else _ADDRESS


@dataclass
class LengthGuess:
    """Reckons how long recordings are from their size, once some of their kind are known."""

    _known: dict[str, tuple[float, int]] = field(default_factory=dict)

    def learn(self, one: Planned, seconds: float) -> None:
        for kind in (kind_of(one), ""):
            total, size = self._known.get(kind, (0.0, 0))
            self._known[kind] = (total + seconds, size + one.n_bytes)

    def seconds(self, kind: str, n_bytes: int) -> float | None:
        """Of all recordings of one kind together."""
        if kind == _ADDRESS:
            return None
        for known in (kind, ""):
            total, size = self._known.get(known, (0.0, 0))
            if size:
                return total * n_bytes / size
        return None

    def total(self, n_bytes: Mapping[str, int]) -> float | None:
        """Of all recordings, from the bytes of each kind; `None` if some cannot be reckoned."""
        lengths = [self.seconds(kind, size) for kind, size in n_bytes.items()]
        known = [length for length in lengths if length is not None]
        return sum(known) if len(known) == len(lengths) else None


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
            guess.learn(one, seconds)
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
    """Hears what happens in a batch and knows how far it is, in a time that does not depend on how large it is."""

    def __init__(self, planned: Iterable[Planned], guess: LengthGuess) -> None:
        self._guess = guess
        self._open = {name_of(one.source): one for one in planned}
        self._n_files = len(self._open)
        self._unopened = Counter[str]()
        """Kind -> bytes of what nobody has opened yet."""
        self._n_unopened = Counter(map(kind_of, self._open.values()))
        for one in self._open.values():
            self._unopened[kind_of(one)] += one.n_bytes
        self._known: dict[str, float] = {}
        """Seconds of what has been opened and is not settled."""
        self._at: dict[str, float] = {}
        self._settled_seconds = 0.0
        self._started: float | None = None
        """When the first worker was heard of: what it takes to get ready is no part of the pace."""
        self._heard = 0.0
        """Seconds of sound that were worked on since, and not found in the journal."""

    def at(self, name: str, position: float, duration: float | None) -> None:
        """A recording has been read so far."""
        if name not in self._open:
            return
        if duration is not None and name not in self._known:
            self._known[name] = duration
            self._guess.learn(self._open[name], duration)
            self._forget(self._open[name])
        if self._started is None:
            self._started = time.monotonic()
        else:
            self._heard += max(0.0, position - self._at.get(name, 0.0))
        self._at[name] = position

    def settled(self, name: str, duration: float | None) -> None:
        """Nothing more is to be done about a recording; its sound may never have been opened."""
        one = self._open.pop(name, None)
        if one is None:
            return
        self._at.pop(name, None)
        length = self._known.pop(name, None)
        if length is None:
            self._forget(one)
            length = self._guess.seconds(kind_of(one), one.n_bytes)
        self._settled_seconds += (duration if duration is not None else length) or 0.0

    def progress(self) -> BatchProgress:
        done = self._settled_seconds + sum(self._at.values())
        unopened = self._guess.total(self._unopened)
        total = None if unopened is None else self._settled_seconds + sum(self._known.values()) + unopened
        return BatchProgress(self._n_files - len(self._open), self._n_files, done, total, self._remaining(done, total))

    def _forget(self, one: Planned) -> None:
        """Leave a recording out of what is still to be opened."""
        kind = kind_of(one)
        self._unopened[kind] -= one.n_bytes
        self._n_unopened[kind] -= 1
        if not self._n_unopened[kind]:
            del self._unopened[kind]

    def _remaining(self, done: float, total: float | None) -> float | None:
        worked = 0.0 if self._started is None else time.monotonic() - self._started
        if total is None or worked < _LEAST_WORK or self._heard <= 0:
            return None
        return max(0.0, total - done) * worked / self._heard
