"""`subwhisper batch` from the words typed to the files written, with real workers."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import QUICK, Run, write_tone

from subwhisper.cli.batch import _alike
from subwhisper.errors import SubwhisperError

NO_PROC = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture
def wanted(tiny_model: Path) -> list[object]:
    return ["--model", tiny_model, "--language", "en", *QUICK]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    write_tone(folder / "one.wav", 1.0)
    write_tone(folder / "deep" / "two.wav", 1.5)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_library_is_captioned_and_then_left_alone(
    run_cli: Run, library: Path, wanted: list[object], tmp_path: Path
) -> None:
    (library / "broken.mp3").write_bytes(b"no sound" * 100)
    ran = run_cli("batch", library, *wanted, "--json", "--lang-style", "iso2t", "-o", tmp_path / "out")
    assert ran.code == 10
    assert names(tmp_path / "out") == ["deep/two.eng.srt", "one.eng.srt"]
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert told[0] == {"event": "planned", "todo": 3, "skipped": 0, "refused": 0}
    assert told[-1] == {"event": "finished", "done": 2, "failed": 1, "skipped": 0}
    (failed,) = [event for event in told if event["event"] == "failed"]
    assert (failed["input"], failed["error"]["kind"]) == (str(library / "broken.mp3"), "MediaError")
    assert ran.stderr.count("broken.mp3") == 1  # at the end, with its reason

    again = run_cli("batch", library, *wanted, "--lang-style", "iso2t", "-o", tmp_path / "out", "--exclude", "*.mp3")
    assert again.code == 0
    assert "2 have captions" in again.stderr


def test_nothing_named_is_a_line(run_cli: Run, tmp_path: Path) -> None:
    ran = run_cli("batch")
    assert (ran.code, "nothing was named" in ran.stderr) == (2, True)
    ran = run_cli("batch", tmp_path, "--lang-style", "cde", "--model", "bundled")
    assert (ran.code, "cde" in ran.stderr) == (2, True)


def test_without_a_journal_the_work_is_done_too(run_cli: Run, library: Path, wanted: list[object]) -> None:
    ran = run_cli("batch", library, *wanted, "--no-journal", "--no-recursive")
    assert ran.code == 0, ran.stderr
    assert names(library) == ["deep/two.wav", "one.en.srt", "one.wav"]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@NO_PROC
def test_workers_die_with_the_one_who_started_them(library: Path, wanted: list[object]) -> None:
    write_tone(library / "long.wav", 400.0)
    command = [sys.executable, "-m", "subwhisper", "batch", str(library), *map(str, wanted), "--workers", "2"]
    batch = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (library / "one.en.srt").exists():
        assert time.monotonic() < deadline
        assert batch.poll() is None
        time.sleep(0.1)
    workers = children(batch.pid)
    assert len(workers) == 2
    batch.send_signal(signal.SIGKILL)
    batch.wait()
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [name for name in names(library) if "subwhisper" in name] == []


def test_what_the_model_cannot_do_is_said_once(run_cli: Run, library: Path) -> None:
    """It was said of every recording, each of which had failed."""
    ran = run_cli("batch", library, "--model", "bundled", "--language", "de")
    assert (ran.code, ran.stderr.count("English only")) == (2, 1)
    assert json.loads(run_cli("journal", "status", "--json").stdout)["jobs"] == {"waiting": 2}


def test_failures_for_one_reason_are_one_line() -> None:
    read_only = [SubwhisperError("cannot write to films", hint="choose another folder") for _ in range(3)]
    lines = [error.message for error in _alike([*read_only, SubwhisperError("a.mp4 is empty")])]
    assert lines == ["cannot write to films (3 recordings)", "a.mp4 is empty"]
