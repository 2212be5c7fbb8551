"""The rule behind `hallucination_silence_threshold`, as a table of windows of 30 s from 100 s on."""

import pytest

from subwhisper.engine.hallucination import Kept, is_doubtful, skip_silence
from subwhisper.engine.windows import Window
from subwhisper.transcript import Segment, Word

WINDOW = Window(10_000, 3000)


def segment(start: float, end: float, probability: float = 0.9) -> Segment:
    middle = (start + end) / 2
    words = (Word(" a", start, middle, probability), Word(" b", middle, end, probability))
    return Segment(start, end, " a b", words=words)


REAL, DOUBT = 0.9, 0.01


@pytest.mark.parametrize(
    ("segments", "kept", "next_frame", "is_abandoned"),
    [
        pytest.param([segment(101, 102)], 1, 13_000, False, id="real text stays"),
        pytest.param([segment(110, 111, DOUBT)], 0, 11_000, True, id="silence before doubtful text is skipped"),
        pytest.param(
            [segment(101, 102), segment(110, 111, DOUBT), segment(120, 121)],
            1,
            11_000,
            False,
            id="doubtful text alone in silence",
        ),
        pytest.param(
            [segment(101, 102), segment(102.5, 103.5, DOUBT), segment(104, 105)],
            3,
            13_000,
            False,
            id="doubtful text amid speech stays",
        ),
        pytest.param(
            [segment(101, 102), segment(126, 128.5, DOUBT)], 1, 12_600, False, id="doubtful text at the window's end"
        ),
    ],
)
def test_doubtful_text_alone_in_silence_is_left_out(
    segments: list[Segment], kept: int, next_frame: int, is_abandoned: bool
) -> None:
    result = skip_silence(
        Kept(tuple(segments), 13_000), WINDOW, window_end=130.0, n_frames=60_000, last_speech=99.0, threshold=3.0
    )
    assert (len(result.segments), result.next_frame, result.is_abandoned) == (kept, next_frame, is_abandoned)


def test_doubt_at_the_end_of_the_recording_ends_it() -> None:
    given = Kept((segment(101, 102), segment(126, 128.5, DOUBT)), 13_000)
    result = skip_silence(given, WINDOW, window_end=130.0, n_frames=13_000, last_speech=99.0, threshold=3.0)
    assert result.next_frame == 13_000
    assert len(result.segments) == 1


@pytest.mark.parametrize(
    ("found", "doubtful"),
    [
        (segment(0, 1), False),
        (segment(0, 1, DOUBT), True),
        (segment(0, 0.02), True),
        (segment(0, 12), True),
        (Segment(0, 1, " x"), False),
    ],
)
def test_improbable_short_and_long_words_are_doubtful(found: Segment, doubtful: bool) -> None:
    assert is_doubtful(found) is doubtful
