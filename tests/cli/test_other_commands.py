"""`burn`, `models`, `doctor`, and what the console says."""

import json
import logging
import sys
from pathlib import Path

import pytest
from command_line import Run

from subwhisper.cli import console
from subwhisper.errors import MediaError


def captions(folder: Path) -> Path:
    path = folder / "words.srt"
    path.write_text("1\n00:00:00,100 --> 00:00:01,500\nHello\n", encoding="utf-8")
    return path


def test_captions_are_drawn_into_a_video(run_cli: Run, video_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out 'with' quotes, and: more.mp4"
    ran = run_cli("burn", video_file, captions(tmp_path), "-o", output, "--json")
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout) == {"outputs": [str(output)]}
    assert output.stat().st_size > 0


def test_a_script_is_drawn_with_its_own_styles(
    run_cli: Run, video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from subwhisper.pipeline import burn

    drawn: list[str] = []
    monkeypatch.setattr(burn, "burn", lambda video, script, target, **more: drawn.append(script.read_text()))
    script = tmp_path / "own.ass"
    dialogue = "Dialogue: 0,0:00:00.10,0:00:01.00,Odd,,0,0,0,,{\\b1}Hello"
    head = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
    script.write_text(f"[Script Info]\nScriptType: v4.00+\n\n[Events]\n{head}\n{dialogue}\n")
    ran = run_cli("burn", video_file, script, "-o", tmp_path / "out.mp4")
    assert ran.code == 0, ran.stderr
    assert drawn == [script.read_text()]


@pytest.mark.parametrize("name", ["words.srt", "words.ass"])
def test_subtitles_in_another_encoding_can_be_drawn(
    run_cli: Run, video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from subwhisper.pipeline import burn
    from subwhisper.subtitles.formats import render
    from subwhisper.subtitles.track import Cue, Track

    drawn: list[str] = []
    monkeypatch.setattr(burn, "burn", lambda video, script, target, **more: drawn.append(script.read_text()))
    words = tmp_path / name
    text = render(Track((Cue(100, 1500, ("voil\u00e0",)),)), words.suffix[1:])
    words.write_bytes(text.encode("cp1252"))
    ran = run_cli("burn", video_file, words, "-o", tmp_path / "out.mp4")
    assert ran.code == 0
    assert "read as cp1252, a guess" in ran.stderr
    assert run_cli("burn", video_file, words, "-o", tmp_path / "out.mp4", "--encoding", "cp1252").code == 0
    assert run_cli("burn", video_file, words, "-o", tmp_path / "out.mp4", "--encoding", "klingon").code == 2
    words.write_bytes(text.encode("utf-16"))
    assert run_cli("burn", video_file, words, "-o", tmp_path / "out.mp4").code == 0
    assert ["voil\u00e0" in script for script in drawn] == [True, True, True]


def test_the_words_of_a_transcript_are_drawn_as_layout_sets_them(
    run_cli: Run, video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its segments was one cue on one line, however long."""
    from subwhisper.pipeline import burn

    drawn: list[str] = []
    monkeypatch.setattr(burn, "burn", lambda video, script, target, **more: drawn.append(script.read_text()))
    spoken = [f" word{index}{'.' if index % 9 == 8 else ''}" for index in range(27)]
    words = [{"word": word, "start": at / 3, "end": at / 3 + 0.3} for at, word in enumerate(spoken)]
    segment = {"start": 0.0, "end": 9.0, "text": "".join(spoken), "words": words}
    result = tmp_path / "talk.en.json"
    result.write_text(json.dumps({"language": "en", "text": segment["text"], "segments": [segment]}))

    assert run_cli("layout", result, "-f", "srt").code == 0
    for subtitles in (result, result.with_suffix(".srt")):
        ran = run_cli("burn", video_file, subtitles, "-o", tmp_path / "out.mp4")
        assert ran.code == 0, ran.stderr
    assert drawn[0] == drawn[1]
    assert drawn[0].count("Dialogue:") > 2


def test_a_burn_without_captions_says_so(run_cli: Run, video_file: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.srt"
    empty.touch()
    ran = run_cli("burn", video_file, empty, "-o", tmp_path / "out.mp4")
    assert ran.code == 0
    assert "empty.srt holds no captions" in ran.stderr
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_models_are_listed(run_cli: Run) -> None:
    ran = run_cli("models", "list", "--json")
    rows = {row["name"]: row for row in json.loads(ran.stdout)["models"]}
    assert rows["large-v3-turbo"]["aliases"] == ["turbo"]
    assert not any(row["present"] for row in rows.values())
    assert "tiny.en" in run_cli("models", "list").stdout


@pytest.mark.parametrize(("name", "code"), [("tiny", 6), ("smal", 5), ("bundled", 5), ("./folder", 5)])
def test_only_a_known_model_can_be_fetched_and_only_online(run_cli: Run, name: str, code: int) -> None:
    ran = run_cli("models", "pull", name)
    assert ran.code == code
    assert name in ran.stderr


def test_doctor_finds_everything_and_says_what_to_do(run_cli: Run) -> None:
    ran = run_cli("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(ran.stdout)["findings"]}
    wanted = {
        "ffmpeg for decoding",
        "ffmpeg for burning",
        "fonts",
        "torch",
        "device",
        "cache",
        "models",
        "configuration",
    }
    assert wanted <= findings.keys()
    assert "subwhisper models download" in findings["models"]["remedy"]
    assert ran.code == 0, ran.stderr
    assert "fonts" in run_cli("doctor").stdout


def test_doctor_fails_when_nothing_can_decode(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBWHISPER_FFMPEG", "no-such-ffmpeg")
    ran = run_cli("doctor")
    assert ran.code == 1
    assert "no-such-ffmpeg" in ran.stdout
    assert "Traceback" not in ran.stderr


def test_doctor_says_one_fault_once(run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBWHISPER_FFMPEG", "/nonsense")
    assert run_cli("doctor").stdout.count("/nonsense is not a program") == 1


def test_doctor_tells_of_a_broken_configuration_among_the_rest(run_cli: Run) -> None:
    Path("subwhisper.toml").write_text("modle = 'tiny'\n")
    ran = run_cli("doctor", "--json")
    assert ran.code == 1
    findings = {finding["name"]: finding for finding in json.loads(ran.stdout)["findings"]}
    assert findings["fonts"]["healthy"]
    assert "modle" in findings["configuration"]["detail"]
    assert "did you mean model?" in findings["configuration"]["remedy"]


@pytest.mark.parametrize("group", [[], ["models"]])
def test_a_group_alone_shows_what_is_in_it(run_cli: Run, group: list[str]) -> None:
    ran = run_cli(*group)
    assert (ran.code, ran.stderr) == (0, "")
    assert "Commands" in ran.stdout


def test_the_version_and_completion_are_there(run_cli: Run) -> None:
    assert run_cli("--version").stdout.startswith("subwhisper 0.")
    assert "--install-completion" in run_cli("--help").stdout


def test_the_librarys_warnings_are_shown_unless_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        with console.Console(quiet=quiet):
            logging.getLogger("subwhisper.somewhere").warning("the %s is odd", "file")
    assert capfd.readouterr().err == "subwhisper: the file is odd\n"


def test_without_a_terminal_progress_is_a_line_now_and_then(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 100.0, 105.0, 111.0, 111.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.Console() as said, said.working():
        for done in (1, 2, 3):
            said.progress("transcribing", done, 4)
    assert capfd.readouterr().err == "transcribing: 75 %\n"


def test_on_a_terminal_a_bar_moves_and_lines_stand_above_it(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with console.Console() as said, said.working():
        said.progress("fetching [model]", 1, 4)
        said.progress("transcribing", 1, None)
        said.line("wrote [bold]a.srt")
        said.fail(MediaError("b.mp4 has no sound", hint="look"))
    shown = capfd.readouterr().err
    assert "wrote [bold]a.srt" in shown
    assert "b.mp4 has no sound" in shown
