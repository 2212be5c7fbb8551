"""How far does one driver go? `python benchmarks/scaling.py [--machines 100] [--speed 60] [--minutes 45]`.

What one driver does for a cluster is measured here, with Ray on this machine: its work for each recording and each word
about progress, the journal's for each window, and waiting for answers of as many actors as asked for. From that the
share of the driver and of the journal's keeper is reckoned, and what workers lose by waiting. `--speed` and `--minutes`
are suppositions: how many times faster than sound a GPU is, and how long recordings are. Prints JSON. Needs Ray.
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from batch_overhead import driven, make_files
from journal import keep_through_ray

WINDOW = 30.0
"""Seconds of sound that are kept at once."""
NEWS_A_SECOND = 1.0
"""Words about its progress that an actor has for the driver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Milliseconds, measured."""

    job: float
    """Of the driver, for each recording."""
    message: float
    """Of the driver, for each word about progress."""
    looks: dict[int, float]
    """Of the driver, for each answer of one of so many actors: finding it among all awaited, and asking again."""
    keep: float
    """Of the keeper, for each window."""
    kept: float
    """Until the worker goes on, if nobody else keeps a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Supposed."""

    n_actors: int
    speed: float
    """Seconds of sound in a second."""
    recording: float
    """Seconds of sound in a recording."""


def reckoned(costs: Costs, cluster: Cluster) -> dict[str, float]:
    """Shares of the time, if cost is the same for one as for many."""
    windows = cluster.n_actors * cluster.speed / WINDOW
    jobs = cluster.n_actors * cluster.speed / cluster.recording
    answers = cluster.n_actors * NEWS_A_SECOND + jobs
    look = costs.looks[cluster.n_actors]
    driver = (jobs * costs.job + answers * (costs.message + look)) / 1000
    keeper = windows * costs.keep / 1000
    window = 1000 * WINDOW / cluster.speed
    gap = 1000 * cluster.recording / cluster.speed
    return {
        "windows_a_second": windows,
        "recordings_a_second": jobs,
        "driver_busy": driver,
        "keeper_busy": keeper,
        "lost_to_windows": _lost_to_windows(costs, keeper, window),
        "lost_between_recordings": (costs.job + look / (1 - driver)) / gap if driver < 1 else 1.0,
    }


def _lost_to_windows(costs: Costs, busy: float, window: float) -> float:
    """Share of an actor's time: windows come at random moments and take equally long, which is the queue M/D/1."""
    if busy >= 1:
        return 1 - 1 / busy  # the rest of the cluster's speed cannot be used
    return min(1.0, (costs.kept + costs.keep * busy / (2 * (1 - busy))) / window)


def looks_ms(sizes: Sequence[int], n_looks: int = 300) -> dict[int, float]:
    """What an answer costs a driver that waits for two of each of so many actors."""
    import ray

    from subwhisper.pipeline.cluster import _connected

    _connected("local")

    @ray.remote(num_cpus=0, max_concurrency=5000)
    class Silent:
        async def news(self, seconds: float) -> list[int]:
            import asyncio

            await asyncio.sleep(seconds)
            return []

    actor: Any = Silent.remote()
    awaited: list[Any] = []
    looks = {}
    for n_actors in sorted(sizes):
        awaited += [actor.news.remote(600.0) for _ in range(2 * n_actors - 1 - len(awaited))]
        looks[n_actors] = statistics.median(_looked(ray, actor, awaited) for _ in range(n_looks))
    ray.shutdown()
    return looks


def _looked(ray: Any, actor: Any, awaited: list[Any]) -> float:
    answer = actor.news.remote(0.0)
    ray.wait([answer])
    started = time.perf_counter()
    ray.wait([*awaited, answer], timeout=0.2)
    (ready,) = ray.wait([*awaited, answer], num_returns=len(awaited) + 1, timeout=0)[0]
    ray.get(ready)
    actor.news.remote(0.0)
    return 1000 * (time.perf_counter() - started)


def measured(sizes: Sequence[int]) -> Costs:
    with tempfile.TemporaryDirectory() as scratch:
        library, n_files = Path(scratch, "library"), 2000
        library.mkdir()
        make_files(library, n_files)
        names: Iterator[Path] = (Path(scratch, f"state{n}", "journal.sqlite3") for n in itertools.count())
        _, silent = driven(library, next(names), 0)
        _, talking = driven(library, next(names), 10)
        keeping = keep_through_ray(next(names), 500)
    job = 1000 * silent / n_files
    return Costs(
        job=job,
        message=max(0.0, 1000 * talking / n_files - job) / 10,
        looks=looks_ms(sizes),
        keep=keeping["crowd_ms"],
        kept=keeping["median_ms"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machines", type=int, default=100)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--minutes", type=float, default=45.0)
    arguments = parser.parse_args()
    sizes = sorted({10, arguments.machines, 4 * arguments.machines})
    costs = measured(sizes)
    clusters = [Cluster(n_actors=n, speed=arguments.speed, recording=60 * arguments.minutes) for n in sizes]
    rows = {
        "measured_ms": asdict(costs),
        "supposed": {"speed": arguments.speed, "minutes": arguments.minutes},
        "reckoned": {cluster.n_actors: reckoned(costs, cluster) for cluster in clusters},
    }
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
