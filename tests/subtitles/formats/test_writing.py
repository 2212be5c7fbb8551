"""What each format's file looks like, byte for byte."""

import os
from pathlib import Path

import pytest

from subwhisper.errors import OptionError, OutputError
from subwhisper.subtitles.formats import FORMATS, ass, render, write_track
from subwhisper.subtitles.highlight import highlight_words
from subwhisper.subtitles.track import Cue, CueWord, Track

TRACK = Track(
    (
        Cue(0, 1234, ("Hello,", "world & <all>"), (CueWord(0, 500, 0, 0, 6),)),
        Cue(3_723_004, 3_725_000, ("a --> b\t{c}",)),
    ),
    "en",
)
GOLDEN = {
    "srt": """\
1
00:00:00,000 --> 00:00:01,234
Hello,
world & <all>

2
01:02:03,004 --> 01:02:05,000
a -> b\t{c}
""",
    "vtt": """\
WEBVTT

00:00.000 --> 00:01.234
Hello,
world &amp; &lt;all&gt;

01:02:03.004 --> 01:02:05.000
a --&gt; b\t{c}
""",
    "txt": "Hello, world & <all>\na --> b\t{c}\n",
    "tsv": "start\tend\ttext\n0\t1234\tHello, world & <all>\n3723004\t3725000\ta --> b {c}\n",
}


@pytest.mark.parametrize("format", GOLDEN)
def test_files_look_as_they_should(format: str) -> None:
    assert render(TRACK, format) == GOLDEN[format]


def test_ass_events_and_style() -> None:
    lines = render(TRACK, "ass").splitlines()
    assert [line for line in lines if line.startswith("Dialogue")] == [
        "Dialogue: 0,0:00:00.00,0:00:01.23,Default,,0,0,0,,Hello,\\Nworld & <all>",
        "Dialogue: 0,1:02:03.01,1:02:05.00,Default,,0,0,0,,a --> b\t\\{c\\}",  # never early: 4 ms become 10
    ]
    assert {"PlayResX: 1920", "PlayResY: 1080"} <= set(lines)
    assert any(line.startswith("Style: Default,FiraGO,58,") for line in lines)


def test_ass_for_an_upright_picture_keeps_the_size_of_the_letters() -> None:
    lines = ass.write(TRACK, width=1080, height=1920).splitlines()
    assert {"PlayResX: 1080", "PlayResY: 1920"} <= set(lines)
    assert any(line.startswith("Style: Default,FiraGO,58,") for line in lines)


@pytest.mark.parametrize(
    ("format", "empty"),
    [("srt", ""), ("vtt", "WEBVTT\n"), ("txt", ""), ("tsv", "start\tend\ttext\n")],
)
def test_no_cues_give_a_well_formed_file(format: str, empty: str) -> None:
    assert render(Track(()), format) == empty


def test_no_cues_give_a_well_formed_ass_file() -> None:
    text = render(Track(()), "ass")
    assert "[Script Info]" in text
    assert "[Events]\nFormat:" in text
    assert "Dialogue" not in text


def test_arrows_of_any_length_leave_srt_text() -> None:
    assert "a -> b -> c" in render(Track((Cue(0, 1, ("a ---> b --> c",)),)), "srt")


@pytest.mark.parametrize(
    ("format", "marked"), [("srt", "<u>Hello,</u>"), ("vtt", "<u>Hello,</u>"), ("ass", "{\\u1}Hello,{\\u0}")]
)
def test_the_word_being_said_is_underlined(format: str, marked: str) -> None:
    text = render(highlight_words(TRACK), format)
    assert text.count(marked) == 1


@pytest.mark.parametrize("format", [name for name, format in FORMATS.items() if format.write])
def test_write_track_goes_by_the_suffix_and_replaces_what_was_there(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"captions.{format.upper()}"
    path.write_text("old")
    write_track(TRACK, path)
    assert path.read_bytes().decode("utf-8") == render(TRACK, format)
    assert os.listdir(tmp_path) == [path.name]


def test_an_unknown_format_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(OptionError, match="did you mean srt"):
        render(TRACK, "strt")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "captions.srt"
    with pytest.raises(OutputError, match=str(path)):
        write_track(TRACK, path)
