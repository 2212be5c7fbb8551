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


DIALOGUE = (
    "00:11.000 --> 00:13.000\n<v Ann Lee>We are in the city\n\n00:32.500 --> 00:33.500 align:left size:50%\n<v Bo>Hm\n"
)
COMMENTS = (
    "NOTE\nBy Jo. Bear in mind:\n- lips were read\n\n00:01.000 --> 00:04.000\n— Is it cold?\n— It is.\n\nNOTE the end\n"
)
STYLES = "STYLE\n::cue {\n  color: tan;\n}\n/* no gaps */\n\nhello\n00:00.000 --> 00:10.000\nHello <b>world</b>.\n"
REGIONS = (
    "REGION\nid:fred\nwidth:40%\nlines:3\nregionanchor:0%,100%\nviewportanchor:10%,90%\nscroll:up\n\n"
    "00:00.000 --> 00:20.000 region:fred align:left\n<v Fred>I am Fred\n"
)
SUNG = "00:16.500 --> 00:18.500\nWhen the moon <00:17.500>shines for you\n"
FOREIGN = "04:05.001 --> 04:07.800\nSur les <i.foreign><lang en>playground</lang></i>, ici\n"
PLACED = "00:00.000 --> 00:04.000 position:10%,line-left align:left size:35%\nWhere is he?\n"
BOTH_WAYS = "00:00.000 --> 00:02.000\n\u202bתודה (thanks)\u202c\n<i>\u2067אני\u2069</i>\n"
CHAPTERS = "Slide 1\n00:00.000 --> 00:10.700\nTitle\n\nSlide 2\n00:10.700 --> 00:47.600\nWho we are\n"
METADATA = 'cells\n01:15.200 --> 02:18.800\n{\n"title": "Cells", "src": "x.jpg" }\n'


@pytest.mark.parametrize(
    ("body", "cues"),
    [
        (DIALOGUE, [(11_000, 13_000, "We are in the city"), (32_500, 33_500, "Hm")]),
        (COMMENTS, [(1000, 4000, "— Is it cold?|— It is.")]),
        (STYLES, [(0, 10_000, "Hello world.")]),
        (REGIONS, [(0, 20_000, "I am Fred")]),
        (SUNG, [(16_500, 18_500, "When the moon shines for you")]),
        (FOREIGN, [(245_001, 247_800, "Sur les playground, ici")]),
        (PLACED, [(0, 4000, "Where is he?")]),
        (BOTH_WAYS, [(0, 2000, "\u202bתודה (thanks)\u202c|\u2067אני\u2069")]),
        (CHAPTERS, [(0, 10_700, "Title"), (10_700, 47_600, "Who we are")]),
        (METADATA, [(75_200, 138_800, '{|"title": "Cells", "src": "x.jpg" }')]),
    ],
)
def test_every_kind_of_example_of_the_specification_is_read_and_written_back(
    body: str, cues: list[tuple[int, int, str]]
) -> None:
    """In the shapes of https://www.w3.org/TR/webvtt1/, section 1, with other words."""
    track = vtt.read(f"WEBVTT\n\n{body}", "x")
    assert [(cue.start_ms, cue.end_ms, "|".join(cue.lines)) for cue in track.cues] == cues
    assert render(track, "vtt") == f"WEBVTT\n\n{body}"
