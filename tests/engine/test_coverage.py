"""Holes in a transcript: where they are, what fills them, and what the report says."""

from collections.abc import Sequence

import pytest

from subwhisper.audio import Span
from subwhisper.engine.coverage import Audit, Coverage, agree, holes, second_opinion, within
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.windows import Window
from subwhisper.transcript import Quality, Segment, Word

SURE = Quality(-0.2, 1.2, 0.05)
WHOLE = [Span(0, 100)]


def said(*times: float, text: str = "word", quality: Quality = SURE) -> Segment:
    """Words of half a second."""
    words = tuple(Word(f" {text}{at}", time, time + 0.5) for at, time in enumerate(times))
    return Segment(times[0], times[-1] + 0.5, "".join(word.text for word in words), (1,), words=words, quality=quality)


def spans(*bounds: tuple[float, float]) -> SpeechMap:
    return SpeechMap(Span(*pair) for pair in bounds)


@pytest.mark.parametrize(
    ("speech", "covered", "expected"),
    [
        pytest.param([], [], [], id="nobody speaks"),
        pytest.param([(10, 20)], [(9, 21)], [], id="covered"),
        pytest.param([(10, 20)], [], [(10, 20)], id="no words at all"),
        pytest.param([(10, 20)], [(9, 12), (16, 21)], [(12, 16)], id="in the middle"),
        pytest.param([(10, 20)], [(9, 12), (13, 21)], [], id="too short"),
        pytest.param([(10, 11), (11.3, 12.4)], [], [(10, 12.4)], id="joined over a breath"),
        pytest.param([(10, 20)], [(15, 16), (9, 12)], [(12, 15), (16, 20)], id="in any order"),
        pytest.param([(95, 120)], [], [(95, 100)], id="within bounds"),
    ],
)
def test_holes_are_speech_without_words(
    speech: list[tuple[float, float]], covered: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    found = holes(spans(*speech), [Span(*pair) for pair in covered], Span(0, 100))
    assert [(hole.start, hole.end) for hole in found] == expected


def test_only_what_is_said_in_the_hole_is_new() -> None:
    [kept] = within([said(9, 11, 12, 21)], Span(10, 20))
    assert kept.text == " word1 word2"
    assert (kept.start, kept.end) == (11, 12.5)
    assert within([said(1, 2)], Span(10, 20)) == ()
    untimed = Segment(11, 13, " text")
    assert within([untimed, Segment(1, 3, " no")], Span(10, 20)) == (untimed,)


def test_two_hearings_agree_or_not() -> None:
    one, other, third = (Segment(0, 1, text) for text in (" The cat sat here.", " the cat sat there", " Thanks, all!"))
    assert agree([one], [other])
    assert not agree([one], [third])
    assert not agree([], [])
    assert not agree([Segment(0, 1, " You")], [Segment(0, 1, " You")])  # one word is what models invent


class Reader:
    """Gives prepared segments to those who read again, and remembers what was asked."""

    def __init__(self, *answers: Sequence[Segment]) -> None:
        self.answers = [tuple(answer) for answer in answers]
        self.asked: list[Window] = []

    def __call__(self, windows: Sequence[Window], speech: SpeechMap) -> list[tuple[Segment, ...]]:
        self.asked += windows
        return [self.answers.pop(0) for _ in windows]


def audit(reader: Reader, speech: SpeechMap, second: SpeechMap, clips: Sequence[Span] = WHOLE) -> Audit:
    return Audit(speech, second, clips, window_frames=3000, read_again=reader)


def test_a_covered_recording_is_not_read_again() -> None:
    reader = Reader()
    follower = audit(reader, spans((10, 12)), spans((10, 12)))
    given = [said(10, 10.6, 11.2)]
    assert follower.checked(given, 50) == given
    assert follower.checked((), 100) == []
    assert follower.coverage == Coverage(speech=2.0)
    assert reader.asked == []


def test_a_hole_in_speech_is_read_with_other_edges_and_filled_in_order() -> None:
    reader = Reader([said(9.5, 14, 15, text="new")], [])
    follower = audit(reader, spans((5, 25)), spans((5, 25)))
    before, behind = said(*range(5, 12)), said(*range(17, 25))
    found = follower.checked([before, behind], 30)
    assert [segment.text.split()[0] for segment in found] == ["word0", "new1", "word0"]
    assert "listening again" in found[1].quality.notes[0]  # type: ignore[union-attr]
    assert len({(window.first, window.n_frames) for window in reader.asked}) == 2
    assert (follower.coverage.n_repaired, follower.coverage.n_open) == (1, 0)
    assert follower.coverage.share == 1.0


def test_a_hole_that_stays_is_told() -> None:
    follower = audit(Reader([], []), spans((5, 25)), spans((5, 25)))
    assert follower.checked([said(*range(5, 20))], 30) == [said(*range(5, 20))]
    assert (follower.coverage.n_repaired, follower.coverage.n_open) == (0, 1)
    assert follower.coverage.share == pytest.approx(1 - 5 / 20, abs=0.03)


@pytest.mark.parametrize(
    ("first", "second", "believed"),
    [
        pytest.param([said(41, 42, 43)], [said(41, 42, 43)], True, id="both windows agree"),
        pytest.param([said(41, 42, 43)], [said(41, 42, 43, text="other")], False, id="they do not"),
        pytest.param([said(41, 42, 43)], [], False, id="one hears nothing"),
        pytest.param(*[[said(41, 42, 43, quality=Quality(-0.2, 1, 0.8))]] * 2, False, id="probably no speech"),
        pytest.param(*[[said(41, 42, 43, quality=Quality(-0.9, 1, 0.1))]] * 2, False, id="unsure"),
    ],
)
def test_speech_on_the_word_of_the_second_map_alone_needs_two_hearings(
    first: list[Segment], second: list[Segment], believed: bool
) -> None:
    """Music rises above silence too, and models write something for it, but seldom the same twice."""
    follower = audit(Reader(first, second), spans((5, 7)), spans((5, 7), (40, 45)))
    found = follower.checked([said(5, 5.6, 6.2)], 60)
    assert (len(found) == 2) is believed
    assert follower.coverage.n_open == 0  # what may be music is no hole
    assert follower.coverage.speech == pytest.approx(2 + 5 * believed)


def test_long_holes_are_read_in_parts_and_windows_stay_in_the_clip() -> None:
    reader = Reader(*[[]] * 8)
    audit(reader, spans((0, 80)), spans((0, 80)), [Span(5, 75)]).checked((), 100)
    assert len(reader.asked) == 6
    assert all(window.n_frames <= 3000 for window in reader.asked)
    assert min(window.first for window in reader.asked) == 500
    assert max(window.end_frame for window in reader.asked) == 7500


def test_the_other_detector_has_the_second_opinion() -> None:
    assert second_opinion("silero").detector == "energy"
    assert second_opinion("energy").detector == "silero"


def test_the_report_is_plain() -> None:
    assert Coverage(200.0, 1.4, 1, 2).to_dict() == {
        "speech_seconds": 200.0,
        "covered": 0.993,
        "holes_repaired": 1,
        "holes_open": 2,
    }
    assert Coverage().share == 1.0
