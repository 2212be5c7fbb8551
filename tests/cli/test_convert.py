import json
import sys
from pathlib import Path

import pytest
from command_line import Run

from subwhisper.subtitles.formats import read_track

ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,Default,Ann,0,0,0,,{\\an8\\fad(100,100)}one {\\i1}two{\\i0}\n"
    "Dialogue: 0,0:00:0x.00,0:00:02.00,Default,,0,0,0,,broken\n"
)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "film.ass"
    path.write_text(ASS)
    return path


def test_one_file_becomes_several_and_what_was_lost_and_put_right_is_told(run_cli: Run, script: Path) -> None:
    ran = run_cli("convert", script, "-f", "srt,vtt")
    assert ran.code == 0, ran.stderr
    assert script.with_suffix(".srt").read_text() == "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}one <i>two</i>\n"
    assert "<v Ann>one <i>two</i></v>" in script.with_suffix(".vtt").read_text()
    assert "film.ass, line 11: left out an event whose time cannot be read" in ran.stderr
    assert "srt cannot hold: \\fad (1), style sheet (1), voice (1)" in ran.stderr


def test_the_report_for_programs_has_losses_and_repairs(run_cli: Run, script: Path) -> None:
    ran = run_cli("convert", script, "-o", script.with_name("out.tsv"), "--json", "-q")
    (row,) = json.loads(ran.stdout)["inputs"]
    assert row["outputs"][0]["format"] == "tsv"
    assert {"kind": "italic", "count": 1} in row["outputs"][0]["losses"]
    assert [repair["line"] for repair in row["repairs"]] == [11]
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["film.ass"], 2, "--format"),
        (["film.ass", "-f", "vttt"], 2, "did you mean vtt"),
        (["film.ass", "-f", "srt", "--encoding", "klingon"], 2, "klingon"),
        (["film.ass", "film.ass", "-o", "x.srt"], 2, "--output-dir"),
        (["film.ass", "-f", "ass"], 4, "is an input"),
        (["film.ass", "other/film.ass", "-f", "srt", "--output-dir", "out"], 4, "would both write"),
        (["missing.srt", "-f", "vtt"], 3, "missing.srt"),
        (["letter.txt", "-f", "vtt"], 3, "no times to read"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    run_cli: Run, script: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(script.parent)
    Path("other").mkdir()
    Path("other/film.ass").write_text(ASS)
    Path("letter.txt").write_text("Dear friend\n")
    ran = run_cli("convert", *arguments)
    assert ran.code == code
    assert said in ran.stderr
    assert script.read_text() == ASS
    assert not Path("out").exists() or not any(Path("out").iterdir())


def test_a_bad_file_does_not_stop_the_others_and_a_folder_gives_its_files(run_cli: Run, script: Path) -> None:
    (script.parent / "empty.srt").touch()
    ran = run_cli("convert", script.parent, "-f", "csv")
    assert ran.code == 10
    assert "empty.srt holds no captions" in ran.stderr
    assert script.with_suffix(".csv").exists()


def test_microdvd_without_a_rate_takes_the_one_given(run_cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "old.sub"
    path.write_text("{25}{50}{y:i}one|two\n")
    assert run_cli("convert", path, "-f", "srt", "--fps", "25").code == 0
    assert path.with_suffix(".srt").read_text() == "1\n00:00:01,000 --> 00:00:02,000\n<i>one</i>\ntwo\n"


def test_reading_a_broadcast_format_names_the_extra_when_it_is_missing(
    run_cli: Run, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_cli("convert", script, "-f", "scc").code == 0
    monkeypatch.setitem(sys.modules, "ttconv.scc.reader", None)
    ran = run_cli("convert", script.with_suffix(".scc"), "-f", "srt")
    assert ran.code == 8
    assert "subwhisper[broadcast]" in ran.stderr


def test_a_result_of_openai_whisper_becomes_captions(run_cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(
        json.dumps({"text": " Hi.", "language": "en", "segments": [{"start": 0, "end": 1.5, "text": " Hi."}]})
    )
    assert run_cli("convert", path, "-f", "srt").code == 0
    assert path.with_suffix(".srt").read_text() == "1\n00:00:00,000 --> 00:00:01,500\nHi.\n"


def test_the_words_of_a_transcript_are_laid_out(run_cli: Run, tmp_path: Path) -> None:
    """As `layout` does it: not a caption as long as what was recognised at once."""
    texts = [f" word{n}{',' if n % 9 == 8 else ''}" for n in range(30)]
    said = [{"word": text, "start": n / 2, "end": n / 2 + 0.4} for n, text in enumerate(texts)]
    segment = {"start": 0, "end": 15, "text": "".join(texts), "words": said}
    talk = tmp_path / "talk.json"
    talk.write_text(json.dumps({"text": "".join(texts), "language": "en", "segments": [segment]}))
    assert run_cli("convert", talk, "-o", tmp_path / "converted.srt").code == 0
    assert run_cli("layout", talk, "-o", tmp_path / "laid out.srt").code == 0
    assert (tmp_path / "converted.srt").read_text() == (tmp_path / "laid out.srt").read_text()
    assert len(read_track(tmp_path / "converted.srt").cues) > 2
