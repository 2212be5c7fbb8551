"""Fetching, from a web server in this process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from website import TYPES, Server, serving

from subwhisper.errors import InputError, MediaError, OutputError
from subwhisper.media.fetch import FetchOptions, fetch, fetch_text
from subwhisper.media.guarded import is_private
from subwhisper.media.probe import probe
from subwhisper.media.url import url_stem

pytestmark = [  # yt-dlp leaves files of a failed download to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Make = Callable[..., Path]
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
TESTS = Path(__file__).parents[1]


@pytest.fixture
def server(clip: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that has `clip.mp4` and what a test puts beside it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(clip.parent) as running:
        yield running


@pytest.fixture
def site(server: Server) -> str:
    """Its address."""
    return server.url


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
    assert fetch(f"{site}/to/{site}/clip.mp4", folder).path.read_bytes() == clip.read_bytes()


def test_what_is_not_there_is_told_in_a_line(site: str, folder: Path) -> None:
    with pytest.raises(MediaError) as caught:
        fetch(f"{site}/nothing.mp4", folder)
    assert caught.value.message == f"{site}/nothing.mp4 could not be fetched: HTTP Error 404: File not found"


def test_the_reason_is_told_without_what_programs_put_around_it(site: str, folder: Path) -> None:
    with pytest.raises(MediaError, match=r"http://127\.0\.0\.1:1/x\.mp4 could not be fetched: Connection refused$"):
        fetch("http://127.0.0.1:1/x.mp4", folder)
    with pytest.raises(MediaError, match=r"could not be fetched: Downloaded \d+ bytes, expected \d+ bytes$"):
        fetch(f"{site}/short.mp4", folder)


def test_a_file_of_the_same_name_is_not_taken_for_what_was_asked_for(site: str, clip: Path, folder: Path) -> None:
    """Many recordings are called index.mp4; and what is there need not be one."""
    folder.mkdir()
    (folder / "clip.mp4").write_text("somebody's notes")
    with pytest.raises(OutputError, match=r"clip\.mp4 exists"):
        fetch(f"{site}/clip.mp4", folder)
    assert (folder / "clip.mp4").read_text() == "somebody's notes"
    fetch(f"{site}/clip.mp4", folder, FetchOptions(overwrite=True))
    assert (folder / "clip.mp4").read_bytes() == clip.read_bytes()


@pytest.mark.parametrize("name", ["short.mp4", "cut.mp4"])
def test_a_file_that_ends_early_is_an_error_and_is_not_kept(site: str, folder: Path, name: str) -> None:
    with pytest.raises(MediaError, match=r"could not be fetched|not all of it"):
        fetch(f"{site}/{name}", folder)
    assert not folder.exists() or [path.name for path in folder.iterdir() if path.suffix == ".mp4"] == []


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server: Server, clip: Path, folder: Path) -> None:
    server.hang_ups = 3  # one is for the first look
    assert fetch(f"{server.url}/broken.mp4", folder).path.read_bytes() == clip.read_bytes()
    starts = [wanted for path, wanted in server.asked if path == "/broken.mp4" and wanted]
    assert [int(wanted[6:-1]) // (clip.stat().st_size // 4) for wanted in starts] == [1, 2]


def test_what_came_before_a_failure_is_not_fetched_again(server: Server, clip: Path, folder: Path) -> None:
    shutil.copyfile(clip, clip.with_name("long.mp4"))
    folder.mkdir()
    (folder / "broken.mp4.part").write_bytes(clip.read_bytes()[:5000])  # as a killed fetch leaves it
    assert fetch(f"{server.url}/broken.mp4", folder).path.read_bytes() == clip.read_bytes()
    assert ("/broken.mp4", "bytes=5000-") in server.asked
    assert [path.name for path in folder.iterdir()] == ["broken.mp4"]


@pytest.mark.parametrize("path", TYPES)
def test_what_a_server_calls_a_recording_does_not_matter(site: str, clip: Path, folder: Path, path: str) -> None:
    assert fetch(site + path, folder).path.read_bytes() == clip.read_bytes()


def test_a_page_in_the_place_of_a_recording_is_an_error_and_is_not_kept(site: str, folder: Path) -> None:
    with pytest.raises(MediaError, match=r"page\.mp4 is no recording, or not all of it"):
        fetch(f"{site}/page.mp4", folder)
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize(
    "path",
    ["/named", "/%2e%2e%2fup.mp4", "/new%0aline.mp4", "/-i.mp4", "/%24(reboot)%3b%25s%22.mp4", "/\u65e5\u672c.mp4"],
)
def test_no_name_leaves_the_folder(site: str, clip: Path, folder: Path, path: str) -> None:
    odd = clip.parent / "-i.mp4"
    for name in ("up.mp4", "new\nline.mp4", '$(reboot);%s".mp4', "\u65e5\u672c.mp4", odd.name):
        shutil.copyfile(clip, clip.with_name(name))
    before = {*clip.parent.iterdir()} | {folder}
    fetched = fetch(site + path, folder)
    assert fetched.path.parent == folder.absolute()
    assert fetched.path.read_bytes() == clip.read_bytes()
    assert not {*fetched.path.name} & {"/", "\n", '"', "\\", ":", "|", "?", "*"}
    assert {*clip.parent.iterdir()} | {folder} == before


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


def test_a_stream_whose_sound_is_apart_is_put_together(site: str, make: Make, clip: Path, folder: Path) -> None:
    hls = ["-hls_time", 1, "-hls_playlist_type", "vod", "-f", "hls"]
    make("-i", clip, "-an", "-c", "copy", *hls, name="picture.m3u8")
    make("-i", clip, "-vn", "-c", "copy", *hls, name="sound.m3u8")
    both = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",LANGUAGE="en",DEFAULT=YES,URI="sound.m3u8"\n'
    both += '#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.64000d,mp4a.40.2",AUDIO="a"\npicture.m3u8\n'
    (clip.parent / "both.m3u8").write_text(both)
    media = probe(fetch(f"{site}/both.m3u8", folder).path)
    assert (len(media.video), len(media.audio)) == (1, 1)
    alone = probe(fetch(f"{site}/both.m3u8", folder / "sound", FetchOptions(audio_only=True)).path)
    assert (len(alone.video), len(alone.audio)) == (0, 1)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/clip.mp4", "gopher://127.0.0.1/x"])
def test_a_redirection_leads_nowhere_but_to_the_web(site: str, folder: Path, target: str) -> None:
    with pytest.raises(MediaError, match=r"only http and https|HTTP Error 302"):
        fetch(f"{site}/to/{target}", folder)
    assert not any(path.is_file() for path in folder.rglob("*"))


def test_strangers_do_not_lead_to_private_addresses(clip: Path) -> None:
    """In a network of its own, where a server of this machine has a public address."""
    alone = ["unshare", "--map-root-user", "--net"]
    if not (shutil.which("unshare") and shutil.which("ip")) or subprocess.run([*alone, "true"]).returncode:
        pytest.skip("this machine does not let a test have a network of its own")
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent), "NO_PROXY": "*"}
    command = [*alone, sys.executable, str(TESTS / "lonely_network.py"), str(clip.parent)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    found = {name: (said, asked) for name, said, asked in map(json.loads, ran.stdout.splitlines())}
    for name in ("public", "public to public"):
        assert found.pop(name) == ("fetched", False)
    for name in ("private", "private to private"):
        assert found.pop(name) == ("fetched", True)
    assert len(found) == 4
    for name, (said, asked) in found.items():
        assert "It leads to the private address" in said, name
        assert not asked, name


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True), ("localhost", True), ("10.1.2.3", True), ("192.168.0.1", True), ("169.254.169.254", True),
        ("0.0.0.0", True), ("2130706433", True), ("0x7f.1", True), ("::1", True), ("fd00::1", True),
        ("::ffff:10.0.0.1", True), ("224.0.0.1", True), ("8.8.8.8", False), ("2606:4700::1111", False),
        ("::ffff:8.8.8.8", False), ("", False),
    ],
)  # fmt: skip
def test_private_addresses_are_known_in_every_writing(host: str, private: bool) -> None:
    assert is_private(host) == private


def test_an_encrypted_stream_is_fetched_or_the_remedy_is_told(site: str, make: Make, clip: Path, folder: Path) -> None:
    (clip.parent / "key").write_bytes(bytes(range(16)))
    notes = clip.parent / "notes"
    notes.write_text(f"{site}/key\n{clip.parent / 'key'}\n")
    hls = ["-hls_time", 1, "-hls_playlist_type", "vod", "-hls_key_info_file", notes, "-f", "hls"]
    make("-i", clip, "-c", "copy", *hls, name="secret.m3u8")
    if find_spec("Cryptodome") or not shutil.which("ffmpeg"):  # by yt-dlp itself, quickly or slowly
        assert probe(fetch(f"{site}/secret.m3u8", folder).path).duration == pytest.approx(2, abs=0.15)
        return
    with pytest.raises(MediaError) as caught:
        fetch(f"{site}/secret.m3u8", folder)
    assert caught.value.hint == "pip install 'yt-dlp[default]', which can decrypt streams"


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
    assert [*fetch(f"{site}/page.html", folder / "c", FetchOptions(subtitles=("all",))).subtitles] == ["en"]


def test_a_file_of_subtitles_is_fetched_as_it_is(site: str, clip: Path, tmp_path: Path) -> None:
    (clip.parent / "talk.de.srt").write_bytes(b"1\r\n00:00:00,000 --> 00:00:01,000\r\nGr\xfc\xdfe\r\n")
    fetched = fetch_text(f"{site}/talk.de.srt?token=1", tmp_path / "..")
    assert fetched.name == "talk.de.srt"
    assert fetched.read_bytes() == (clip.parent / "talk.de.srt").read_bytes()
    with pytest.raises(MediaError, match="HTTP Error 404"):
        fetch_text(f"{site}/nothing.srt", tmp_path)


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
