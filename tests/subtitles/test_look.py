import re
from dataclasses import replace

import pytest

from subwhisper.errors import OptionError
from subwhisper.pipeline.burn import bilingual
from subwhisper.subtitles.formats import ass, vtt
from subwhisper.subtitles.look import Look, parse_highlight
from subwhisper.subtitles.markup import Placement, Style
from subwhisper.subtitles.style import PRESETS, CaptionStyle, parse_style
from subwhisper.subtitles.track import Cue, CueWord, Track

WORDS = (CueWord(1000, 1300, 0, 0, 3), CueWord(1300, 1600, 0, 4, 8), CueWord(2000, 2400, 1, 0, 4))
TRACK = Track((Cue(1000, 2500, ("one two,", "then"), WORDS),))


def events(script: str) -> list[str]:
    return [line.split(",,", 2)[2] for line in script.splitlines() if line.startswith("Dialogue")]


def test_karaoke_in_ass_counts_hundredths_from_the_start_of_the_event() -> None:
    script = Look(highlight="karaoke").file(TRACK, "ass").decode()
    assert events(script) == ["{\\k30}one {\\k30}two,\\N{\\k40}{\\k40}then"]
    assert ass.read(script, "x").cues[0].words == WORDS


def test_karaoke_in_webvtt_is_inline_times() -> None:
    text = Look(highlight="karaoke").file(TRACK, "vtt").decode()
    assert "one <00:00:01.300>two,\n<00:00:02.000>then" in text
    assert [word.start_ms for word in vtt.read(text, "x").cues[0].words] == [1000, 1300, 2000]


def test_karaoke_leaves_formats_without_times_of_words_plain() -> None:
    assert "<" not in Look(highlight="karaoke").file(TRACK, "srt").decode()


def test_words_have_three_states_one_event_each_and_the_one_being_said_grows() -> None:
    style = CaptionStyle(spoken="#00ff00", now="#ff0000", unspoken="#0000ff", now_scale=110)
    now, said, later = "{\\c&H0000FF&\\fscx110\\fscy110}", "{\\c&H00FF00&}", "{\\c&HFF0000&}"
    assert events(Look(style=style, highlight="words").script(TRACK, 1920, 1080)) == [
        f"{now}one{{\\r}} {later}two,{{\\r}}\\N{later}then{{\\r}}",
        f"{said}one{{\\r}} {now}two,{{\\r}}\\N{later}then{{\\r}}",
        f"{said}one{{\\r}} {said}two,{{\\r}}\\N{later}then{{\\r}}",  # a pause
        f"{said}one{{\\r}} {said}two,{{\\r}}\\N{now}then{{\\r}}",
    ]


def test_words_are_underlined_where_there_are_no_colours_and_timed_where_there_are_times() -> None:
    assert Look(highlight="words").file(TRACK, "srt").decode().count("<u>") == 3
    assert "<00:00:01.300>" in Look(highlight="words").file(TRACK, "vtt").decode()


def test_no_highlighting_writes_no_times_of_words() -> None:
    for format in ("srt", "vtt", "ass", "ttml", "lrc"):
        assert Look().file(TRACK, format) == Look().file(
            replace(TRACK, cues=(replace(TRACK.cues[0], words=()),)), format
        )


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_well_formed_script(name: str) -> None:
    script = Look(style=PRESETS[name], highlight="words").script(TRACK, 1080, 1920)
    (style,) = [line for line in script.splitlines() if line.startswith("Style: Default")]
    assert len(style.split(",")) == 23
    assert len(events(script)) == 4


def test_a_style_is_a_preset_with_changes() -> None:
    style = parse_style("box, colour=yellow, size=64, row=top, bold=yes, font=Noto Sans, box=#00000080")
    assert style == replace(
        PRESETS["box"], colour="#ffff00", size=64, row="top", bold=True, font="Noto Sans", box="#00000080"
    )
    assert parse_style("box,box=none").box is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bax", "did you mean box"),
        ("colour=blurple", "blurple"),
        ("colr=red", "did you mean colo"),
        ("size=big", "a number"),
        ("row=left", "top, middle, bottom"),
        ("bold=perhaps", "yes or no"),
    ],
)
def test_impossible_styles_are_refused_with_what_is_possible(text: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        parse_style(text)
    with pytest.raises(OptionError, match="underline"):
        parse_highlight("blink")


def test_a_style_cannot_smuggle_codes_into_a_script() -> None:
    script = Look(style=parse_style("font=x}{\\p1\\\\an")).file(TRACK, "ass").decode()
    (style,) = [line for line in script.splitlines() if line.startswith("Style: Default")]
    assert not re.search(r"[{}\\]", style)


def test_speakers_get_the_colours_of_broadcasters() -> None:
    cues = (Cue(0, 900, ("Who?",)).marked(voice="Ann"), Cue(1000, 1900, ("Me.",)).marked(voice="Bo"))
    lines = Look(style=PRESETS["broadcast"]).file(Track(cues), "ass").decode().splitlines()
    assert [line.split(",")[3:5] for line in lines if line.startswith("Dialogue")] == [
        ["Speaker 1", "Ann"], ["Speaker 2", "Bo"],
    ]  # fmt: skip
    assert [line.split(",")[3] for line in lines if line.startswith("Style: Speaker")] == ["&H00FFFFFF", "&H0000FFFF"]


def test_the_second_language_stands_below_in_a_look_of_its_own() -> None:
    both = bilingual(Track((Cue(0, 900, ("Ja.",)),)), Track((Cue(0, 900, ("Yes.",)),)))
    script = Look(style=CaptionStyle()).file(both, "ass").decode()
    assert events(script) == ["Ja.\\N{\\rSecond}Yes."]
    assert any(line.startswith("Style: Second,FiraGO,46,") for line in script.splitlines())


def test_a_place_of_its_own_is_kept_whatever_the_style() -> None:
    cue = Cue(0, 900, ("up",), placement=Placement("top"))
    low = Cue(1000, 1900, ("low",), placement=Placement("bottom", "left"))
    track = Track((cue, low))
    assert events(Look().file(track, "ass").decode()) == ["{\\an8}up", "{\\an1}low"]
    assert events(Look(style=PRESETS["top"]).file(track, "ass").decode()) == ["up", "{\\an1}low"]


def test_the_styles_of_a_script_stay_unless_another_is_asked_for() -> None:
    own = (
        Look(style=replace(CaptionStyle(), font="Courier"))
        .file(Track((Cue(0, 900, ("so",)).marked(Style(italic=True)),)), "ass")
        .decode()
    )
    track = ass.read(own, "x")
    assert Look().file(track, "ass").decode() == own
    assert "Courier" not in Look(style=CaptionStyle()).file(track, "ass").decode()
