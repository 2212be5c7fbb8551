"""Fetching, from a web server in this process."""

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from subwhisper.errors import InputError, MediaError
from subwhisper.media.fetch import FetchOptions, fetch
from subwhisper.media.probe import probe
from subwhisper.media.url import url_stem

pytestmark = [  # yt-dlp leaves files of a failed download to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Make = Callable[..., Path]
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"


class Site(SimpleHTTPRequestHandler):
    """Files of a folder, and a few bad habits."""

    def do_GET(self) -> None:
        if self.path == "/moved.mp4":
            self.send_response(302)
            self.send_header("Location", "/clip.mp4")
            self.end_headers()
        elif self.path == "/short.mp4":  # says more than it gives, and hangs up
            body = Path(self.directory, "clip.mp4").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 3])
            self.close_connection = True
        elif self.path == "/cut.mp4":  # gives a part as if it were all
            body = Path(self.directory, "clip.mp4").read_bytes()[:3000]
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            super().do_GET()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site(clip: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that has `clip.mp4` and what a test puts beside it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=str(clip.parent)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "fetched"


def test_a_file_is_fetched_whole(site: str, clip: Path, folder: Path) -> None:
    told: list[tuple[float, float | None]] = []
    fetched = fetch(f"{site}/clip.mp4", folder, on_progress=lambda done, total: told.append((done, total)))
    assert fetched.path.parent == folder.absolute()
    assert fetched.path.read_bytes() == clip.read_bytes()
    assert told[-1] == (clip.stat().st_size, clip.stat().st_size)
    assert [path.name for path in folder.iterdir()] == ["clip.mp4"]


def test_a_redirection_is_followed(site: str, clip: Path, folder: Path) -> None:
    assert fetch(f"{site}/moved.mp4", folder).path.read_bytes() == clip.read_bytes()


def test_what_is_not_there_is_told_in_a_line(site: str, folder: Path) -> None:
    with pytest.raises(MediaError) as caught:
        fetch(f"{site}/nothing.mp4", folder)
    assert caught.value.message == f"{site}/nothing.mp4 could not be fetched: HTTP Error 404: File not found"


@pytest.mark.parametrize("name", ["short.mp4", "cut.mp4"])
def test_a_file_that_ends_early_is_an_error_and_is_not_kept(site: str, folder: Path, name: str) -> None:
    with pytest.raises(MediaError, match=r"could not be fetched|not all of it"):
        fetch(f"{site}/{name}", folder)
    assert not folder.exists() or [path.name for path in folder.iterdir() if path.suffix == ".mp4"] == []


def test_a_stream_in_pieces_is_put_together(site: str, make: Make, clip: Path, folder: Path) -> None:
    hls = ["-hls_time", 0.5, "-hls_playlist_type", "vod", "-f", "hls"]
    make("-i", clip, "-c:v", "libx264", "-g", 5, "-c:a", "aac", *hls, name="talk.m3u8")
    media = probe(fetch(f"{site}/talk.m3u8", folder).path)
    assert media.duration == pytest.approx(2, abs=0.15)
    assert (len(media.video), len(media.audio)) == (1, 1)


def test_a_stream_with_a_piece_missing_is_an_error(site: str, make: Make, clip: Path, folder: Path) -> None:
    hls = ["-hls_time", 0.5, "-hls_playlist_type", "vod", "-f", "hls"]
    make("-i", clip, "-c:v", "libx264", "-g", 5, "-c:a", "aac", *hls, name="talk.m3u8")
    (clip.parent / "talk1.ts").unlink()
    with pytest.raises(MediaError, match="could not be fetched"):
        fetch(f"{site}/talk.m3u8", folder)


@pytest.mark.parametrize("inside", ["file:///etc/passwd", "/etc/passwd", "concat:/etc/passwd|/etc/hosts"])
def test_a_stream_cannot_refer_to_files_of_this_machine(site: str, clip: Path, folder: Path, inside: str) -> None:
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2.0,\n"
    (clip.parent / "evil.m3u8").write_text(f"{head}{inside}\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError):
        fetch(f"{site}/evil.m3u8", folder)
    assert not any(b"root:" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_subtitles_that_people_wrote_come_when_asked_for(site: str, clip: Path, folder: Path) -> None:
    (clip.parent / "words.vtt").write_text(VTT)
    track = '<track kind="subtitles" src="words.vtt" srclang="en" label="English">'
    page = f'<html><title>My page; rm -rf ../x "q"</title><video src="clip.mp4">{track}</video></html>'
    (clip.parent / "page.html").write_text(page)
    fetched = fetch(f"{site}/page.html", folder, FetchOptions(subtitles=("English",)))
    assert fetched.path.parent == folder.absolute()
    assert fetched.offered == ("en",)
    assert fetched.subtitles["en"].read_text().startswith("WEBVTT")
    assert fetch(f"{site}/page.html", folder / "b", FetchOptions(subtitles=("de",))).subtitles == {}


def test_a_file_beyond_the_limit_is_an_error(site: str, folder: Path) -> None:
    with pytest.raises(MediaError, match="of at most 1000 bytes came"):
        fetch(f"{site}/clip.mp4", folder, FetchOptions(largest=1000))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://", "ytsearch:cats", "-o/tmp/x", "https:///x"])
def test_what_is_no_address_is_refused(url: str, folder: Path) -> None:
    with pytest.raises(InputError, match="is no address"):
        fetch(url, folder)


@pytest.mark.parametrize(
    ("url", "stem"),
    [
        ("https://example.org/a/talk.mp4", "talk"),
        ("https://example.org/a/talk.mp4?token=secret", "talk"),
        ("https://example.org/watch?v=abc123&t=9", "watch-abc123"),
        ("https://example.org", "example.org"),
        ("https://example.org/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("https://example.org/-rf%20%3B%24(x).mp4", "rf_x_"),
        ("https://example.org/" + "é" * 300, "é" * 60),
    ],
)
def test_results_are_named_harmlessly_after_the_address(url: str, stem: str) -> None:
    assert url_stem(url) == stem
