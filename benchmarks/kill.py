"""Does a batch survive being killed? `python benchmarks/kill.py [--files 30] [--kills 20] [--workers 2] [--drivers 2]`.

Synthesised speech is captioned with the bundled model twice: undisturbed, and by drivers that are killed (-9) at
random moments and started again with the same command. Then the captions must be the same, no window may have been
decoded twice but those in flight when the power went, and nothing unfinished may be left. With `--victim worker` the
driver lives and its workers are killed; with `--ray` the work is done on a Ray cluster of this machine. A moment is
random in windows done and in time after the last of them, so a machine that pauses changes nothing. Needs espeak-ng.
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
from collections.abc import Sequence
from pathlib import Path

# Every window that is kept leaves a mark, whatever becomes of it later.
_TALLY = """
CREATE TABLE IF NOT EXISTS tally (audio TEXT, settings TEXT, window TEXT);
CREATE TRIGGER IF NOT EXISTS counted AFTER INSERT ON windows
BEGIN INSERT INTO tally VALUES (new.audio, new.settings, new.window); END;
"""
TEXT = "This is recording number {}. The man went to the house and the woman saw a dog. It was a good day."


def make_library(folder: Path, n_files: int) -> None:
    """Speech of all kinds of lengths, some of it in folders below."""
    for number in range(n_files):
        path = folder / ("deep" if number % 3 == 0 else "") / f"talk{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = " ".join([TEXT.format(number)] * (1 + number % 4))
        subprocess.run(["espeak-ng", "-s", str(130 + number), "-w", str(path), text], check=True)


def command(library: Path, arguments: argparse.Namespace) -> list[str]:
    quick = ["--beam-size", "1", "--threads", "1", "--retries", "50"]
    subwhisper = [sys.executable, "-m", "subwhisper", "batch", str(library), "--model", "bundled", "--quiet"]
    runner = ["--cluster", "local"] if arguments.ray else []
    return [*subwhisper, "--workers", str(arguments.workers), *quick, *runner]


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


def n_windows(journal: Path) -> int:
    with sqlite3.connect(journal, timeout=60) as database:
        return int(database.execute("SELECT count(*) FROM tally").fetchone()[0])


def wait_a_while(journal: Path, drivers: "Sequence[subprocess.Popen[bytes]]", chance: random.Random) -> None:
    """Until a random moment: one time in five while everything starts, else somewhere behind the next windows."""
    if chance.random() < 0.8:
        goal = n_windows(journal) + chance.choice((1, 1, 1, 2))
        while n_windows(journal) < goal and any(driver.poll() is None for driver in drivers):
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 1.0))
    else:
        time.sleep(chance.uniform(0.0, 4.0))


def kill_drivers(library: Path, journal: Path, arguments: argparse.Namespace, chance: random.Random) -> int:
    """Start drivers and kill them all until enough have been killed; before some, a worker of one of them."""
    n_killed = 0
    while n_killed < arguments.kills:
        drivers = [start(library, journal, arguments) for _ in range(arguments.drivers)]
        wait_a_while(journal, drivers, chance)
        if chance.random() < 0.5 and (pids := workers_of(journal)):
            kill(chance.choice(pids))
            time.sleep(chance.uniform(0.0, 0.5))
        living = [driver for driver in drivers if driver.poll() is None]
        for driver in living:
            driver.kill()
        for driver in drivers:
            driver.wait()
        if not living:
            break
        n_killed += len(living)
    return n_killed


def kill_workers(library: Path, journal: Path, arguments: argparse.Namespace, chance: random.Random) -> int:
    """Let drivers live, and kill one of their workers again and again."""
    n_killed = 0
    drivers = [start(library, journal, arguments) for _ in range(arguments.drivers)]
    while n_killed < arguments.kills and any(driver.poll() is None for driver in drivers):
        wait_a_while(journal, drivers, chance)
        if pids := workers_of(journal):
            n_killed += kill(chance.choice(pids))
    for driver in drivers:
        driver.wait()
    return n_killed


def start(library: Path, journal: Path, arguments: argparse.Namespace) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command(library, arguments), env=environment(journal.parent), stderr=subprocess.DEVNULL)


def kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def workers_of(journal: Path) -> list[int]:
    """Workers of whatever kind that keep their work in this journal."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if f"SUBWHISPER_STATE={journal.parent}\0".encode() in environment and any(
            name in command for name in (b"pipeline.worker", b"ray::_Actor")
        ):
            found.append(int(process.name))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--drivers", type=int, default=1)
    parser.add_argument("--victim", choices=("driver", "worker"), default="driver")
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        calm, stormy = Path(scratch, "calm"), Path(scratch, "stormy")
        make_library(calm / "library", arguments.files)
        shutil.copytree(calm / "library", stormy / "library")
        journals = [prepare(place / "state") for place in (calm, stormy)]
        undisturbed = start(calm / "library", journals[0], arguments).wait()
        assert undisturbed == 0, f"left alone, the batch ends with exit code {undisturbed}"
        disturb = kill_drivers if arguments.victim == "driver" else kill_workers
        n_killed = disturb(stormy / "library", journals[1], arguments, chance)
        n_aside = set_aside(journals[1])
        if n_aside:
            retry = [sys.executable, "-m", "subwhisper", "journal", "retry", "--quiet"]
            subprocess.run(retry, env=environment(journals[1].parent), check=True)
        last = start(stormy / "library", journals[1], arguments).wait()
        counts = [n_windows(journal) for journal in journals]
        twice = sqlite3.connect(journals[1]).execute(
            "SELECT count(*) FROM (SELECT 1 FROM tally GROUP BY audio, settings, window HAVING count(*) > 1)"
        )
        rows = {
            "files": arguments.files,
            "kills": n_killed,
            "set_aside": n_aside,
            "last_exit_code": last,
            "captions_equal": captions(calm / "library") == captions(stormy / "library"),
            "captions": len(captions(stormy / "library")),
            "windows": counts[0],
            "windows_disturbed": counts[1],
            "windows_twice": twice.fetchone()[0],
            "leftovers": leftovers(stormy),
            "processes_left": len(workers_of(journals[1])),
        }
    print(json.dumps(rows, indent=2))


def set_aside(journal: Path) -> int:
    """Recordings that were taken for the reason why their workers died."""
    with sqlite3.connect(journal) as database:
        return int(database.execute("SELECT count(*) FROM jobs WHERE state = 'set aside'").fetchone()[0])


if __name__ == "__main__":
    main()
