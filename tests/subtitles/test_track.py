import math

import pytest

from subwhisper.subtitles.highlight import highlight_words
from subwhisper.subtitles.track import Cue, CueWord, Track, to_ms


def test_seconds_become_the_nearest_millisecond() -> None:
    assert [to_ms(seconds) for seconds in (0.0, 1.2344, 1.2346, 2.9999, 360_000.001)] == [
        0,
        1234,
        1235,
        3000,
        360000001,
    ]


@pytest.mark.parametrize("seconds", [math.nan, math.inf])
def test_unknown_times_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        to_ms(seconds)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "lines"),
    [(-1, 5, ("x",)), (5, 5, ("x",)), (6, 5, ("x",)), (0, 5, ()), (0, 5, ("",)), (0, 5, (" ",)), (0, 5, ("a\nb",))],
)
def test_impossible_cues_are_refused(start_ms: int, end_ms: int, lines: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cue"):
        Cue(start_ms, end_ms, lines)


def test_a_track_sorts_its_cues() -> None:
    late, early = Cue(500, 900, ("late",)), Cue(0, 500, ("early",))
    assert Track((late, early)).cues == (early, late)


def test_overlapping_cues_are_refused_unless_asked_for() -> None:
    cues = (Cue(0, 900, ("long",)), Cue(100, 200, ("short",)), Cue(500, 600, ("inside the first",)))
    with pytest.raises(ValueError, match="starts before"):
        Track(cues)
    assert Track(cues, overlapping=True).cues == cues


def test_lines_join_with_spaces_only_where_the_script_has_them() -> None:
    assert Cue(0, 1, ("one", "two")).text == "one two"
    assert Cue(0, 1, ("今天", "天气")).text == "今天天气"
    assert Cue(0, 1, ("안녕", "세계")).text == "안녕 세계"


def test_highlighting_makes_one_cue_per_word_and_fills_the_same_time() -> None:
    words = (CueWord(100, 300, 0, 0, 2), CueWord(350, 600, 0, 3, 6), CueWord(1600, 1900, 1, 0, 3))
    cue = Cue(100, 2000, ("so, now", "yes"), words)
    states = highlight_words(Track((cue,))).cues
    assert [(state.start_ms, state.end_ms, state.highlighted) for state in states] == [
        (100, 350, words[0]),  # 50 ms of silence do not take the mark away
        (350, 600, words[1]),
        (600, 1600, None),
        (1600, 2000, words[2]),  # nor do the 100 ms before the cue goes
    ]


def test_highlighting_copes_with_words_outside_their_cue() -> None:
    words = (
        CueWord(0, 50, 0, 0, 1),
        CueWord(40, 45, 0, 2, 3),
        CueWord(900, 5000, 0, 4, 5),
        CueWord(6000, 7000, 0, 6, 7),
    )
    states = highlight_words(Track((Cue(30, 1000, ("a b c d",), words),))).cues
    assert states[0].start_ms == 30
    assert states[-1].end_ms == 1000
    assert [before.end_ms for before in states[:-1]] == [after.start_ms for after in states[1:]]


def test_cues_without_word_times_are_left_as_they_are() -> None:
    track = Track((Cue(0, 1000, ("plain",)),))
    assert highlight_words(track) == track
