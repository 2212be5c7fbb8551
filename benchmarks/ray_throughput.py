"""Is a Ray cluster of this machine as fast as its processes? `python benchmarks/ray_throughput.py [--rounds 2]`.

The same recordings are captioned with the bundled model by two local workers and by two actors of Ray, in turn, each
with a new journal. Throughput is taken from the first recordings done to the last, so that starting up is told apart.
Prints JSON. Needs Ray and espeak-ng.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TEXT = "This is recording number {}. The man went to the house and the woman saw a dog. It was a good day."


@dataclass(frozen=True)
class Run:
    """One batch: seconds until the first recording was done, and recordings a second from there on."""

    first: float
    pace: float


def make_library(folder: Path, n_files: int) -> None:
    for number in range(n_files):
        path = folder / f"{number}.wav"
        text = " ".join([TEXT.format(number)] * 4)
        subprocess.run(["espeak-ng", "-s", "150", "-w", str(path), text], check=True)


def run(library: Path, n_files: int, runner: tuple[str, ...]) -> Run:
    options = ["--model", "bundled", "--workers", "2", "--threads", "1", "--redo", "--json", "--quiet"]
    command = [sys.executable, "-m", "subwhisper", "batch", str(library), *options, *runner]
    environment = {**os.environ, "SUBWHISPER_STATE": tempfile.mkdtemp(dir=library.parent)}
    started = time.monotonic()
    done = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True) as at:
        assert at.stdout
        for line in at.stdout:
            if json.loads(line)["event"] == "done":
                done.append(time.monotonic() - started)
    assert len(done) == n_files, f"{len(done)} of {n_files} were done"
    # The two begin together, so the first two are done together: count from the second.
    return Run(done[0], (n_files - 2) / (done[-1] - done[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    runs: dict[str, list[Run]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch, "library")
        library.mkdir()
        make_library(library, arguments.files)
        for _ in range(arguments.rounds):
            runs["local"].append(run(library, arguments.files, ()))
            runs["ray"].append(run(library, arguments.files, ("--cluster", "local")))
    paces = {name: statistics.median(one.pace for one in several) for name, several in runs.items()}
    rows = {
        "files": arguments.files,
        "first_done_s": {name: [round(one.first, 1) for one in several] for name, several in runs.items()},
        "recordings_per_s": {name: [round(one.pace, 3) for one in several] for name, several in runs.items()},
        "ray_of_local": round(paces["ray"] / paces["local"], 3),
    }
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
