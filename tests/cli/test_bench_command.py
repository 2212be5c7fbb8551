"""`subwhisper bench`: each model measured in a process of its own, and what becomes of the figures."""

import json
from pathlib import Path

import pytest
from command_line import Run, write_tone

QUICK = ("--threads", "1", "--beam-size", "1", "--batch-size", "2", "--seconds", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tone(tmp_path / "films" / "one.wav", 40.0)
    return tmp_path / "films"


def test_a_plan_promises_what_bench_has_found(run_cli: Run, tiny_model: Path, folder: Path) -> None:
    told = run_cli("bench", tiny_model, "--compute", "fp32", "--json", *QUICK)
    assert told.code == 0, told.stderr
    (row,) = json.loads(told.stdout)["models"]
    assert (row["compute"], row["device"], row["error"]) == ("float32", "cpu", None)
    assert row["speed"] == pytest.approx(row["sound"] / row["took"], rel=0.01)
    assert row["memory"] > 50_000_000
    assert row["loading"] > 0
    assert row["n_words"] > 0

    same = ("--model", tiny_model, "--compute", "f32", "--threads", "1", "--beam-size", "1", "--batch-size", "2")
    planned = run_cli("plan", folder, *same, "--json")
    assert planned.code == 0, planned.stderr
    measurement = json.loads(planned.stdout)["measurement"]
    assert "subwhisper bench" in measurement["sample"]
    assert measurement["took"] == row["took"]

    other = run_cli("plan", folder, *same, "--batch-size", "3", "--vad", "none", "--json")
    assert "one.wav" in json.loads(other.stdout)["measurement"]["sample"]


def test_a_recording_is_heard_as_it_is(run_cli: Run, tiny_model: Path, folder: Path) -> None:
    ran = run_cli("bench", tiny_model, "--audio", folder / "one.wav", "--language", "en", *QUICK)
    assert ran.code == 0, ran.stderr
    header, row, *below = ran.stdout.splitlines()
    assert header.split() == ["model", "compute", "device", "speed", "an", "hour", "takes", "loading", "memory"]
    assert " x" in row
    assert "MB" in row
    assert "one.wav" in below[-1]


def test_one_bad_model_does_not_stop_the_others(run_cli: Run, tiny_model: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pt"
    damaged.write_bytes(b"PK\x03\x04 and nothing more")
    ran = run_cli("bench", damaged, tiny_model, *QUICK)
    assert ran.code != 0
    assert str(damaged) in ran.stderr
    assert "1 of 2 inputs failed" in ran.stderr
    assert any("nonsense" in line and " x" in line for line in ran.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["no-such-model"], "no-such-model"),
        (["--compute", "fp7"], "fp7"),
        (["--audio", "/nothing/there.wav"], "/nothing/there.wav"),
        (["--device", "tpu"], "tpu"),
    ],
)
def test_mistakes_are_told_at_once(run_cli: Run, arguments: list[str], culprit: str) -> None:
    ran = run_cli("bench", *arguments, *QUICK)
    assert ran.code >= 2
    assert culprit in ran.stderr
    assert "Traceback" not in ran.stderr
