"""`fetch`, and URLs where other commands take files."""

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_line import QUICK, Run

pytestmark = [  # yt-dlp leaves connections of a failed download to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site(video_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(video_file.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_recording_is_kept(run_cli: Run, site: str, tmp_path: Path) -> None:
    ran = run_cli("fetch", f"{site}/clip.mp4", "-o", tmp_path / "kept", "--json")
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout)["outputs"] == [str(tmp_path / "kept" / "clip.mp4")]


def test_errors_are_a_line(run_cli: Run, site: str) -> None:
    for arguments, code, said in (
        ([f"{site}/nothing.mp4"], 3, "nothing.mp4 could not be fetched: HTTP Error 404"),
        (["notes.txt"], 3, "notes.txt is no address"),
        ([f"{site}/clip.mp4", "--max-size", "0.001"], 3, "of at most 1000 bytes"),
        ([f"{site}/clip.mp4", "--subtitles", "de"], 10, "nobody wrote subtitles of it in de"),
        ([f"{site}/clip.mp4", "--cookies", "none.txt"], 3, "none.txt does not exist"),
    ):
        ran = run_cli("fetch", *arguments)
        assert (ran.code, said in ran.stderr) == (code, True), ran.stderr


def test_a_url_is_taken_where_a_file_is(run_cli: Run, site: str, tiny_model: Path) -> None:
    url = f"{site}/clip.mp4"
    ran = run_cli("transcribe", url, "--model", tiny_model, "--language", "en", *QUICK)
    assert ran.code == 0, ran.stderr
    assert Path("clip.en.srt").is_file()
    ran = run_cli("probe", url, "--json")
    assert json.loads(ran.stdout)["files"][0]["input"] == url
    assert run_cli("extract", url, "--to", "flac").code == 0
    assert Path("clip.flac").is_file()


def test_one_bad_url_does_not_stop_the_others(run_cli: Run, site: str, tiny_model: Path) -> None:
    ran = run_cli(
        "transcribe", f"{site}/nothing.mp4", f"{site}/clip.mp4", "--model", tiny_model, "--language", "en", *QUICK
    )
    assert ran.code == 10
    assert f"{site}/nothing.mp4 could not be fetched" in ran.stderr
    assert Path("clip.en.srt").is_file()
