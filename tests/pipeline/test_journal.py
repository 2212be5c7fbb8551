"""The journal: claims, leases, what is recognised, who may read it, and how it is kept small."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from damaged import spoil_journal

from subwhisper.errors import JournalError
from subwhisper.pipeline import jobs as jobs_module
from subwhisper.pipeline.identity import FileIdentity, ProcessIdentity, sampled_hash
from subwhisper.pipeline.jobs import State
from subwhisper.pipeline.journal import Journal, JournalLimits, journal_path, open_journal
from subwhisper.transcript import Segment, Transcript, Word

OWNER = ProcessIdentity.current()
OTHER = ProcessIdentity(OWNER.host, OWNER.boot, OWNER.pid, "1")
FAR = ProcessIdentity("elsewhere", "1", 1, "1")
SAID = Transcript(
    (
        Segment(
            0.1,
            0.9,
            " Hello.",
            (50364, 7, 50409),
            language="en",
            words=(Word(" Hello.", 0.1, 0.30000000000000004, 0.7),),
        ),
    ),
    language="en",
    duration=1.0,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Journal:
    return Journal(path)


def enqueue(journal: Journal, *sources: str) -> None:
    journal.jobs.enqueue(sources, "wishes", planned_at=time.time())


def dead_process() -> ProcessIdentity:
    code = "from subwhisper.pipeline.identity import ProcessIdentity; print(ProcessIdentity.current())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    identity = ProcessIdentity.parse(said.strip())
    assert identity is not None
    return identity


def test_a_job_has_one_owner_at_a_time(journal: Journal, path: Path) -> None:
    second = Journal(path)
    for one in (journal, second):
        enqueue(one, "a", "b", "c")
    claimed = [journal.jobs.claim(OWNER), second.jobs.claim(FAR), journal.jobs.claim(OWNER), second.jobs.claim(FAR)]
    assert [job and job.source for job in claimed] == ["a", "b", "c", None]


def test_drivers_claim_only_what_is_theirs(journal: Journal, path: Path) -> None:
    enqueue(journal, "a")
    assert Journal(path).jobs.claim(FAR) is None


def test_the_jobs_of_a_dead_process_are_free_at_once(journal: Journal) -> None:
    enqueue(journal, "a")
    assert journal.jobs.claim(dead_process())
    assert journal.jobs.claim(OWNER) is None
    journal.jobs.release_orphans()
    assert journal.jobs.claim(OWNER)


def test_the_jobs_of_the_living_and_of_other_machines_stay_theirs(journal: Journal) -> None:
    enqueue(journal, "a", "b")
    journal.jobs.claim(OWNER)
    journal.jobs.claim(FAR)
    journal.jobs.release_orphans()
    assert journal.jobs.claim(OTHER) is None


def test_a_process_number_given_to_somebody_else_does_not_keep_a_lease() -> None:
    assert OTHER.is_gone()
    assert ProcessIdentity(OWNER.host, "another boot", OWNER.pid, OWNER.started).is_gone()
    assert not OWNER.is_gone()
    assert not FAR.is_gone()


def test_a_killed_process_is_gone_before_its_parent_has_looked() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    deadline = time.monotonic() + 20
    child.kill()
    while True:
        zombie = Path(f"/proc/{child.pid}/stat")
        if not zombie.exists():
            pytest.skip("needs /proc")
        if zombie.read_text().rpartition(")")[2].split()[0] == "Z" or time.monotonic() > deadline:
            break
    started = zombie.read_text().rpartition(")")[2].split()[19]
    assert ProcessIdentity(OWNER.host, OWNER.boot, child.pid, started).is_gone()
    child.communicate()


@dataclass
class Clock:
    """Time as the queue sees it: `awake` passes while we look, the rest while everything sleeps."""

    now: float = 1000.0
    wall: float = 5000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.wall


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(jobs_module, "time", clock)
    return clock


def look(journal: Journal, clock: Clock, seconds: float) -> None:
    """Let time pass, with a look every second."""
    for _ in range(round(seconds)):
        clock.now += 1.0
        clock.wall += 1.0
        journal.jobs.release_orphans()


def test_the_jobs_of_a_silent_owner_elsewhere_are_taken_over(clock: Clock, path: Path) -> None:
    journal = Journal(path)
    enqueue(journal, "a")
    first = journal.jobs.claim(FAR)
    assert first
    look(journal, clock, 100.0)
    journal.jobs.renew(FAR)
    look(journal, clock, 100.0)
    assert journal.jobs.claim(OWNER) is None
    look(journal, clock, 30.0)
    assert journal.jobs.claim(OWNER)
    journal.jobs.finish(first, FAR, file=None, outputs={}, duration=None, seconds=1.0)  # wakes up too late
    assert journal.jobs.settled() == []


def test_neither_sleep_nor_a_clock_put_forward_ends_a_lease(clock: Clock, path: Path) -> None:
    journal = Journal(path)
    enqueue(journal, "a")
    assert journal.jobs.claim(FAR)
    look(journal, clock, 10.0)
    clock.now += 8 * 3600.0  # a frozen process: its clock goes on without it
    clock.wall += 8 * 3600.0
    look(journal, clock, 20.0)
    clock.wall += 365 * 24 * 3600.0
    look(journal, clock, 20.0)
    assert journal.jobs.claim(OWNER) is None


def test_a_job_is_tried_again_only_after_its_delay(journal: Journal) -> None:
    enqueue(journal, "a")
    job = journal.jobs.claim(OWNER)
    assert job
    journal.jobs.postpone(job, OWNER, {"message": "busy"}, delay=60.0, crashed=True)
    assert journal.jobs.claim(OWNER) is None
    journal.jobs._database.execute("UPDATE jobs SET not_before = 0")
    again = journal.jobs.claim(OWNER)
    assert again
    assert (again.tries, again.crashes) == (1, 1)


def test_what_another_driver_settled_is_told_once(journal: Journal, path: Path) -> None:
    second = Journal(path)
    enqueue(journal, "a", "b")
    enqueue(second, "a", "b")
    job = second.jobs.claim(FAR)
    assert job
    file = FileIdentity(1, 2, 3)
    second.jobs.finish(job, FAR, file=file, outputs={"a.srt": "hash"}, duration=2.0, seconds=1.0)
    (told,) = journal.jobs.settled()
    assert (told.source, told.state, told.file, told.outputs) == ("a", State.DONE, file, {"a.srt": "hash"})
    assert journal.jobs.settled() == []


def test_a_failed_job_is_tried_by_the_next_batch_and_one_set_aside_only_when_told(journal: Journal) -> None:
    enqueue(journal, "bad", "poison")
    for state in (State.FAILED, State.ASIDE):
        job = journal.jobs.claim(OWNER)
        assert job
        journal.jobs.give_up(job, OWNER, {"message": state}, state=state)
    journal.jobs.settled()
    enqueue(journal, "bad", "poison")
    job = journal.jobs.claim(OWNER)
    assert job
    assert job.source == "bad"
    assert journal.jobs.claim(OWNER) is None
    assert [row["source"] for row in journal.status().problems] == ["poison"]
    assert journal.retry(["elsewhere"]) == 0
    assert journal.retry() == 1
    journal.jobs.settled()
    enqueue(journal, "poison")
    assert journal.jobs.claim(OWNER)


def test_what_was_settled_after_planning_is_not_done_again(journal: Journal, path: Path) -> None:
    planned_at = time.time()
    enqueue(journal, "a")
    job = journal.jobs.claim(OWNER)
    assert job
    journal.jobs.finish(job, OWNER, file=None, outputs={}, duration=None, seconds=0.0)
    second = Journal(path)
    second.jobs.enqueue(["a"], "wishes", planned_at=planned_at)
    assert second.jobs.claim(FAR) is None
    assert [job.state for job in second.jobs.settled()] == [State.DONE]


def test_windows_and_transcripts_come_back_as_they_were(journal: Journal, path: Path) -> None:
    document = {"segments": [{"start": 0.1 + 0.2, "text": "é\0"}], "next": 3000}
    journal.archive.keep_window("audio", "settings", "0:3000", document)
    assert Journal(path).archive.window("audio", "settings", "0:3000") == document
    assert journal.archive.window("audio", "others", "0:3000") is None
    journal.archive.keep_transcript("audio", "settings", SAID)
    kept = journal.archive.transcript("audio", "settings")
    assert kept is not None
    assert kept.to_json() == SAID.to_json()
    assert journal.archive.window("audio", "settings", "0:3000") is None  # no longer needed
    assert journal.archive.transcript("audio", "others") is None


def test_a_file_is_known_under_a_new_name_and_in_a_new_place(journal: Journal, tmp_path: Path) -> None:
    talk = tmp_path / "talk.wav"
    talk.write_bytes(os.urandom(3_000_000))
    journal.archive.remember_audio(talk, FileIdentity.of(talk), "", "sound")
    assert journal.archive.audio_of(talk, "") == "sound"
    assert journal.archive.audio_of(talk, "1") is None
    moved = talk.rename(tmp_path / "renamed.wav")
    assert journal.archive.audio_of(moved, "") == "sound"
    copy = Path(shutil.copy2(moved, tmp_path / "copy.wav"))  # another inode, as on another disk
    assert journal.archive.audio_of(copy, "") == "sound"


def test_a_file_that_changed_is_not_taken_for_the_old_one(journal: Journal, tmp_path: Path) -> None:
    talk = tmp_path / "talk.wav"
    talk.write_bytes(bytes(3_000_000))
    journal.archive.remember_audio(talk, FileIdentity.of(talk), "", "sound")
    with talk.open("r+b") as file:
        file.write(b"another word")  # so soon that the time of change may be the same
    assert journal.archive.audio_of(talk, "") is None
    os.utime(talk)
    assert journal.archive.audio_of(talk, "") is None
    other = Path(shutil.copy(talk, tmp_path / "other.wav"))
    assert journal.archive.audio_of(other, "") is None
    assert sampled_hash(other) == sampled_hash(talk)


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_transcripts_are_for_their_owner_only(journal: Journal, path: Path) -> None:
    journal.archive.keep_transcript("audio", "settings", SAID)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_journal_that_grew_too_large_forgets_the_oldest_first(journal: Journal) -> None:
    for number in range(200):
        filler = os.urandom(2000).hex()
        journal.archive.keep_window(f"audio {number}", "settings", "0", {"text": filler})
        journal._database.execute("UPDATE windows SET made = ? WHERE audio = ?", (number * 1e7, f"audio {number}"))
    limits = JournalLimits(max_bytes=journal.n_bytes() // 2, max_days=1e6)
    journal.prune(limits)
    assert journal.n_bytes() <= limits.max_bytes
    assert journal.path is not None
    assert journal.path.stat().st_size <= 1.1 * limits.max_bytes
    assert journal.archive.window("audio 0", "settings", "0") is None
    assert journal.archive.window("audio 199", "settings", "0") is not None


def test_what_is_old_is_forgotten(journal: Journal) -> None:
    journal.archive.keep_window("old", "settings", "0", {})
    journal._database.execute("UPDATE windows SET made = made - 200 * 86400")
    journal.archive.keep_window("new", "settings", "0", {})
    journal.prune(JournalLimits())
    assert journal.archive.window("old", "settings", "0") is None
    assert journal.archive.window("new", "settings", "0") == {}


def test_what_was_cleared_is_not_in_the_file_any_more(journal: Journal, path: Path) -> None:
    journal.jobs.enqueue(["/home/somebody/confession.wav"], "wishes", planned_at=time.time())
    journal.clear()
    assert journal.status().jobs == {}
    assert all(b"confession" not in one.read_bytes() for one in path.parent.iterdir())


def test_a_damaged_journal_is_set_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 1000)
    journal = Journal(path)
    assert journal.status().jobs == {}
    assert "damaged" in caplog.text
    assert [one.read_bytes()[:2] for one in path.parent.glob("*damaged*")] == [b"no"]


def test_a_journal_that_is_damaged_within_is_set_aside_by_the_next_batch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It opened well, so every batch worked without one, and said so, for ever."""
    monkeypatch.setenv("SUBWHISPER_STATE", str(tmp_path / "state"))
    Journal(journal_path()).close()
    spoil_journal(journal_path())
    with pytest.raises(JournalError, match="damaged"):
        Journal(journal_path()).status()
    journal = open_journal()
    assert journal
    assert journal.status().jobs == {}
    assert "damaged" in caplog.text
    assert len(list(journal_path().parent.glob("*damaged*"))) == 1
    journal.clear(older_than_days=1.0)
    assert len(list(journal_path().parent.glob("*damaged*"))) == 1
    journal.clear()
    assert not list(journal_path().parent.glob("*damaged*"))  # it holds what people said, too


def test_what_lies_in_a_folder_is_tried_again_with_it(journal: Journal) -> None:
    owner = ProcessIdentity.current()
    enqueue(journal, "/films/a.mp4", "/films/deep/b.mp4", "/films2/c.mp4")
    while job := journal.jobs.claim(owner):
        journal.jobs.give_up(job, owner, {"message": "bad"}, state=State.FAILED)
    assert journal.retry(["/films"]) == 2
    assert journal.status().jobs == {"failed": 1, "waiting": 2}


def test_a_journal_of_a_newer_version_is_left_alone(journal: Journal, path: Path) -> None:
    journal._database.execute("PRAGMA user_version = 99")
    journal.close()
    with pytest.raises(JournalError, match="newer"):
        Journal(path)
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (99,)


def test_a_journal_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(JournalError, match="--no-journal"):
        Journal(tmp_path / "state" / "journal.sqlite3")


def test_several_processes_may_begin_at_once(path: Path) -> None:
    code = f"""
from pathlib import Path
from subwhisper.pipeline.journal import Journal
journal = Journal(Path({str(path)!r}))
for number in range(50):
    journal.archive.keep_window("audio", "settings", str(number), {{}})
"""
    children = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(4)]
    assert [child.communicate()[1] for child in children] == [b""] * 4
    assert Journal(path).status().n_windows == 50
