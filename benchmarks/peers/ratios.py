"""Ours over theirs, round by round, beside what was promised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.peers.engines.work import NATURAL
from benchmarks.peers.results import Results, Round

_INT8 = ("faster-whisper", "faster-whisper-avx512")
_TOLERANCE = 1.05
"""How much worse a median must be before anyone speaks of it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a ratio of times (ours over theirs) must be, and should be."""

    must: float
    stretch: float


PROMISES = {
    **{("batched-8", peer): Promise(0.65, 0.50) for peer in _INT8},
    **{("sequential", peer): Promise(0.80, 0.65) for peer in (*_INT8, "whisper.cpp")},
    **{("encoder", peer): Promise(0.70, 0.60) for peer in _INT8},
    **{("beam-5", peer): Promise(0.85, 0.70) for peer in _INT8},
    **{("words", peer): Promise(1.0, 0.80) for peer in _INT8},
    **{("memory", peer): Promise(1.0, 0.80) for peer in _INT8},
    ("greedy-1", "whisper.cpp"): Promise(1.4, 1.0),
    ("sequential", "openai-whisper"): Promise(0.20, 0.12),
}
"""(stage, peer) -> limits."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One cell: a stage of a size against a peer."""

    size: str
    stage: str
    peer: str
    ours: float
    """Median of ours, in the stage's unit."""
    theirs: float
    ratios: tuple[float, ...]
    """One per round, smallest first."""
    same_work: bool
    """Whether both did as much, as far as that is to be expected."""

    is_calm: bool
    """Whether the machine did little else."""

    @property
    def middle(self) -> float:
        return median(self.ratios)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The half in the middle; all of it where there are fewer than four rounds."""
        if len(self.ratios) < 4:
            return self.ratios[0], self.ratios[-1]
        lower, _, upper = quantiles(self.ratios, n=4, method="inclusive")
        return lower, upper

    @property
    def promise(self) -> Promise | None:
        return PROMISES.get((self.stage, self.peer))

    @property
    def verdict(self) -> str:
        if self.promise is None:
            return ""
        if self.middle <= self.promise.stretch:
            return "stretch"
        return "met" if self.middle <= self.promise.must else "short"


def comparisons(results: Results, ours: str = "ours") -> Iterator[Comparison]:
    """Every cell, in the order of measuring; of each only rounds of the newest state of ours that has met the peer."""
    for size in results.sizes:
        for stage in dict.fromkeys(one.stage for one in results.rounds if one.size == size):
            rounds = [one for one in results.of(size, stage) if ours in one.values]
            for peer in dict.fromkeys(name for one in rounds for name in one.values if name != ours):
                both = [one for one in rounds if peer in one.values]
                newest = [one for one in both if one.commit == both[-1].commit]
                yield _compared(size, stage, peer, ours, [one for one in newest if one.is_calm] or newest)


def _compared(size: str, stage: str, peer: str, ours: str, rounds: Sequence[Round]) -> Comparison:
    return Comparison(
        size,
        stage,
        peer,
        median(one.values[ours] for one in rounds),
        median(one.values[peer] for one in rounds),
        tuple(sorted(one.values[ours] / one.values[peer] for one in rounds)),
        stage in NATURAL or all(_as_much(one, ours, peer) for one in rounds),
        all(one.is_calm for one in rounds),
    )


def _as_much(one: Round, ours: str, peer: str) -> bool:
    return abs(one.amounts[ours] - one.amounts[peer]) <= 0.02 * one.amounts[peer]


def slower(now: Results, before: Results) -> list[str]:
    """Cells whose ratio grew by more than both spreads allow, in words."""
    known = {(one.size, one.stage, one.peer): one for one in comparisons(before)}
    told = []
    for one in comparisons(now):
        earlier = known.get((one.size, one.stage, one.peer))
        if earlier is None:
            continue
        is_apart = one.quartiles[0] > earlier.quartiles[1]
        if is_apart and one.middle > _TOLERANCE * earlier.middle:
            told.append(
                f"{one.size} {one.stage} against {one.peer}: {one.middle:.2f} "
                f"({one.quartiles[0]:.2f} to {one.quartiles[1]:.2f}), "
                f"before {earlier.middle:.2f} ({earlier.quartiles[0]:.2f} to {earlier.quartiles[1]:.2f})"
            )
    return told
