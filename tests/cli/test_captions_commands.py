"""`layout` and `check`, as typed."""

import json
from pathlib import Path

import pytest
from command_line import Run

from subwhisper.transcript import Segment, Transcript, Word

SAID = "This is a short story about words and time. When people say nothing, you see nothing at all."


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A transcript as `transcribe -f json` writes it."""
    words = tuple(Word(f" {word}", 1 + index * 0.4, 1.4 + index * 0.4) for index, word in enumerate(SAID.split()))
    path = tmp_path / "talk.en.json"
    path.write_text(Transcript((Segment(1.0, 9.0, f" {SAID}", words=words),), "en").to_json())
    return path


def test_a_transcript_is_laid_out_beside_itself(run_cli: Run, talk: Path) -> None:
    ran = run_cli("layout", talk, "-f", "srt,vtt")
    assert ran.code == 0, ran.stderr
    captions = talk.with_name("talk.en.srt").read_text()
    assert "This is a short story\nabout words and time." in captions
    assert talk.with_name("talk.en.vtt").read_text().startswith("WEBVTT")
    assert "by the rules of netflix" in ran.stderr


def test_layout_says_what_a_format_cannot_hold(run_cli: Run, talk: Path) -> None:
    ran = run_cli("layout", talk, "-f", "srt,lrc,txt", "--json")
    assert ran.code == 0, ran.stderr
    assert ran.stderr.count("cannot hold") == 1
    assert "\n  lrc cannot hold: " in ran.stderr
    assert "line break (2)" in ran.stderr
    told = {Path(path).name: lost for path, lost in json.loads(ran.stdout)["losses"].items()}
    assert {"kind": "line break", "count": 2} in told.pop("talk.en.lrc")
    assert not told


def test_check_says_where_it_does_not_know_the_language(run_cli: Run, talk: Path, tmp_path: Path) -> None:
    nameless = tmp_path / "words.srt"
    assert run_cli("layout", talk, "-o", nameless).code == 0
    assert "language: not known" in run_cli("check", nameless).stdout
    assert "language: not known" not in run_cli("check", nameless, "--language", "en").stdout


def test_another_profile_gives_other_captions(run_cli: Run, talk: Path, tmp_path: Path) -> None:
    target = tmp_path / "words.srt"
    assert run_cli("layout", talk, "--standard", "one-word", "-o", target).code == 0
    assert target.read_text().count("-->") == len(SAID.split())


def test_options_of_openai_whisper_are_understood(run_cli: Run, talk: Path, tmp_path: Path) -> None:
    target = tmp_path / "narrow.srt"
    assert run_cli("layout", talk, "--max_line_width", "20", "--max_line_count", "1", "-o", target).code == 0
    lines = [line for line in target.read_text().splitlines() if line and not line[0].isdigit()]
    assert all(len(line) <= 20 for line in lines)


def test_old_subtitles_are_reflowed(run_cli: Run, tmp_path: Path) -> None:
    old = tmp_path / "film.en.srt"
    old.write_text(f"1\n00:00:01,000 --> 00:00:09,000\n{SAID}\n")
    assert run_cli("layout", old).code == 0
    assert old.read_text().endswith(f"{SAID}\n")
    new = tmp_path / "film.en.reflowed.srt"
    assert new.read_text().count("-->") == 2
    assert run_cli("check", new).code == 0
    assert run_cli("check", old).code == 1


def test_nothing_is_written_over_the_input(run_cli: Run, tmp_path: Path) -> None:
    old = tmp_path / "film.en.srt"
    old.write_text(f"1\n00:00:01,000 --> 00:00:09,000\n{SAID}\n")
    before = old.read_bytes()
    assert run_cli("layout", old, "-o", old).code == 4
    assert old.read_bytes() == before


def test_check_reports_for_programs(run_cli: Run, talk: Path) -> None:
    ran = run_cli("check", talk, "--json", "--profile", "netflix-children")
    document = json.loads(ran.stdout)
    assert document["profile"] == "netflix-children"
    assert document["passes"] is (ran.code == 0)
    assert {"rule", "limit", "pass_rate", "findings"} <= document["rules"][0].keys()


def test_check_writes_a_page(run_cli: Run, talk: Path) -> None:
    ran = run_cli("check", talk, "--html")
    assert ran.stdout.startswith("<!DOCTYPE html>")


def test_check_tells_the_cue_the_rule_and_the_reason(run_cli: Run, tmp_path: Path) -> None:
    words = tuple(Word(f" {word}", 1 + index * 0.1, 1.1 + index * 0.1) for index, word in enumerate(SAID.split()))
    path = tmp_path / "fast.json"
    path.write_text(Transcript((Segment(1.0, 3.0, f" {SAID}", words=words),), "en").to_json())
    ran = run_cli("check", path)
    assert ran.code == 1
    assert "Reading speed: at most 20 characters a second" in ran.stdout
    assert "said at" in ran.stdout


def test_the_language_comes_from_the_name(run_cli: Run, tmp_path: Path) -> None:
    for language in ("fr", "en"):
        (tmp_path / f"film.{language}.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nnineteen characters\n")
    assert run_cli("check", tmp_path / "film.en.srt").code == 0
    assert run_cli("check", tmp_path / "film.fr.srt").code == 1  # French is read at 17 a second
    assert run_cli("check", tmp_path / "film.fr.srt", "--language", "English").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check", "missing.srt"], 3, "missing.srt"),
        (["layout", "missing.json"], 3, "missing.json"),
        (["check", "{talk}", "--profile", "netflx"], 2, "netflix"),
        (["check", "{talk}", "--profile", "own.toml"], 7, "own.toml"),
        (["check", "{talk}", "--json", "--html"], 2, "--html"),
        (["check", "{talk}", "--shots", "1,x"], 2, "--shots"),
        (["check", "{talk}", "--fps", "0"], 2, "frame rate"),
        (["check", "{talk}", "--video", "missing.mp4"], 3, "missing.mp4"),
        (["layout", "{talk}", "-f", "srtt"], 2, "srt"),
        (["layout", "{talk}", "--min-duration", "9"], 2, "max_duration"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(run_cli: Run, talk: Path, arguments: list[str], code: int, said: str) -> None:
    ran = run_cli(*(argument.format(talk=talk) for argument in arguments))
    assert ran.code == code
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_captions_kept_as_json_are_checked_as_they_are(run_cli: Run, tmp_path: Path) -> None:
    old, kept = tmp_path / "film.en.srt", tmp_path / "film.en.json"
    old.write_text(f"1\n00:00:01,000 --> 00:00:09,000\n{SAID}\n")
    assert run_cli("convert", old, "-o", kept).code == 0
    assert run_cli("check", kept).code == 1
    assert run_cli("layout", kept, "-o", tmp_path / "new.json").code == 0
    assert run_cli("check", tmp_path / "new.json").code == 0


def test_text_is_worded_on_the_way(run_cli: Run, talk: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("Short Story: short story\n")
    target = tmp_path / "talk.srt"
    ran = run_cli("layout", talk, "--replacements", names, "--casing", "upper", "-o", target)
    assert ran.code == 0, ran.stderr
    assert "THIS IS A SHORT STORY" in target.read_text()
    assert run_cli("layout", talk, "--casing", "loud").code == 2


def test_a_video_gives_its_frames(run_cli: Run, talk: Path, samples: Path, tmp_path: Path) -> None:
    target = tmp_path / "talk.srt"
    ran = run_cli("layout", talk, "--video", samples / "video" / "nasa_13013.mp4", "-o", target)
    assert ran.code == 0, ran.stderr
