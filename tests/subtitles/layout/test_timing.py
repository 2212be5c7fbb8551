import pytest

from subwhisper.subtitles.layout.pieces import Piece
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.timing import time_cues


def timed(*words: tuple[int, int, str]) -> list[tuple[int, int]]:
    """Time one cue per word, each given as start, end and text; gap 80 ms, minimum 800 ms, 20 characters a second."""
    pieces = [Piece(text, start, end, spaced=False, width=len(text)) for start, end, text in words]
    profile = Profile(min_gap=0.08, min_duration=0.8, linger=0.5, reading_speed=20, max_duration=5)
    return time_cues(pieces, [(index, index) for index in range(len(pieces))], profile, "en")


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
