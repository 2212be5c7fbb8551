"""`fetch`, and URLs where other commands take files."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from command_line import QUICK, Run
from website import CLIP, serving

from subwhisper.media.probe import probe
from subwhisper.subtitles.formats import read_track

pytestmark = [  # yt-dlp leaves connections of a failed download to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

WORDS = "".join(f"{n}\n00:00:0{n},200 --> 00:00:0{n},900\nWritten by people\n\n" for n in range(9))


@pytest.fixture
def folder(video_file: Path, tmp_path: Path) -> Path:
    """What the server has: a clip, its words, and a page that shows both."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copyfile(video_file, folder / CLIP)
    (folder / "words.de.srt").write_text(WORDS, encoding="utf-8")
    track = '<track kind="subtitles" src="words.de.srt" srclang="de">'
    (folder / "page.html").write_text(f'<title>A talk</title><video src="{CLIP}">{track}</video>')
    return folder


@pytest.fixture
def site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(folder) as server:
        yield server.url


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


def test_every_media_command_takes_a_url(run_cli: Run, site: str, tiny_model: Path, tmp_path: Path) -> None:
    url, words = f"{site}/{CLIP}", f"{site}/words.de.srt"
    own = tmp_path / "own.srt"
    own.write_text(WORDS, encoding="utf-8")
    for arguments, output in (
        (["burn", url, words], "clip.captioned.mp4"),
        (["burn", url, own, "--second", words, "--preview", "0.5"], "clip.preview.png"),
        (["mux", url, words], "clip.muxed.mp4"),
        (["sync", own, words, "-o", "synced.srt", "--no-stretch", "--min-confidence", "0"], "synced.srt"),
        (["extract", url, "--to", "opus"], "clip.opus"),
        (["layout", own, "--video", url, "-o", "laid.srt"], "laid.srt"),
    ):
        ran = run_cli(*arguments)
        assert ran.code == 0, ran.stderr
        assert Path(output).is_file(), ran.stderr
    (track,) = probe(Path("clip.muxed.mp4")).subtitles
    assert track.language == "deu"
    assert "too little to compare" in run_cli("sync", own, url).stderr  # nobody speaks in it
    ran = run_cli("align", url, own, "--model", tiny_model)
    assert (ran.code, url in ran.stderr) == (3, True), ran.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["own.srt"]


def test_a_fetched_file_is_never_named(run_cli: Run, site: str, folder: Path) -> None:
    (folder / "empty.srt").touch()
    for arguments in (["burn", f"{site}/{CLIP}", f"{site}/nothing.srt"], ["mux", f"{site}/page.mp4"]):
        ran = run_cli(*arguments)
        assert ran.code == 3, ran.stderr
        assert arguments[-1] in ran.stderr
        assert "subwhisper-" not in ran.stderr
    ran = run_cli("burn", f"{site}/{CLIP}", f"{site}/empty.srt", "--preview", "9")
    assert "subwhisper-" not in ran.stderr


def test_subtitles_that_people_wrote_are_preferred_when_asked(run_cli: Run, site: str, tiny_model: Path) -> None:
    url, wanted = f"{site}/page.html", ["--model", tiny_model, "--prefer-subtitles", *QUICK]
    ran = run_cli("transcribe", url, "-f", "srt,json", *wanted)
    assert ran.code == 0, ran.stderr
    assert "taken from the subtitles that people wrote: its page" in ran.stderr
    assert [cue.text for cue in read_track(Path("page.de.srt")).cues] == ["Written by people"] * 9
    assert json.loads(Path("page.de.json").read_text())["language"] == "de"
    ran = run_cli("transcribe", url, "--language", "en", *wanted)  # nobody wrote any: it is listened to
    assert ran.code == 0, ran.stderr
    assert Path("page.en.srt").is_file()


@pytest.mark.parametrize(
    "name",
    ["-i.mp4", "$(touch pwned).mp4", "a';touch pwned;'.mp4", "x|concat:y,z[0];.mp4", "..%2f..%2fup.mp4", "%n%s"],
)
def test_a_hostile_address_is_only_an_address(run_cli: Run, site: str, folder: Path, tmp_path: Path, name: str) -> None:
    shutil.copyfile(folder / CLIP, folder / name.replace("/", ""))
    url = f"{site}/{quote(name)}"
    here = Path.cwd()
    ran = run_cli("burn", url, f"{site}/words.de.srt", "--preview", "0.5", "--json")
    assert ran.code == 0, ran.stderr
    (written,) = map(Path, json.loads(ran.stdout)["outputs"])
    assert written.resolve().parent == here
    assert re.fullmatch(r"[\w][\w.-]*", written.name)
    assert run_cli("extract", url, "--to", "flac").code == 0
    assert run_cli("mux", url, f"{site}/words.de.srt").code == 0
    assert not [*Path().rglob("pwned"), *tmp_path.rglob("pwned")]
    assert sum(path.is_file() for path in here.iterdir()) == 3


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["shift", "--by", "1"], "words.de.shifted.srt"),
        (["stretch", "--factor", "1.1"], "words.de.stretched.srt"),
        (["split", "--at", "3"], "words.de.part2.srt"),
        (["layout"], "words.de.reflowed.srt"),
        (["convert", "-f", "vtt"], "words.de.vtt"),
        (["merge"], "words.de.merged.srt"),
        (["sync"], "words.de.synced.srt"),
        (["check"], None),
        (["diff"], None),
    ],
)
def test_every_subtitle_command_takes_a_url(
    run_cli: Run, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], name: str | None
) -> None:
    """What comes of it lies in the working folder, and nothing is named after the address."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    url = f"{site}/words.de.srt"
    done = run_cli(*command, *[url] * (2 if command[0] in {"merge", "sync", "diff"} else 1))
    assert done.code == (1 if command[0] == "check" else 0), done.stderr
    assert "/tmp" not in done.stdout + done.stderr
    assert name is None or read_track(here / name).cues
    assert {path.name for path in here.iterdir()} <= {name, "words.de.part1.srt"}


def test_what_lies_elsewhere_cannot_be_replaced(run_cli: Run, site: str) -> None:
    done = run_cli("shift", f"{site}/words.de.srt", "--by", "1", "--in-place")
    assert (done.code, "is no file that could be replaced" in done.stderr) == (2, True), done.stderr
