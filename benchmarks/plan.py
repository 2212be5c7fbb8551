"""Does `subwhisper plan` tell the truth? `python benchmarks/plan.py [--files 10] [--workers 2]`.

Recordings of all kinds of lengths are planned and then captioned with the bundled model. Prints what was estimated over
what came: time, memory (of driver and workers at their most) and disk, as JSON. Needs /proc and espeak-ng.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEXT = "This is recording number {}. The man went to the house and the woman saw a dog. It was a good day."


def make_library(folder: Path, n_files: int) -> None:
    for number in range(n_files):
        path = folder / f"talk{number}.wav"
        path.parent.mkdir(exist_ok=True)
        text = " ".join([TEXT.format(number)] * (2 + 2 * (number % 5)))
        subprocess.run(["espeak-ng", "-s", str(130 + 5 * number), "-w", str(path), text], check=True)


def resident(pid: int) -> int:
    """Bytes a process and its children need just now."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        kilobytes = int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])
    except (OSError, IndexError):  # it has just ended
        return 0
    return 1024 * kilobytes + sum(resident(int(child)) for child in children)


def done(command: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Seconds and bytes that a batch took."""
    started, most = time.monotonic(), 0
    with subprocess.Popen(command, env=environment) as batch:
        while batch.poll() is None:
            most = max(most, resident(batch.pid))
            time.sleep(0.1)
    assert batch.returncode == 0
    return time.monotonic() - started, most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library, state = Path(scratch, "library"), Path(scratch, "state")
        make_library(library, arguments.files)
        environment = {**os.environ, "SUBWHISPER_STATE": str(state)}
        words = [str(library), "--model", "bundled", "--workers", str(arguments.workers)]
        subwhisper = [sys.executable, "-m", "subwhisper"]
        planned = subprocess.run([*subwhisper, "plan", *words, "--json"], env=environment, stdout=-1, check=True)
        estimate = json.loads(planned.stdout)
        seconds, memory = done([*subwhisper, "batch", *words, "--quiet"], environment)
        files = [path for path in Path(scratch).rglob("*") if path.is_file() and path.suffix != ".wav"]
        disk = sum(path.stat().st_size for path in files)
    rows = {
        "files": arguments.files,
        "sound_s": round(estimate["sound"], 1),
        "took_s": round(seconds, 1),
        "time_estimated_over_taken": round(estimate["seconds"] / seconds, 2),
        "memory_estimated_over_needed": round(estimate["memory"] / memory, 2),
        "disk_estimated_over_needed": round(estimate["disk"] / disk, 2),
        "measured": estimate["measurement"],
    }
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
