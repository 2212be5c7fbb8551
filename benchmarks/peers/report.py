"""Results as a table in Markdown and as a picture."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.peers.floors import SHARES, floor
from benchmarks.peers.ratios import Comparison, comparisons
from benchmarks.peers.results import Results

_HEAD = (
    "| size | stage | against | ours | theirs | ours / theirs | middle half | rounds | promised | |",
    "| --- | --- | --- | ---: | ---: | ---: | --- | ---: | --- | --- |",
)


def table(results: Results) -> str:
    """Machine, ratios, and shares of the machine's ceilings."""
    lines = [*_machine(results), "", *_HEAD]
    lines += [_row(one) for one in comparisons(results)]
    shares = [*_shares(results)]
    if shares:
        head = [
            "",
            "| size | stage | ours, s | floor, s | share | promised |",
            "| --- | --- | ---: | ---: | ---: | --- |",
        ]
        lines += [*head, *shares]
    return "\n".join(lines)


def _machine(results: Results) -> Iterator[str]:
    machine = results.machine
    if not machine:
        return
    able = ", ".join(machine["instructions"])
    yield f"Threads: {machine['threads']}, of {machine['processor']} ({able}), torch {machine['torch']}."
    yield "Ceilings: " + ", ".join(f"{name} {value:g}" for name, value in machine["ceilings"].items()) + "."
    yield ""
    for engine, versions in results.versions.items():
        yield f"* {engine}: " + ", ".join(f"{name} {text}" for name, text in versions.items())


def _row(one: Comparison) -> str:
    unit = "MB" if one.stage == "memory" else "s"
    lower, upper = one.quartiles
    promised = f"≤ {one.promise.must:g} ({one.promise.stretch:g})" if one.promise else ""
    cells = [
        one.size,
        one.stage,
        one.peer,
        f"{_short(one.ours)} {unit}",
        f"{_short(one.theirs)} {unit}",
        f"**{one.middle:.2f}**",
        f"{lower:.2f} to {upper:.2f}",
        str(len(one.ratios)),
        promised,
        ", ".join(filter(None, (one.verdict, *_caveats(one)))),
    ]
    return f"| {' | '.join(cells)} |"


def _caveats(one: Comparison) -> Iterator[str]:
    if not one.same_work:
        yield "unequal work"
    if not one.is_calm:
        yield "disturbed"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _shares(results: Results, ours: str = "ours") -> Iterator[str]:
    for size in results.sizes:
        for stage, (must, stretch) in SHARES.items():
            rounds = [one for one in results.of(size, stage) if ours in one.values]
            if rounds and results.machine:
                took = median(one.values[ours] for one in rounds if one.commit == rounds[-1].commit)
                least = floor(size, stage, results.machine["ceilings"])
                share = f"{least / took:.0%}"
                yield f"| {size} | {stage} | {took:.3g} | {least:.3g} | {share} | ≥ {must:.0%} ({stretch:.0%}) |"


def plot(results: Results, target: Path) -> None:
    """Draw every ratio with its spread, and what was promised, on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = results.sizes
    found = [*comparisons(results)]
    labels = list(dict.fromkeys((one.stage, one.peer) for one in found))
    figure, axes = pyplot.subplots(1, 1, figsize=(8, 1 + 0.28 * len(labels)), layout="constrained")
    for number, size in enumerate(sizes):
        mine = [one for one in found if one.size == size]
        heights = [labels.index((one.stage, one.peer)) + 0.22 * (number - (len(sizes) - 1) / 2) for one in mine]
        middles = [one.middle for one in mine]
        reach = [[one.middle - one.ratios[0] for one in mine], [one.ratios[-1] - one.middle for one in mine]]
        axes.errorbar(middles, heights, xerr=reach, fmt="o", markersize=4, linewidth=1, label=size)
    for height, label in enumerate(labels):
        promise = next(one.promise for one in found if (one.stage, one.peer) == label)
        if promise:
            axes.plot([promise.must] * 2, [height - 0.4, height + 0.4], color="black", linewidth=1.5)
    axes.axvline(1, color="grey", linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 4]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(range(len(labels)), [f"{stage}, {peer}" for stage, peer in labels])
    axes.invert_yaxis()
    axes.set_xlabel("ours / theirs, median and range of rounds; black: promised at most")
    axes.legend(loc="upper right", fontsize="small")
    figure.savefig(target, dpi=90)
