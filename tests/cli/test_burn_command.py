"""`burn` with its options, and `fonts`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Run

from subwhisper.media.probe import probe


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,100 --> 00:00:01,500\nHello\n", encoding="utf-8")
    return path


def test_subtitle_tracks_are_kept_and_switched_off(run_cli: Run, video_file: Path, words: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    assert run_cli("mux", video_file, words, "--track-language", "de", "--default", 0, "-o", film).code == 0
    assert probe(film).subtitles[0].flags == ("default",)
    for name in ("out.mkv", "out.mp4"):
        ran = run_cli("burn", film, words, "-o", tmp_path / name)
        assert ran.code == 0, ran.stderr
        kept = probe(tmp_path / name).subtitles
        assert [(it.language, it.flags) for it in kept] == [("deu", ())]
    run_cli("burn", film, words, "-o", tmp_path / "none.mkv", "--no-keep-subtitles")
    assert probe(tmp_path / "none.mkv").subtitles == ()


def test_a_preview_is_a_picture_and_no_film(run_cli: Run, video_file: Path, words: Path, tmp_path: Path) -> None:
    output = tmp_path / "out 'with' quotes, and: more.png"
    ran = run_cli("burn", video_file, words, "--preview", "0:00.5", "--style", "box,size=90", "-o", output, "--json")
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout) == {"outputs": [str(output)]}
    assert probe(output).video[0].display_size == (160, 120)
    assert run_cli("burn", video_file, words, "--preview", "1", "-o", tmp_path / "a.mp4").code == 4
    assert "there is no picture at 9.000 s" in run_cli("burn", video_file, words, "--preview", "9").stderr


def test_a_profile_lays_a_transcript_out_and_leaves_subtitles_alone(
    run_cli: Run, video_file: Path, words: Path, tmp_path: Path
) -> None:
    said = [{"word": f" {word}", "start": n / 5, "end": n / 5 + 0.2} for n, word in enumerate(["one", "two", "three"])]
    transcript = tmp_path / "talk.json"
    segment = {"start": 0, "end": 0.6, "text": " one two three", "words": said}
    transcript.write_text(json.dumps({"text": " one two three", "language": "en", "segments": [segment]}))
    pictures = []
    for profile in ("netflix", "one-word"):
        output = tmp_path / f"{profile}.png"
        ran = run_cli("burn", video_file, transcript, "--preview", "0.3", "--profile", profile, "-o", output)
        assert ran.code == 0, ran.stderr
        pictures.append(output.read_bytes())
    assert pictures[0] != pictures[1]
    refused = run_cli("burn", video_file, words, "--profile", "bbc")
    assert (refused.code, "has its captions already" in refused.stderr) == (2, True)


def test_values_that_cannot_be_are_refused_in_a_line(run_cli: Run, video_file: Path, words: Path) -> None:
    for arguments, said in (
        (["--style", "boxy"], "did you mean box?"),
        (["--codec", "divx"], "h264, hevc, av1, vp9"),
        (["--quality", "99"], "between 0 (best) and 63"),
        (["--preview", "soon"], "is not a time"),
    ):
        ran = run_cli("burn", video_file, words, *arguments)
        assert ran.code == 2, ran.stderr
        assert said in ran.stderr


def test_hostile_text_and_fonts_are_only_drawn(
    run_cli: Run, video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What means something to a shell, an option parser or a filter graph must not reach one."""
    monkeypatch.chdir(tmp_path)
    said = "-i x', drawtext=textfile=/etc/passwd:[a];$(touch hacked)`touch hacked`%{pts}|touch hacked"
    Path("words.srt").write_text(f"1\n00:00:00,100 --> 00:00:01,500\n{said}\n", encoding="utf-8")
    ran = run_cli("burn", video_file, "words.srt", "-o", "out.mkv", "--style", "font=a':fontsdir=/;[x]")
    assert ran.code == 0, ran.stderr
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"words.srt", "out.mkv"}


def test_fonts_are_listed_with_the_scripts_they_lack(
    run_cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "nothing.conf").write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "nothing.conf"))
    monkeypatch.setenv("SUBWHISPER_DATA", str(tmp_path / "data"))
    found = json.loads(run_cli("fonts", "list", "--json").stdout)
    assert {"Latin", "Cyrillic", "Arabic", "Devanagari", "Thai", "music notes"} <= {*found["scripts"]}
    assert {"Chinese", "Japanese", "Korean"} <= {*found["missing"]}
    assert "missing   Korean: no font has 한국어" in run_cli("fonts", "list").stdout


def test_a_font_is_added_and_what_is_none_is_refused(
    run_cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SUBWHISPER_DATA", str(tmp_path / "data"))
    shipped = json.loads(run_cli("fonts", "list", "--json").stdout)["package"][0]
    assert run_cli("fonts", "add", shipped).code == 0
    added = json.loads(run_cli("fonts", "list", "--json").stdout)["added"]
    assert [Path(path).name for path in added] == [Path(shipped).name]
    (tmp_path / "notes.ttf").write_text("no font")
    refused = run_cli("fonts", "add", tmp_path / "notes.ttf")
    assert (refused.code, "is no font" in refused.stderr) == (3, True)


def test_chinese_and_japanese_characters_are_drawn_in_their_own_ways(
    run_cli: Run, video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One font has them all, and needs to be told the language."""
    fonts = sorted(Path("/usr/share/fonts").rglob("NotoSansCJK-Regular.ttc"))
    if not fonts:
        pytest.skip("fonts-noto-cjk is not installed")
    (tmp_path / "nothing.conf").write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "nothing.conf"))
    monkeypatch.setenv("SUBWHISPER_DATA", str(tmp_path / "data"))
    assert run_cli("fonts", "add", fonts[0]).code == 0
    drawn = {}
    for language in ("zh", "ja", "ko", "zh-TW", "en"):
        captions = tmp_path / f"film.{language}.srt"
        captions.write_text("1\n00:00:00,000 --> 00:00:02,000\n直骨今令门与角\n", encoding="utf-8")
        picture = tmp_path / f"{language}.png"
        ran = run_cli("burn", video_file, captions, "--preview", 1, "--style", "size=300", "--strict", "-o", picture)
        assert ran.code == 0, ran.stderr
        drawn[language] = picture.read_bytes()
    assert drawn["zh"] != drawn["ja"]
    assert drawn["zh-TW"] == drawn["en"]


def test_a_warning_is_said_once(video_file: Path, tmp_path: Path) -> None:
    """As a program of its own: pytest's own logging hides what a second voice would say."""
    captions = tmp_path / "odd.srt"
    captions.write_text("1\n00:00:00,000 --> 00:00:02,000\nA \U0010fffd B\n", encoding="utf-8")
    burning = ["burn", video_file, captions, "--preview", "1", "-o", tmp_path / "a.png"]
    command = [sys.executable, "-m", "subwhisper", *burning]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("U+10FFFD") == 1, ran.stderr
