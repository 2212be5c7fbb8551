"""A conversion keeps what the target can hold and reports the rest: nothing goes without a word."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_back import differences, read_back

from subwhisper.subtitles.formats import FORMATS, encode, format_name, read_track, render
from subwhisper.subtitles.formats.losses import find_losses
from subwhisper.subtitles.markup import CueSpan, Placement, Style
from subwhisper.subtitles.track import Cue, CueWord, Track

PLAIN = Cue(1000, 2000, ("one two", "three"))
WORDS = (CueWord(1000, 1200, 0, 0, 3), CueWord(1200, 1500, 0, 4, 7), CueWord(1500, 2000, 1, 0, 5))
MARKED = {
    "bold": PLAIN.marked(Style(bold=True)),
    "italic": PLAIN.marked(Style(italic=True)),
    "underline": PLAIN.marked(Style(underline=True)),
    "strikeout": PLAIN.marked(Style(strikeout=True)),
    "colour": PLAIN.marked(Style(colour="#ff8800")),
    "background": PLAIN.marked(Style(background="#112233")),
    "font": PLAIN.marked(Style(font="Courier")),
    "letter size": PLAIN.marked(Style(size="30")),
    "class": PLAIN.marked(Style(classes=("loud",))),
    "voice": PLAIN.marked(voice="Ann"),
    "ruby": replace(PLAIN, spans=(CueSpan(0, 0, 3, ruby="1"),)),
    "language": replace(PLAIN, spans=(CueSpan(0, 0, 3, language="fr"),)),
    "position": replace(PLAIN, placement=Placement("top", "left")),
    "line break": PLAIN,
    "exact time": Cue(1003, 2007, ("one",)),
    "word time": replace(PLAIN, words=WORDS),
}
HELD = {
    "srt": {"bold", "italic", "underline", "strikeout", "colour", "font", "letter size", "position", "line break",
            "exact time"},
    "vtt": {"bold", "italic", "underline", "colour", "background", "class", "voice", "ruby", "language", "position",
            "line break", "exact time", "word time"},
    "ass": {"bold", "italic", "underline", "strikeout", "colour", "font", "letter size", "voice", "position",
            "line break", "word time"},
    "ttml": {"bold", "italic", "underline", "strikeout", "colour", "background", "font", "letter size", "voice", "ruby",
             "language", "position", "line break", "exact time", "word time"},
    "json": {*MARKED},
    "lrc": {"word time"},
    "sbv": {"line break", "exact time"},
    "tsv": {"exact time"},
    "csv": {"voice", "line break", "exact time"},
    "sub": {"bold", "italic", "underline", "colour", "line break"},
    "mpl": {"italic", "line break"},
    "smi": {"bold", "italic", "underline", "strikeout", "colour", "line break", "exact time"},
    "scc": {"italic", "underline", "line break"},
    "stl": {"italic", "underline", "position", "line break"},
    "txt": set(),
}  # fmt: skip
TIMELESS = {"sub", "scc", "stl", "txt"}
"""Formats whose times are frames, or none: what they do to times is told apart."""


@pytest.mark.parametrize("kind", MARKED)
@pytest.mark.parametrize("format", HELD)
def test_each_kind_of_mark_survives_or_is_reported(format: str, kind: str) -> None:
    track = Track((MARKED[kind],), karaoke=kind == "word time")
    kinds = {loss.kind for loss in find_losses(track, format, encode(track, format))}
    if format in TIMELESS and kind == "exact time":
        assert kinds & {"exact time", "time"}
    elif kind in HELD[format]:
        assert kind not in kinds
    else:
        assert kind in kinds


STYLES = st.builds(
    Style,
    bold=st.booleans(), italic=st.booleans(), underline=st.booleans(), strikeout=st.booleans(),
    colour=st.sampled_from([None, "#ff0000", "#123456"]), background=st.sampled_from([None, None, "#000000"]),
    font=st.sampled_from([None, None, "Arial"]), size=st.sampled_from([None, None, "12"]),
    classes=st.sampled_from([(), (), ("x",)]),
)  # fmt: skip
SPANS = st.builds(
    CueSpan,
    line=st.just(0), first=st.integers(0, 4), stop=st.integers(5, 11), style=STYLES,
    voice=st.sampled_from([None, "Ann", "Bo"]), ruby=st.sampled_from([None, None, "r"]), language=st.just(None),
)  # fmt: skip
PLACES = st.none() | st.builds(
    Placement, row=st.sampled_from(["top", "middle", "bottom"]), side=st.sampled_from(["left", "center", "right"])
)


@st.composite
def marked_tracks(draw: st.DrawFn) -> Track:
    cues = []
    for number in range(draw(st.integers(1, 3))):
        spans = draw(st.lists(SPANS, max_size=1))
        cue = Cue(number * 1000, number * 1000 + 990, ("hello world", "!"), spans=tuple(spans), placement=draw(PLACES))
        cues.append(cue)
    return Track(tuple(cues))


@pytest.mark.parametrize("format", ["srt", "vtt", "ass", "ssa", "ttml", "json", "smi", "sub", "mpl", "stl"])
@settings(max_examples=60, deadline=None)
@given(track=marked_tracks())
def test_what_comes_back_otherwise_was_reported(format: str, track: Track) -> None:
    content = encode(track, format)
    back = read_back(content, format)
    told = {loss.kind for loss in find_losses(track, format, content)}
    for before, after in zip(track.cues, back.cues, strict=True):
        assert {*differences(before, after)} <= told


@pytest.mark.parametrize("format", ["ass", "ttml", "vtt"])
def test_a_size_of_one_format_is_no_size_in_another(format: str) -> None:
    read = FORMATS["srt"].read
    assert read is not None
    track = read('1\n00:00:01,000 --> 00:00:02,000\n<font size="8">small</font>\n', "x", None)
    content = encode(track, format)
    assert b"\\fs8" not in content
    assert b'fontSize="8"' not in content
    assert [loss.kind for loss in find_losses(track, format, content)] == ["letter size"]
    assert 'size="8"' in render(track, "srt")


def test_counts_are_of_cues() -> None:
    track = Track(
        (MARKED["italic"], replace(PLAIN, start_ms=3000, end_ms=4000), MARKED["voice"].retimed(lambda t: t + 4000))
    )
    assert {loss.kind: loss.count for loss in find_losses(track, "tsv", encode(track, "tsv"))} == {
        "italic": 1, "voice": 1, "line break": 3,
    }  # fmt: skip


CAPTIONS = ["srt", "vtt", "ass", "ssa", "ttml", "xml"]


def sample_files(folder: Path) -> list[Path]:
    return [path for path in sorted((folder / "subtitles").iterdir()) if path.suffix[1:] in CAPTIONS]


def test_every_sample_comes_back_whole_in_its_own_format(samples: Path) -> None:
    for path in sample_files(samples):
        track = read_track(path, report=lambda _: None)
        format = format_name(path.suffix[1:])
        content = encode(track, format)
        read = FORMATS[format].read
        assert read is not None
        repairs: list[object] = []
        back = read(content.decode(), "x", repairs.append)
        assert back == track, path.name
        assert [
            cue.raw and (cue.raw.text, cue.raw.settings, cue.raw.name) for cue in back.cues if format != "ttml"
        ] == [cue.raw and (cue.raw.text, cue.raw.settings, cue.raw.name) for cue in track.cues if format != "ttml"], (
            path.name
        )
        assert repairs == []
        assert find_losses(track, format, content) == ()


@pytest.mark.parametrize("name", ["capability_tester.srt", "made-mixed-rtl-cjk.vtt", "subtitleedit-test.ass",
                                  "ttml_example.ttml", "ttml_example_apple.ttml"])  # fmt: skip
@pytest.mark.parametrize("format", ["srt", "vtt", "ass", "ttml", "json", "smi", "lrc", "sbv"])
def test_samples_keep_their_words_in_every_format(samples: Path, name: str, format: str) -> None:
    track = read_track(samples / "subtitles" / name, report=lambda _: None)
    read: Callable[..., Track] | None = FORMATS[format].read
    assert read is not None
    back = read(render(track, format), "x", lambda _: None)
    words = " ".join(cue.text for cue in track.cues).replace("-->", "->").split()
    assert " ".join(cue.text for cue in back.cues).split() == words
