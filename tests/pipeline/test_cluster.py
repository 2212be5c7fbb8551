"""What a worker on another machine does about paths; the rest is in tests/cli/test_runners.py, with Ray itself."""

from pathlib import Path

import pytest

from subwhisper.pipeline.cluster import _Actor
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.outputs import OutputPlan
from subwhisper.pipeline.transcribe import TranscribeJob
from subwhisper.pipeline.worker import Assignment, Report


@pytest.mark.parametrize(
    ("source", "results", "missing"),
    [
        (Source(Path("lib/talk.wav")), None, "lib/talk.wav"),
        (Source(Path("/nowhere/talk.wav")), None, "/nowhere/talk.wav"),
        (Source(Path("here.wav")), Path("out"), "out"),
        (Source(None, "http://127.0.0.1/talk.wav"), Path("out"), "out"),
    ],
)
def test_a_path_that_a_machine_lacks_is_told_in_one_line(
    source: Source, results: Path | None, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.wav").touch()
    job = TranscribeJob(outputs=OutputPlan(folder=results))
    told, report = _Actor(job, None, tmp_path).work(Assignment(1, source))
    assert told == []
    assert isinstance(report, Report)
    assert report.error
    assert report.error["message"].startswith(f"{tmp_path / missing} is not there on ")
    assert "same paths" in report.error["hint"]
