from itertools import pairwise
from typing import Any

import pytest

from subwhisper.errors import OptionError
from subwhisper.subtitles.layout.frames import Clock, Picture
from subwhisper.subtitles.layout.pieces import Piece
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.standards import load_profile
from subwhisper.subtitles.layout.timing import Timing, time_cues


def timed(*words: tuple[int, int, str]) -> list[tuple[int, int]]:
    """Time one cue per word, each given as start, end and text; gap 80 ms, minimum 800 ms, 20 characters a second."""
    pieces = [Piece(text, start, end, spaced=False, width=len(text)) for start, end, text in words]
    profile = Profile(min_gap=0.08, min_duration=0.8, linger=0.5, reading_speed=20, max_duration=5)
    return time_cues(Timing(pieces, profile, "en"), [(index, index) for index in range(len(pieces))])


@pytest.mark.parametrize(
    ("words", "expected", "why"),
    [
        ([(1000, 2500, "x" * 20)], [(1000, 2500)], "read in time: it goes with its last word"),
        ([(1000, 2000, "x" * 26)], [(1000, 2300)], "it lingers until it can be read"),
        ([(1000, 2000, "x" * 90)], [(1000, 2500)], "but not more than half a second"),
        ([(1000, 1200, "No")], [(1000, 1800)], "the minimum duration"),
        ([(1000, 9000, "x")], [(1000, 6000)], "the maximum duration"),
        ([(1000, 1200, "No"), (1500, 2500, "x")], [(1000, 1420), (1500, 2500)], "the next word comes first"),
        ([(1000, 2000, "x"), (2300, 3300, "x")], [(1000, 2220), (2300, 3300)], "a flickering gap is closed"),
        ([(1000, 2000, "x"), (3000, 4000, "x")], [(1000, 2000), (3000, 4000)], "a real pause is not"),
        ([(1000, 1010, "x"), (1010, 2000, "x")], [(1000, 1005), (1010, 2000)], "crowded words leave half the room"),
        ([(1000, 1001, "x"), (1001, 2000, "x")], [(1000, 1001), (1001, 2000)], "and never nothing"),
    ],
)
def test_cues_go_when_they_have_been_read_or_the_next_one_comes(
    words: list[tuple[int, int, str]], expected: list[tuple[int, int]], why: str
) -> None:
    assert timed(*words) == expected, why


def filmed(
    *words: tuple[int, int, str],
    rate: float | None = 24.0,
    shots: tuple[float, ...] = (),
    profile: str = "netflix",
) -> list[tuple[int, int]]:
    """As `timed` by Netflix's rules, in frames of the video."""
    pieces = [Piece(text, start, end, spaced=False, width=len(text)) for start, end, text in words]
    timing = Timing(pieces, load_profile(profile), "en", Picture(rate, shots))
    times = time_cues(timing, [(index, index) for index in range(len(pieces))])
    rate = rate or 24
    return [(round(start * rate / 1000), round(end * rate / 1000)) for start, end in times]


@pytest.mark.parametrize("rate", [24000 / 1001, 24.0, 25.0, 30000 / 1001, 50.0, 60.0])
def test_gaps_are_two_frames_at_every_frame_rate(rate: float) -> None:
    words = [(1000, 1990, "x"), (2000, 3010, "x"), (3017, 3700, "x"), (4000, 4900, "x")]
    times = filmed(*words, rate=rate)
    assert [after[0] - before[1] for before, after in pairwise(times)] == [2, 2, 2]


@pytest.mark.parametrize("rate", [24000 / 1001, 25.0, 30000 / 1001, 60.0])
def test_times_are_those_of_frames_and_starts_are_never_before_the_sound(rate: float) -> None:
    clock = Clock(rate)
    for ms in range(0, 100_000, 37):
        frame = clock.at_or_after(ms)
        assert ms <= clock.ms(frame) < ms + 1000 / rate + 1
        assert clock.at_or_after(clock.ms(frame)) == frame  # writing and reading a time keeps its frame
        assert frame / rate * 1000 - 1 < clock.ms(frame) <= frame / rate * 1000 + 1e-6


@pytest.mark.parametrize(("rate", "frames"), [(24.0, 20), (25.0, 21), (30000 / 1001, 25)])
def test_the_minimum_is_as_many_frames_as_netflix_says(rate: float, frames: int) -> None:
    ((start, end),) = filmed((1000, 1100, "No"), rate=rate)
    assert end - start == frames


@pytest.mark.parametrize(
    ("words", "shot", "expected", "why"),
    [
        ([(1000, 3000, "x")], 1.125, [(27, 72)], "three frames before the cut: it waits for its shot"),
        ([(1000, 3000, "x")], 1.375, [(24, 72)], "nine are too long to wait"),
        ([(1000, 3000, "x")], 0.875, [(24, 72)], "shortly after the cut: never before the sound"),
        ([(1000, 3000, "x")], 3.25, [(24, 76)], "it ends two frames before the shot does"),
        ([(1000, 3000, "x")], 3.0, [(24, 70)], "also when two frames of the last word are lost"),
        ([(1000, 3000, "x")], 2.75, [(24, 78)], "speech goes on: it stays half a second into the next shot"),
        ([(1000, 3000, "x"), (3083, 5000, "x")], 2.75, [(24, 72), (74, 120)], "but makes way for the next"),
        ([(1000, 3000, "x")], 4.0, [(24, 72)], "a cut further away does not matter"),
        ([(1000, 2900, "x"), (3000, 5000, "x")], 3.0, [(24, 70), (72, 120)], "a cue for each shot"),
    ],
)
def test_cues_keep_to_their_shots(
    words: list[tuple[int, int, str]], shot: float, expected: list[tuple[int, int]], why: str
) -> None:
    assert filmed(*words, shots=(shot,)) == expected, why
    assert filmed(*words, rate=None, shots=(shot,)) == expected, why


@pytest.mark.parametrize(
    ("words", "shot", "start", "why"),
    [
        ([(1000, 3000, "x")], 0.875, 21, "it comes with the shot, three frames early"),
        ([(1000, 3000, "x")], 0.5, 12, "half a second is the most"),
        ([(1000, 3000, "x")], 0.458, 24, "further away is its own affair"),
        ([(1000, 3000, "x")], 1.375, 21, "nine frames before the cut are too near: it begins twelve before"),
        ([(1000, 3000, "x")], 1.125, 27, "three are few enough to wait"),
        ([(300, 800, "x"), (1000, 3000, "x")], 0.875, 21, "there is silence before it"),
        ([(300, 990, "x"), (1000, 3000, "x")], 0.5, 24, "never into the words before"),
    ],
)
def test_strictly_by_netflix_a_cue_comes_with_its_shot(
    words: list[tuple[int, int, str]], shot: float, start: int, why: str
) -> None:
    assert filmed(*words, shots=(shot,), profile="netflix-strict")[-1][0] == start, why


@pytest.mark.parametrize("impossible", [{"frame_rate": 0.0}, {"frame_rate": 5000.0}, {"shots": (-1.0,)}])
def test_impossible_pictures_are_refused(impossible: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Picture(**impossible)
