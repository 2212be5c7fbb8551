"""What does keeping a window cost? `python benchmarks/journal.py [--windows 2000]`.

Windows as the engine makes them (some eighty words with their times) are kept one by one, each committed before the
next, by one process and then by four at once. Prints milliseconds per window as JSON.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

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
    journal, taken = Journal(path), []
    for number in range(n_windows):
        started = time.perf_counter()
        journal.archive.keep_window(name, "settings", f"{number * 3000}", WINDOW)
        taken.append(1000 * (time.perf_counter() - started))
    journal.close()
    return taken


def measured(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    shares = {"median_ms": statistics.median(ordered), "mean_ms": statistics.fmean(ordered)}
    return {name: round(value, 3) for name, value in (shares | {"p99_ms": ordered[int(0.99 * len(ordered))]}).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=2000)
    n_windows = parser.parse_args().windows
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "state", "journal.sqlite3")
        alone = keep(path, n_windows, "alone")
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            together = pool.starmap(keep, [(path, n_windows // 4, f"process {n}") for n in range(4)])
        bytes_each = path.stat().st_size / (2 * n_windows)
    crowd = [one for taken in together for one in taken]
    rows = {"one process": measured(alone), "four processes": measured(crowd), "bytes_per_window": round(bytes_each)}
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
