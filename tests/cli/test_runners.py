"""One suite for everybody who does the work of a batch: processes of this machine, and a Ray cluster."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import write_tone

from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions, VadOptions
from subwhisper.pipeline.batch import BatchOptions, Event, run_batch
from subwhisper.pipeline.cluster import RayRunner
from subwhisper.pipeline.journal import Journal
from subwhisper.pipeline.models import ModelChoice
from subwhisper.pipeline.runner import LocalRunner, Runner
from subwhisper.pipeline.search import Search
from subwhisper.pipeline.transcribe import TranscribeJob

pytestmark = pytest.mark.slow
Hire = Callable[[TranscribeJob, int], Runner]
TALLY = """
CREATE TABLE tally (audio TEXT, window TEXT);
CREATE TRIGGER counted AFTER INSERT ON windows BEGIN INSERT INTO tally VALUES (new.audio, new.window); END;
"""


@pytest.fixture
def job(tiny_model: Path) -> TranscribeJob:
    quick = DecodeOptions(beam_size=1), FallbackOptions(temperatures=(0.0,), no_speech_threshold=None)
    windows = {"plan": "sequential", "vad": VadOptions(detector="none")}  # one after the other, whatever is in them
    options = TranscribeOptions(language="en", decode=quick[0], fallback=quick[1], **windows)  # type: ignore[arg-type]
    return TranscribeJob(model=ModelChoice(name=str(tiny_model), threads=1), options=options)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    for number in range(3):
        write_tone(folder / f"{number}.wav", 40.0 + 20 * number)
    return folder


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    path = tmp_path / "state" / "journal.sqlite3"
    opened = Journal(path)
    sqlite3.connect(path).executescript(TALLY)
    return opened


@pytest.fixture(params=["processes", "ray"])
def hire(request: pytest.FixtureRequest, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Hire:
    if request.param == "processes":
        return lambda job, n_workers: LocalRunner(job, journal.path, n_workers)
    pytest.importorskip("ray", reason="the cluster extra is not installed")
    # Else Ray makes one in the home folder, once in a process, and misses it in the home of the next test.
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of the tests")
    return lambda job, n_workers: RayRunner(job, journal.path, "local", n_workers)


def worker_pids() -> list[int]:
    """Of the workers that this process has started, in whatever way."""
    parents: dict[int, int] = {}
    workers = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, stat = (folder / "cmdline").read_bytes(), (folder / "stat").read_text()
        except OSError:
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
        if b"subwhisper.pipeline.worker" in command or b"ray::_Actor" in command:
            workers.append(int(folder.name))
    return [pid for pid in workers if os.getpid() in ancestors(pid, parents)]


def ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid := parents.get(pid, 0):
        yield pid


@contextmanager
def amid_a_recording(journal: Journal, n_done: int) -> Iterator[bool]:
    """Hold the journal where a worker has kept a window, and cannot finish; false if it came too late."""
    assert journal.path
    database = sqlite3.connect(journal.path, isolation_level=None, timeout=60)
    deadline = time.monotonic() + 240  # Ray starts slowly where others are hard at work
    while time.monotonic() < deadline:
        database.execute("BEGIN IMMEDIATE")
        (kept,), (finished,) = (
            database.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("windows", "transcripts")
        )
        if kept or finished > n_done:
            break
        database.execute("ROLLBACK")
        time.sleep(0.01)
    yield bool(kept) and finished == n_done
    database.close()  # which rolls back


def events(library: Path, job: TranscribeJob, journal: Journal, runner: Runner) -> list[Event]:
    found = list(Search().find([str(library)]))
    return list(run_batch(found, job, BatchOptions(backoff=0.0), journal.jobs, runner))


def tally(journal: Journal) -> tuple[int, int]:
    """Windows decoded, and those of them decoded only once."""
    assert journal.path
    rows = sqlite3.connect(journal.path).execute("SELECT count(*) FROM tally GROUP BY audio, window").fetchall()
    return sum(n for (n,) in rows), len(rows)


def test_the_work_is_done_told_and_kept(library: Path, job: TranscribeJob, journal: Journal, hire: Hire) -> None:
    (library / "broken.mp3").write_bytes(b"no sound" * 100)
    told = events(library, job, journal, hire(job, 2))
    assert told[-1].facts == {"done": 3, "failed": 1, "skipped": 0}
    (failed,) = [event for event in told if event.kind == "failed"]
    assert failed.facts["error"]["kind"] == "MediaError"
    assert sorted(path.name for path in library.glob("*.srt")) == ["0.en.srt", "1.en.srt", "2.en.srt"]
    assert journal.status().n_transcripts == 3
    decoded, different = tally(journal)
    assert decoded == different > 3


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_a_worker_that_is_killed_costs_nothing(library: Path, job: TranscribeJob, journal: Journal, hire: Hire) -> None:
    assert not worker_pids()
    found = list(Search().find([str(library)]))
    told: list[Event] = []
    killed = 0
    for event in run_batch(found, job, BatchOptions(backoff=0.0), journal.jobs, hire(job, 1)):
        told.append(event)
        if event.kind == "started" and not killed:
            with amid_a_recording(journal, sum(one.kind == "done" for one in told)) as is_at_work:
                for pid in worker_pids() if is_at_work else ():
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
    assert killed == 1
    assert [event.kind for event in told].count("postponed") == 1
    assert not [event.facts["error"] for event in told if event.kind == "failed"]
    assert told[-1].facts == {"done": 3, "failed": 0, "skipped": 0}
    decoded, different = tally(journal)
    assert decoded == different
