"""Does a long batch need more and more memory? `python benchmarks/batch_memory.py [--files 1000] [--model bundled]`.

Many recordings of some two seconds, no two alike, are captioned by one worker, with the bundled model or another. After
every fiftieth of them the memory of driver and worker is noted. Prints MB at five points of the way and the growth over
the second half, as JSON. Needs /proc and espeak-ng.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

EVERY = 0.02


def make_library(folder: Path, n_files: int) -> None:
    for number in range(n_files):
        path = folder / f"{number // 100}" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["espeak-ng", "-s", "140", "-w", str(path), f"The dog saw number {number}."], check=True)


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def worker_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def measured(library: Path, n_files: int, model: str) -> list[tuple[float, float]]:
    """MB of driver and worker."""
    options = ["--model", model, "--beam-size", "1", "--threads", "1", "--json", "--quiet"]
    command = [sys.executable, "-m", "subwhisper", "batch", str(library), *options]
    environment = {**os.environ, "SUBWHISPER_STATE": str(library.parent / "state")}
    points, n_done = [], 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as batch:
        assert batch.stdout
        for line in batch.stdout:
            n_done += json.loads(line)["event"] == "done"
            # not after the last one: the worker may have ended
            if n_files > n_done >= (len(points) + 1) * EVERY * n_files:
                points.append((resident_mb(batch.pid), resident_mb(worker_of(batch.pid))))
                print(n_done, *(f"{mb:.1f}" for mb in points[-1]), file=sys.stderr, flush=True)
    assert n_done == n_files, f"{n_done} of {n_files} were done"
    return points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--model", default="bundled")
    arguments = parser.parse_args()
    n_files = arguments.files
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch, "library")
        make_library(library, n_files)
        points = measured(library, n_files, arguments.model)
    n = len(points)
    chosen = {f"{share} %": points[round(share / 98 * n) - 1] for share in (10, 25, 50, 75, 98)}
    rows = {
        "files": n_files,
        "driver_mb": {share: round(driver, 1) for share, (driver, _) in chosen.items()},
        "worker_mb": {share: round(worker, 1) for share, (_, worker) in chosen.items()},
        "second_half_mb": {
            "driver": round(points[-1][0] - points[n // 2][0], 1),
            "worker": round(points[-1][1] - points[n // 2][1], 1),
        },
    }
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
