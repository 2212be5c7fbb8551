"""`subwhisper journal` from the words typed to what is shown."""

import json
import os
import time
from pathlib import Path

import pytest
from command_line import Run
from damaged import spoil_journal

from subwhisper.pipeline.identity import ProcessIdentity
from subwhisper.pipeline.jobs import State
from subwhisper.pipeline.journal import Journal, journal_path


@pytest.fixture
def poison(tmp_path: Path) -> Path:
    """A recording that the journal has set aside."""
    path, journal, owner = tmp_path / "poison\n.mp4", Journal(journal_path()), ProcessIdentity.current()
    journal.jobs.enqueue([os.path.abspath(path)], "wishes", planned_at=time.time())
    job = journal.jobs.claim(owner)
    assert job
    journal.jobs.give_up(job, owner, {"message": "the worker was killed"}, state=State.ASIDE)
    return path


def test_status_tells_what_failed_and_why(run_cli: Run, poison: Path) -> None:
    ran = run_cli("journal", "status")
    assert ran.code == 0
    (line,) = [line for line in ran.stdout.splitlines() if "set aside" in line and "poison" in line]
    assert "the worker was killed" in line
    document = json.loads(run_cli("journal", "status", "--json").stdout)
    assert document["jobs"] == {"set aside": 1}
    assert document["problems"][0]["source"] == str(poison)


def test_a_recording_set_aside_is_let_in_again(run_cli: Run, poison: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(poison.parent)
    assert "nothing" in run_cli("journal", "retry", "other.mp4").stderr
    assert "1 to be tried again" in run_cli("journal", "retry", poison.name).stderr
    assert json.loads(run_cli("journal", "status", "--json").stdout)["jobs"] == {"waiting": 1}


def test_clear_forgets(run_cli: Run, poison: Path) -> None:
    assert run_cli("journal", "clear", "--older-than", "1").code == 0
    assert json.loads(run_cli("journal", "status", "--json").stdout)["jobs"] == {"set aside": 1}
    assert run_cli("journal", "clear", "-q") == (0, "", "")
    assert json.loads(run_cli("journal", "status", "--json").stdout)["jobs"] == {}


def test_a_damaged_journal_is_told_of_and_can_be_cleared(run_cli: Run) -> None:
    Journal(journal_path()).close()
    spoil_journal(journal_path())
    ran = run_cli("journal", "status")
    assert (ran.code, "damaged" in ran.stderr) == (4, True)
    assert "forgot" in run_cli("journal", "clear").stderr
    assert run_cli("journal", "status").code == 0
    assert [path.name for path in journal_path().parent.iterdir() if "damaged" in path.name] == []


def test_a_file_that_is_no_journal_is_told_of_by_whatever_looks_first(run_cli: Run) -> None:
    journal_path().parent.mkdir(parents=True, exist_ok=True)
    journal_path().write_bytes(b"no database at all" * 1000)
    assert "damaged" in run_cli("journal", "status").stderr
