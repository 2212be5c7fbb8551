"""`subwhisper plan`: what a batch would do, told and not done."""

import json
from pathlib import Path

import pytest
from command_line import QUICK, Run, write_tone


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    write_tone(folder / "one.wav", 2.0)
    write_tone(folder / "two.wav", 4.0)
    write_tone(folder / "three.wav", 1.0)
    (folder / "three.en.srt").write_text("1\n")
    return folder


def test_a_plan_tells_and_does_nothing(run_cli: Run, tiny_model: Path, library: Path) -> None:
    before = sorted(library.iterdir())
    ran = run_cli("plan", library, "--model", tiny_model, "--language", "en", *QUICK, "--json")
    assert ran.code == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["n_files"], told["n_skipped"]) == (2, 1)
    assert told["sound"] == pytest.approx(6.0, rel=0.05)
    assert told["seconds"] > 0
    assert told["memory"] > 10_000_000
    assert told["disk"] > 0
    assert told["download"] == 0
    assert sorted(library.iterdir()) == before


def test_a_model_that_is_not_here_is_told_with_its_size(run_cli: Run, library: Path) -> None:
    ran = run_cli("plan", library, "--model", "large-v3")
    assert ran.code == 0, ran.stderr
    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("download")]
    assert "GB" in line
    assert "large-v3" in line
    assert "time        unknown" in ran.stdout
