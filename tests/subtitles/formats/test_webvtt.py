"""WebVTT by its specification: what each feature means, and that another reader finds in our files what we wrote."""

from pathlib import Path

import pytest
import webvtt

from subwhisper.subtitles.formats import read_track, render, vtt
from subwhisper.subtitles.markup import CueSpan, Placement, Style
from subwhisper.subtitles.track import Cue, CueWord, Track

HEAD = "WEBVTT\n\n00:01.000 --> 00:05.000{}\n{}\n"


def read_cue(text: str, settings: str = "") -> Cue:
    (cue,) = vtt.read(HEAD.format(settings and f" {settings}", text), "x").cues
    return cue


@pytest.mark.parametrize(
    ("text", "line", "spans"),
    [
        ("<b>a</b> <i>b</i> <u>c</u>", "a b c",
         [(0, 1, Style(bold=True)), (2, 3, Style(italic=True)), (4, 5, Style(underline=True))]),
        ("<i>a <b>b</b></i>", "a b", [(0, 2, Style(italic=True)), (2, 3, Style(italic=True, bold=True))]),
        ("<c.yellow.bg_blue.loud>a</c>", "a",
         [(0, 1, Style(colour="#ffff00", background="#0000ff", classes=("loud",)))]),
        ("<i>never closed", "never closed", [(0, 12, Style(italic=True))]),
        ("</i>closed only", "closed only", []),
        ("&lt;b&gt; &amp; &lrm;&nbsp;x", "<b> & \u200e\u00a0x", []),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2", []),
        ("<unknown>x</unknown>", "x", []),
    ],
)  # fmt: skip
def test_tags_and_entities(text: str, line: str, spans: list[tuple[int, int, Style]]) -> None:
    cue = read_cue(text)
    assert cue.lines == (line,)
    assert [(span.first, span.stop, span.style) for span in cue.spans] == spans


def test_voices_languages_and_ruby() -> None:
    cue = read_cue("<v.loud Ann Lee>So</v>\n<lang ja><ruby>漢<rt>かん</rt>字<rt>じ</ruby></lang>")
    assert cue.lines == ("So", "漢字")
    assert cue.spans == (
        CueSpan(0, 0, 2, Style(classes=("loud",)), "Ann Lee"),
        CueSpan(1, 0, 1, ruby="かん", language="ja"),
        CueSpan(1, 1, 2, ruby="じ", language="ja"),
    )


def test_inline_times_are_when_words_are_said() -> None:
    cue = read_cue("so <00:02.000>far <00:01.500><00:00:03.500>so good")  # one goes back, and is no time
    assert cue.words == (CueWord(1000, 2000, 0, 0, 2), CueWord(2000, 3500, 0, 3, 6), CueWord(3500, 5000, 0, 7, 14))


@pytest.mark.parametrize(
    ("settings", "placement", "unheld"),
    [
        ("", None, ()),
        ("line:0", Placement("top"), ()),
        ("line:-1", None, ()),
        ("line:50%,center", Placement("middle", y=50), ()),
        ("line:90%,end align:start position:10%", Placement("bottom", "left", 10, 90), ()),
        ("align:end", Placement("bottom", "right"), ()),
        ("position:20%,line-left align:left", Placement("bottom", "left", 20), ()),
        ("line:3", Placement("top"), ("line number",)),
        ("size:50% region:fred", None, ("cue setting size", "cue setting region")),
        ("vertical:rl line:0", None, ("cue setting vertical",)),
    ],
)
def test_cue_settings(settings: str, placement: Placement | None, unheld: tuple[str, ...]) -> None:
    cue = read_cue("x", settings)
    assert cue.placement == placement
    assert cue.raw is not None
    assert (cue.raw.settings, cue.raw.unheld) == (settings, unheld)


def test_style_sheets_give_classes_their_looks() -> None:
    text = (
        "WEBVTT\n\nSTYLE\n::cue(.shout) { color: #f00; font-weight: bold }\n\n00:01.000 --> 00:02.000\n<c.shout>x</c>\n"
    )
    (span,) = vtt.read(text, "x").cues[0].spans
    assert span.style == Style(bold=True, colour="#ff0000", classes=("shout",))


def test_blocks_names_and_settings_come_back_where_they_were() -> None:
    text = (
        "WEBVTT - a title\nKind: captions\n\nREGION\nid:fred\nwidth:40%\n\n"
        "STYLE\n::cue { color: white }\n\nNOTE first\n\n"
        "one\n00:01.000 --> 00:02.000 region:fred align:left\n<v Ann>x &amp; y</v>\n\nNOTE\nin between\n\n"
        "00:03.000 --> 00:04.000\n<c.loud>z\n\nNOTE last\n"
    )
    assert render(vtt.read(text, "x"), "vtt") == text


def test_colours_without_a_class_of_their_own_get_one() -> None:
    track = Track((Cue(1000, 2000, ("x",)).marked(Style(colour="#ff8800")),))
    text = render(track, "vtt")
    assert "::cue(.xff8800) { color: #ff8800; }" in text
    assert vtt.read(text, "x") == track
    assert render(vtt.read(text, "x"), "vtt") == text


def test_another_reader_finds_what_we_wrote(samples: Path, tmp_path: Path) -> None:
    for source in sorted((samples / "subtitles").glob("*.vtt")):
        track = read_track(source, report=lambda _: None)
        written = tmp_path / source.name
        written.write_text(render(track, "vtt"), encoding="utf-8")
        theirs = webvtt.read(str(written))
        assert [(caption.start_in_seconds, caption.end_in_seconds) for caption in theirs] == [
            (cue.start_ms // 1000, cue.end_ms // 1000) for cue in track.cues
        ]
        assert [caption.raw_text for caption in theirs] == [cue.raw.text for cue in track.cues if cue.raw]
