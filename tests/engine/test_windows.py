"""The window state machine as tables. Timestamps are 100 + position; text is below 100."""

import pytest

from subwhisper.engine.windows import Place, Split, Window, advanced, clips_in_frames, next_window, split_tokens

T = 100
WINDOW = Window(first=1000, n_frames=3000)


def pieces(split: Split) -> list[tuple[float, float, tuple[int, ...]]]:
    return [(round(piece.start, 6), round(piece.end, 6), piece.tokens) for piece in split.pieces]


@pytest.mark.parametrize(
    ("tokens", "expected", "next_frame", "is_complete"),
    [
        pytest.param([], [(10.0, 40.0, ())], 4000, False, id="nothing said"),
        pytest.param([1, 2], [(10.0, 40.0, (1, 2))], 4000, False, id="text only fills the window"),
        pytest.param([T, 1, 2], [(10.0, 40.0, (T, 1, 2))], 4000, False, id="an opening at zero alone tells no end"),
        pytest.param([T + 5, 1], [(10.0, 10.1, (T + 5, 1))], 4000, False, id="the last timestamp is taken for the end"),
        pytest.param([T, 1, T + 50], [(10.0, 11.0, (T, 1, T + 50))], 4000, True, id="one closed segment"),
        pytest.param(
            [T, 1, T + 50, T + 60, 2, T + 100],
            [(10.0, 11.0, (T, 1, T + 50)), (11.2, 12.0, (T + 60, 2, T + 100))],
            4000,
            True,
            id="a single timestamp at the end closes the window",
        ),
        pytest.param(
            [T, 1, T + 50, T + 50, 2], [(10.0, 11.0, (T, 1, T + 50))], 1100, False, id="unfinished text is read again"
        ),
        pytest.param(
            [T, 1, T + 50, T + 50], [(10.0, 11.0, (T, 1, T + 50))], 1100, False, id="a pair at the end is no ending"
        ),
    ],
)
def test_tokens_become_segments(
    tokens: list[int], expected: list[tuple[float, float, tuple[int, ...]]], next_frame: int, is_complete: bool
) -> None:
    split = split_tokens(tokens, WINDOW, T)
    assert pieces(split) == expected
    assert (split.next_frame, split.is_complete) == (next_frame, is_complete)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((), ((0, 5000),)),
        ((2.0,), ((200, 5000),)),
        ((1.0, 3.0), ((100, 300),)),
        ((1.0, 3.0, 20.0), ((100, 300), (2000, 5000))),
        ((40.0, 99.0), ((4000, 5000),)),
        ((60.0, 70.0), ((6000, 5000),)),
    ],
)
def test_clips_become_frames(times: tuple[float, ...], expected: tuple[tuple[int, int], ...]) -> None:
    assert clips_in_frames(times, 5000) == expected


@pytest.mark.parametrize(
    ("place", "clips", "expected"),
    [
        (Place(0), [(0, 5000)], (Place(0), Window(0, 3000))),
        (Place(3000), [(0, 5000)], (Place(3000), Window(3000, 2000))),
        (Place(5000), [(0, 5000)], None),
        (Place(0), [(0, 0)], None),
        (Place(0), [(100, 300), (900, 950)], (Place(100, 0), Window(100, 200))),
        (Place(300, 0), [(100, 300), (900, 950)], (Place(900, 1), Window(900, 50))),
        (Place(300, 0), [(100, 300), (200, 400)], (Place(200, 1), Window(200, 200))),
        (Place(0), [(6000, 5000), (10, 20)], (Place(10, 1), Window(10, 10))),
    ],
)
def test_the_next_window_lies_in_a_clip(
    place: Place, clips: list[tuple[int, int]], expected: tuple[Place, Window] | None
) -> None:
    assert next_window(place, clips, window_frames=3000) == expected


def test_reading_always_gets_further() -> None:
    assert advanced(Place(1000), 1500, WINDOW) == Place(1500)
    assert advanced(Place(1000), 1000, WINDOW) == Place(4000)  # or the loop would never end
