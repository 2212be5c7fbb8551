"""What does the driver of a batch cost? `python benchmarks/batch_overhead.py [--files 10000]`.

Tiny files are planned; then workers that need no time at all "work" on them, so that all the time is the driver's:
handing out, progress, and writing down in the journal what became of each. Prints JSON.
"""

import argparse
import itertools
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from subwhisper.pipeline.batch import BatchOptions, run_batch
from subwhisper.pipeline.identity import FileIdentity
from subwhisper.pipeline.journal import Journal
from subwhisper.pipeline.plan import make_plan
from subwhisper.pipeline.runner import NewsFeed, Take
from subwhisper.pipeline.search import Search
from subwhisper.pipeline.transcribe import TranscribeJob
from subwhisper.pipeline.worker import Position, Report


@dataclass
class NoTime:
    """Workers that are done at once, and tell how far they are before."""

    n_messages: int
    n_workers: int = 1

    def run(self, take: Take) -> NewsFeed:
        file = FileIdentity(1, 1, 1)
        while assignment := take():
            for number in range(self.n_messages):
                yield Position(assignment.id, "transcribing", number / self.n_messages, 1.0)
            yield Report(assignment.id, file=file, language="en", duration=1.0, seconds=0.1)
        while True:
            yield None


def make_files(folder: Path, n_files: int) -> None:
    for number in range(n_files):
        path = folder / f"{number // 100}" / f"{number}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"tiny")


def driven(folder: Path, journal: Path, n_messages: int) -> tuple[float, float]:
    """Seconds until the plan stands, and seconds from the first recording begun to the end."""
    found = Search().find([str(folder)])
    started = time.perf_counter()
    events = run_batch(list(found), TranscribeJob(), BatchOptions(), Journal(journal).jobs, NoTime(n_messages))
    next(events)
    planned = time.perf_counter()
    for event in events:
        if event.kind == "started":
            break
    began = time.perf_counter()
    n_done = sum(event.kind == "done" for event in events)
    assert n_done == sum(1 for _ in Search().find([str(folder)])), n_done
    return planned - started, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    n_files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as scratch:
        library = Path(scratch, "library")
        library.mkdir()
        make_files(library, n_files)
        names = (Path(scratch, f"state{number}", "journal.sqlite3") for number in itertools.count())
        planning, silent = driven(library, next(names), 0)
        _, talking = driven(library, next(names), 10)
        known = Path(scratch, "state0", "journal.sqlite3")
        started = time.perf_counter()
        make_plan(list(Search().find([str(library)])), TranscribeJob(), Journal(known).jobs, redo=False)
        again = time.perf_counter() - started
    rows = {
        "files": n_files,
        "planning_s": round(planning, 2),
        "planning_what_is_known_s": round(again, 2),
        "job_ms": round(1000 * silent / n_files, 3),
        "message_ms": round(1000 * (talking - silent) / n_files / 10, 3),
    }
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
