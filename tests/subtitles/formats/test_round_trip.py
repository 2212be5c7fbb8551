"""Write, then read: nothing may be lost that the format can hold."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subwhisper.errors import InputError
from subwhisper.subtitles.formats import FORMATS, render
from subwhisper.subtitles.formats.ass import plain
from subwhisper.subtitles.script import clean
from subwhisper.subtitles.track import Cue, Track

LINES = (
    st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("{}\\<>&-> Nnh0123\u2060\u200b")), max_size=30)
    .map(lambda text: clean(text).strip())
    .filter(lambda line: line and "\u2060" not in line)
)


READABLE = [name for name, format in FORMATS.items() if format.read]
SCRAPS = [
    *("\n", "\n\n", "WEBVTT\n", "1\n", "00:00:01,000 --> 00:00:02,000\n", "00:03.000 --> 00:01.000", "-->", "<", "{\\"),
    *("[Events]\n", "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,", "start\tend\ttext\n", "5\t9\t", "NOTE "),
]


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    clock, cues = 0, []
    for lines in draw(st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=5)):
        clock += draw(st.integers(0, 400_000)) * 10  # hundredths of a second, which every format holds
        end = clock + draw(st.integers(1, 1000)) * 10
        cues.append(Cue(clock, end, tuple(lines)))
        clock = end
    return Track(tuple(cues))


def through(track: Track, format: str) -> Track:
    read = FORMATS[format].read
    assert read is not None
    return read(render(track, format), f"x.{format}")


@pytest.mark.parametrize("format", ["vtt", "ass", "ssa", "ttml", "json"])
@settings(max_examples=80, deadline=None)
@given(track=tracks())
def test_text_and_times_come_back(format: str, track: Track) -> None:
    assert through(track, format) == track


@settings(max_examples=80, deadline=None)
@given(track=tracks())
def test_srt_text_comes_back_except_what_reads_as_a_tag_or_an_arrow(track: Track) -> None:
    safe = Track(
        tuple(
            Cue(cue.start_ms, cue.end_ms, tuple(re.sub(r"[<>{}]", "x", line) for line in cue.lines))
            for cue in track.cues
        )
    )
    assert through(safe, "srt") == safe


@settings(max_examples=40, deadline=None)
@given(track=tracks())
def test_tsv_text_comes_back_in_one_line(track: Track) -> None:
    assert [(cue.start_ms, cue.end_ms, cue.lines) for cue in through(track, "tsv").cues] == [
        (cue.start_ms, cue.end_ms, (cue.text,)) for cue in track.cues
    ]


@settings(max_examples=200, deadline=None)
@given(LINES)
def test_no_caption_text_becomes_an_override_in_ass(line: str) -> None:
    event = render(Track((Cue(0, 10, (line,)),)), "ass").rsplit(",,0,0,0,,", 1)[1].rstrip("\n")
    bare = event.replace("\\{", "").replace("\\}", "")
    assert "{" not in bare
    assert "}" not in bare
    assert not re.search(r"\\(?!\u2060)", bare)
    assert plain(event) == line


@pytest.mark.parametrize("format", READABLE)
@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(st.one_of(st.text(max_size=10), st.sampled_from(SCRAPS)), max_size=20),
)
def test_readers_give_a_track_or_an_explained_error(format: str, pieces: list[str]) -> None:
    read = FORMATS[format].read
    assert read is not None
    try:
        assert isinstance(read("".join(pieces), "x"), Track)
    except InputError as error:
        assert error.message.startswith("x")  # noqa: PT017 - either outcome will do


@pytest.mark.parametrize("format", READABLE)
def test_times_go_past_ten_hours(format: str) -> None:
    """pysubs2 writes 9:59:59.99 for all that comes later."""
    long = Track((Cue(1000, 2000, ("one",)), Cue(36_000_500, 36_002_000, ("ten hours",))))
    read = FORMATS[format].read
    assert read is not None
    times = [time for cue in read(render(long, format), "x").cues for time in (cue.start_ms, cue.end_ms)]
    frame = {"sub": 42, "scc": 34}.get(format, 0)  # these count in frames
    assert times == pytest.approx([1000, 2000, 36_000_500, 36_002_000], abs=frame)
