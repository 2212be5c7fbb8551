"""Cues at other times; nothing else about them changes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subwhisper.errors import OptionError
from subwhisper.subtitles.edit import (
    Part,
    Retiming,
    append,
    cuts_at_gaps,
    cuts_every,
    exact_rate,
    retime,
    retime_cue,
    split,
    stack,
)
from subwhisper.subtitles.markup import CueSpan, RawBlock, Style
from subwhisper.subtitles.track import Cue, CueWord, Track


def track_of(*cues: tuple[int, int, str]) -> Track:
    return Track(tuple(Cue(start, end, (text,)) for start, end, text in cues))


def shown(track: Track) -> list[tuple[int, int, tuple[str, ...]]]:
    return [(cue.start_ms, cue.end_ms, cue.lines) for cue in track.cues]


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    steps = draw(st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 6_000)), max_size=12))
    cues, now = [], 0
    for number, (gap, length) in enumerate(steps):
        cues.append(Cue(now + gap, now + gap + length, (f"  cue {number} ", "second line")))
        now += gap + length
    return Track(tuple(cues), language="en")


SAID = Cue(1000, 3000, ("Hello there",), (CueWord(1000, 1800, 0, 0, 5), CueWord(1900, 3000, 0, 6, 11)))


def test_words_move_with_their_cue() -> None:
    moved = retime_cue(replace(SAID, highlighted=SAID.words[1]), Retiming(2.0, -500))
    assert moved is not None
    assert (moved.start_ms, moved.end_ms) == (1500, 5500)
    assert [(word.start_ms, word.end_ms) for word in moved.words] == [(1500, 3100), (3300, 5500)]
    assert moved.highlighted == moved.words[1]


@settings(deadline=None)
@given(tracks(), st.integers(0, 100_000))
def test_a_shift_there_and_back_changes_nothing(track: Track, ms: int) -> None:
    assert retime(retime(track, Retiming(offset_ms=ms)), Retiming(offset_ms=-ms)) == track


@settings(deadline=None)
@given(tracks(), st.floats(0.01, 50), st.integers(-20_000, 20_000))
def test_only_times_change(track: Track, factor: float, offset_ms: int) -> None:
    moved = retime(track, Retiming(factor, offset_ms))
    assert [cue.lines for cue in moved.cues] == [cue.lines for cue in track.cues[len(track.cues) - len(moved.cues) :]]


def test_what_would_be_over_before_the_recording_starts_is_left_out() -> None:
    moved = retime(track_of((0, 900, "a"), (1000, 3000, "b")), Retiming(offset_ms=-2000))
    assert shown(moved) == [(0, 1000, ("b",))]


def test_a_part_moves_by_itself() -> None:
    track = track_of((0, 900, "a"), (1000, 1900, "b"), (5000, 6000, "c"))
    assert shown(retime(track, Retiming(offset_ms=500), Part(1000, 5000))) == [
        (0, 900, ("a",)),
        (1500, 2400, ("b",)),
        (5000, 6000, ("c",)),
    ]
    assert retime(track, Retiming(offset_ms=-500), Part(1000)).overlapping


@pytest.mark.parametrize(
    ("source", "target", "old_ms", "new_ms"),
    [
        (25, 23.976, 3_600_000, 3_753_750),
        (23.976, 25, 3_753_750, 3_600_000),
        (24, 23.98, 3_600_000, 3_603_600),
        (30, 29.97, 3_600_000, 3_603_600),
        (29.97, 59.94, 3_600_000, 1_800_000),
    ],
)
def test_frame_rates_are_what_they_are_short_for(source: float, target: float, old_ms: int, new_ms: int) -> None:
    assert Retiming.between_rates(source, target)(old_ms) == new_ms


def test_two_points_make_a_line() -> None:
    line = Retiming.through((60_000, 62_500), (10_000, 11_500))
    assert [line(ms) for ms in (0, 10_000, 60_000)] == [1300, 11_500, 62_500]


@pytest.mark.parametrize("points", [((1, 1), (1, 2)), ((0, 5), (10, 5)), ((0, 5), (10, 1))])
def test_points_that_make_no_line_are_refused(points: tuple[tuple[int, int], tuple[int, int]]) -> None:
    with pytest.raises(OptionError):
        Retiming.through(*points)


@pytest.mark.parametrize("rate", [0, -25, float("nan"), float("inf")])
def test_impossible_rates_and_factors_are_refused(rate: float) -> None:
    with pytest.raises(OptionError):
        exact_rate(rate)
    with pytest.raises(OptionError):
        Retiming(rate)


@settings(deadline=None)
@given(tracks(), st.lists(st.integers(1, 60_000), max_size=5))
def test_every_cue_is_in_one_part_and_none_changes_places(track: Track, cuts: list[int]) -> None:
    pieces = split(track, cuts)
    assert len(pieces) == len(set(cuts)) + 1
    whole = [cue.lines for piece in pieces for cue in piece.track.cues]
    assert sorted(whole) == sorted(cue.lines for cue in track.cues)
    kept = [cue for piece in split(track, cuts, keep_times=True) for cue in piece.track.cues]
    assert all(cue.start_ms < cue.end_ms for cue in kept)


def test_a_part_counts_from_its_own_start_and_a_cue_across_the_cut_goes_where_most_of_it_is() -> None:
    first, second = split(track_of((0, 1000, "a"), (9_000, 14_000, "b"), (15_000, 16_000, "c")), [10_000])
    assert shown(first.track) == [(0, 1000, ("a",))]
    assert shown(second.track) == [(0, 4000, ("b",)), (5000, 6000, ("c",))]
    assert second.start_ms == 10_000


def test_cuts_by_length_and_at_gaps() -> None:
    track = track_of((0, 1000, "a"), (4000, 5000, "b"), (5500, 9000, "c"))
    assert cuts_every(track, 4000) == [4000, 8000]
    assert cuts_at_gaps(track, 3000) == [2500]
    assert cuts_at_gaps(track, 3001) == []
    with pytest.raises(OptionError):
        cuts_every(track, 0)


def test_parts_appended_give_the_whole() -> None:
    track = track_of((0, 1000, "a"), (4000, 5000, "b"), (11_000, 12_000, "c"))
    first, second = split(track, [8000])
    assert append(first.track, second.track, second.start_ms) == track
    with pytest.raises(OptionError, match="before the first ends"):
        append(first.track, second.track, 0)


def test_two_languages_are_shown_together() -> None:
    german = track_of((1000, 3000, "Guten Tag"), (3000, 6000, "Wie geht es?"))
    english = track_of((1200, 2900, "Good day"), (3300, 4500, "How are"), (4500, 6100, "you?"))
    assert shown(stack(german, english)) == [
        (1000, 3000, ("Guten Tag", "Good day")),
        (3000, 4500, ("Wie geht es?", "How are")),
        (4500, 6000, ("Wie geht es?", "you?")),
    ]


def test_a_cue_without_a_counterpart_stands_alone() -> None:
    assert shown(stack(track_of((0, 1000, "a")), track_of((5000, 6000, "b")))) == [
        (0, 1000, ("a",)),
        (5000, 6000, ("b",)),
    ]


def test_stacked_words_stay_on_their_lines() -> None:
    upper = Track((Cue(1000, 3000, ("Two", "lines")),))
    (cue,) = stack(upper, Track((SAID,))).cues
    assert [cue.lines[word.line][word.first : word.stop] for word in cue.words] == ["Hello", "there"]


@settings(deadline=None)
@given(tracks(), tracks(), st.integers(0, 800))
def test_every_text_is_shown_and_never_two_cues_at_once(upper: Track, lower: Track, tolerance_ms: int) -> None:
    both = stack(upper, lower, tolerance_ms=tolerance_ms)
    assert not both.overlapping
    assert {line for cue in both.cues for line in cue.lines} == {
        line for track in (upper, lower) for cue in track.cues for line in cue.lines
    }


def test_what_a_file_holds_besides_cues_stays_before_its_cue_and_moves_with_its_time() -> None:
    header = RawBlock("vtt", "style", "STYLE\n::cue {}")
    comment = RawBlock("vtt", "note", "NOTE about b", before=1)
    drawing = RawBlock("ass", "drawing", "m 0 0", before=2, times=(5000, 6000))
    track = replace(track_of((0, 900, "a"), (3000, 4000, "b"), (6000, 7000, "c")), raw=(header, comment, drawing))
    moved = retime(track, Retiming(offset_ms=-1000))
    assert moved.raw == (header, replace(comment, before=0), replace(drawing, before=1, times=(4000, 5000)))
    first, second = split(track, [5000])
    assert first.track.raw == (header, comment)
    assert second.track.raw == (header, replace(drawing, before=0, times=(0, 1000)))


def test_styles_of_stacked_cues_stay_on_their_lines() -> None:
    upper = Track((Cue(0, 1000, ("a",)),))
    lower = Track((Cue(0, 1000, ("b c",), spans=(CueSpan(0, 2, 3, Style(italic=True)),)),))
    (cue,) = stack(upper, lower).cues
    assert cue.spans == (CueSpan(1, 2, 3, Style(italic=True)),)
