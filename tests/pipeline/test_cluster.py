"""What a worker on another machine does about paths; the rest is in tests/cli/test_runners.py, with Ray itself."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from subwhisper.errors import ToolError
from subwhisper.pipeline.cluster import RayRunner, _Actor
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.outputs import OutputPlan
from subwhisper.pipeline.transcribe import TranscribeJob
from subwhisper.pipeline.worker import Assignment, Report

WAIT = "RAY_gcs_server_port_wait_time_s"


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


@pytest.mark.parametrize(("address", "told"), [("local", "does not start on this machine"), ("h:1", "is it started")])
def test_a_cluster_that_does_not_answer_is_one_line(address: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**options: Any) -> NoReturn:
        assert int(os.environ[WAIT]) >= 60  # Ray's 30 are few on a busy machine
        raise Exception("The current node timed out during startup")

    monkeypatch.delenv(WAIT, raising=False)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=init))
    with pytest.raises(ToolError) as caught:
        next(RayRunner(TranscribeJob(), None, address).run(lambda: None))
    assert told in f"{caught.value.message} {caught.value.hint}"
    assert "timed out during startup" in caught.value.message
