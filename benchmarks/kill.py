"""Does a batch survive being killed? `python benchmarks/kill.py [--files 30] [--kills 20] [--workers 2] [--drivers 2]`.

Synthesised speech is captioned with the bundled model twice: undisturbed, and by drivers that are killed (-9) at
random moments and started again with the same command. Then the captions must be the same, no window may have been
decoded twice but those in flight when the power went, and nothing unfinished may be left. Needs espeak-ng.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Every window that is kept leaves a mark, whatever becomes of it later.
_TALLY = """
CREATE TABLE IF NOT EXISTS tally (audio TEXT, settings TEXT, window TEXT);
CREATE TRIGGER IF NOT EXISTS counted AFTER INSERT ON windows
BEGIN INSERT INTO tally VALUES (new.audio, new.settings, new.window); END;
"""
TEXT = "This is recording number {}. The man went to the house and the woman saw a dog. It was a good day."


def make_library(folder: Path, n_files: int, seconds: float = 0.0) -> None:
    """Speech of all kinds of lengths, some of it in folders below."""
    for number in range(n_files):
        path = folder / ("deep" if number % 3 == 0 else "") / f"talk{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = " ".join([TEXT.format(number)] * (1 + number % 4))
        subprocess.run(["espeak-ng", "-s", str(130 + number), "-w", str(path), text], check=True)


def command(library: Path, workers: int, more: tuple[str, ...] = ()) -> list[str]:
    quick = ["--beam-size", "1", "--threads", "1", "--retries", "5"]
    subwhisper = [sys.executable, "-m", "subwhisper", "batch", str(library), "--model", "bundled"]
    return [*subwhisper, "--workers", str(workers), "--quiet", *quick, *more]


def environment(state: Path) -> dict[str, str]:
    return {**os.environ, "SUBWHISPER_STATE": str(state), "TMPDIR": str(state.parent)}


def prepare(state: Path) -> Path:
    """A journal that counts."""
    from subwhisper.pipeline.journal import FILE, Journal

    path = state / FILE
    Journal(path).close()
    with sqlite3.connect(path) as database:
        database.executescript(_TALLY)
    return path


def captions(library: Path) -> dict[str, bytes]:
    return {str(path.relative_to(library)): path.read_bytes() for path in sorted(library.rglob("*.srt"))}


def leftovers(scratch: Path) -> list[str]:
    """Unfinished files, and temporary folders of batches that are gone."""
    return sorted(path.name for path in scratch.rglob("*") if "subwhisper-" in path.name)


def disturb(library: Path, state: Path, arguments: argparse.Namespace, chance: random.Random, length: float) -> int:
    """Start drivers and kill them until they have been killed often enough; then let them finish."""
    n_killed = 0
    while n_killed < arguments.kills:
        drivers = [
            subprocess.Popen(command(library, arguments.workers), env=environment(state), stderr=subprocess.DEVNULL)
            for _ in range(arguments.drivers)
        ]
        time.sleep(chance.uniform(0.3, 1.0) * length)
        victims = [driver for driver in drivers if driver.poll() is None]
        if not victims:
            break
        victim = chance.choice(victims)
        os.kill(victim.pid, signal.SIGKILL)
        n_killed += 1
        if chance.random() < 0.5:  # sometimes a worker of the other driver, too
            for driver in victims:
                if driver is not victim and (pids := workers_of(driver.pid)):
                    os.kill(chance.choice(pids), signal.SIGKILL)
        for driver in drivers:
            if driver is not victim:
                os.kill(driver.pid, signal.SIGKILL) if driver.poll() is None else None
            driver.wait()
    subprocess.run(command(library, arguments.workers), env=environment(state), check=True)
    return n_killed


def workers_of(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--drivers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        calm, stormy = Path(scratch, "calm"), Path(scratch, "stormy")
        make_library(calm / "library", arguments.files)
        shutil.copytree(calm / "library", stormy / "library")
        journals = [prepare(place / "state") for place in (calm, stormy)]
        started = time.monotonic()
        subprocess.run(command(calm / "library", arguments.workers), env=environment(calm / "state"), check=True)
        length = time.monotonic() - started
        n_killed = disturb(stormy / "library", stormy / "state", arguments, chance, max(3.0, length / 6))
        counts = [sqlite3.connect(path).execute("SELECT count(*) FROM tally").fetchone()[0] for path in journals]
        twice = sqlite3.connect(journals[1]).execute(
            "SELECT count(*) FROM (SELECT 1 FROM tally GROUP BY audio, settings, window HAVING count(*) > 1)"
        )
        rows = {
            "files": arguments.files,
            "kills": n_killed,
            "undisturbed_s": round(length, 1),
            "captions_equal": captions(calm / "library") == captions(stormy / "library"),
            "captions": len(captions(stormy / "library")),
            "windows": counts[0],
            "windows_disturbed": counts[1],
            "windows_twice": twice.fetchone()[0],
            "leftovers": leftovers(stormy),
        }
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
