"""What does keeping a window cost? `python benchmarks/journal.py [--windows 2000] [--ray]`.

Windows as the engine makes them (some eighty words with their times) are kept one by one, each committed before the
next, by one process and then by four at once; with `--ray` also as the workers of a cluster do it, through the keeper
on the driver's machine, one at a time and as many as it takes. Prints milliseconds per window as JSON.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from subwhisper.pipeline.archive import Archive
from subwhisper.pipeline.database import Database
from subwhisper.pipeline.journal import Journal

WORDS = [
    {"word": f" word{n}", "start": n / 3 + 0.01, "end": n / 3 + 0.29, "probability": 0.9 / n} for n in range(1, 82)
]
TEXT, TOKENS = " word" * 9, [*range(14)]
TIMES = [(n * 3.1, n * 3.1 + 3.0, WORDS[n * 9 :][:9]) for n in range(9)]
SEGMENTS = [{"start": start, "end": end, "text": TEXT, "tokens": TOKENS, "words": w} for start, end, w in TIMES]
WINDOW = {"next_frame": 3000, "segments": SEGMENTS}


def keep(path: Path, n_windows: int, name: str) -> list[float]:
    """Milliseconds of each."""
    journal = Journal(path)
    taken = kept(journal.archive, n_windows, name)
    journal.close()
    return taken


def kept(archive: Archive, n_windows: int, name: str) -> list[float]:
    taken = []
    for number in range(n_windows):
        started = time.perf_counter()
        archive.keep_window(name, "settings", f"{number * 3000}", WINDOW)
        taken.append(1000 * (time.perf_counter() - started))
    return taken


def keep_through_ray(path: Path, n_windows: int) -> dict[str, float]:
    """Milliseconds of one after the other, and of each when the keeper never waits for the next."""
    import ray

    from subwhisper.pipeline.cluster import _connected, _Keeper, _RemoteDatabase

    _connected("local")
    keeper = ray.remote(_Keeper).options(num_cpus=0).remote(path)
    kept(Archive(_RemoteDatabase(keeper)), 50, "warm")
    alone = kept(Archive(_RemoteDatabase(keeper)), n_windows, "afar")
    crowd = _Crowd(keeper)
    started = time.perf_counter()
    kept(Archive(crowd), n_windows, "crowd")
    ray.get(crowd.answers)
    each = 1000 * (time.perf_counter() - started) / n_windows
    ray.shutdown()
    return measured(alone) | {"crowd_ms": round(each, 3)}


class _Crowd(Database):
    """A journal on another machine, as many workers together write to it: nobody waits for an answer."""

    def __init__(self, keeper: Any) -> None:
        self._keeper = keeper
        self.answers: list[Any] = []

    def execute(self, statement: str, values: Any = ()) -> list[Any]:
        self.answers.append(self._keeper.execute.remote(statement, values))
        return []


def measured(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    shares = {"median_ms": statistics.median(ordered), "mean_ms": statistics.fmean(ordered)}
    return {name: round(value, 3) for name, value in (shares | {"p99_ms": ordered[int(0.99 * len(ordered))]}).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument("--ray", action="store_true")
    arguments = parser.parse_args()
    n_windows = arguments.windows
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "state", "journal.sqlite3")
        alone = keep(path, n_windows, "alone")
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            together = pool.starmap(keep, [(path, n_windows // 4, f"process {n}") for n in range(4)])
        bytes_each = path.stat().st_size / (2 * n_windows)
        afar = {"through Ray": keep_through_ray(path, n_windows)} if arguments.ray else {}
    crowd = [one for taken in together for one in taken]
    rows = {"one process": measured(alone), "four processes": measured(crowd), **afar}
    print(json.dumps({**rows, "bytes_per_window": round(bytes_each)}, indent=2))


if __name__ == "__main__":
    main()
