"""Holes in a transcript: where they are, what fills them, and what the report says."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from subwhisper.audio import Span
from subwhisper.engine.coverage import IN_VAIN, IN_VAIN_AT_LEAST, Audit, Coverage, Maps, agree, second_opinion
from subwhisper.engine.holes import Heard, holes, window_over, windows_over, within
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
    found = holes(spans(*speech), [Span(*pair) for pair in covered], Span(0, 100), longest=28)
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
    """Says what is prepared for each window, and remembers what was asked and how often."""

    def __init__(self, *answers: Sequence[Segment], says: Callable[[Window], Heard] | None = None) -> None:
        self.answers = [Heard(tuple(answer)) for answer in answers]
        self.says = says or (lambda window: self.answers.pop(0))
        self.asked: list[Window] = []
        self.n_batches = 0

    def __call__(self, windows: Sequence[Window], speech: SpeechMap) -> list[Heard]:
        self.asked += windows
        self.n_batches += 1
        return [self.says(window) for window in windows]


def audit(
    reader: Reader,
    speech: SpeechMap,
    second: SpeechMap,
    clips: Sequence[Span] = WHOLE,
    faint: SpeechMap | None = None,
) -> Audit:
    return Audit(Maps(speech, second, faint), clips, window_frames=3000, read_again=reader)


def test_a_covered_recording_is_not_read_again() -> None:
    reader = Reader()
    follower = audit(reader, spans((10, 12)), spans((10, 12)))
    given = Heard((said(10, 10.6, 11.2),))
    assert follower.checked(given, 50) == given
    assert follower.checked(Heard(), 100) == Heard()
    assert follower.coverage == Coverage(speech=2.0)
    assert reader.asked == []


def test_a_hole_in_speech_is_read_with_other_edges_and_filled_in_order() -> None:
    reader = Reader([said(9.5, text="old")], [said(9.5, 14, 15, text="new")])
    follower = audit(reader, spans((5, 25)), spans((5, 25)))
    before, behind = said(*range(5, 12)), said(*range(17, 25))
    found = follower.checked(Heard((before, behind)), 30).segments
    assert [segment.text.split()[0] for segment in found] == ["word0", "new1", "word0"]
    assert "listening again" in found[1].quality.notes[0]  # type: ignore[union-attr]
    assert len({(window.first, window.n_frames) for window in reader.asked}) == 2
    assert (follower.coverage.n_repaired, follower.coverage.n_open) == (1, 0)
    assert follower.coverage.share == 1.0


def test_a_hole_that_stays_is_told() -> None:
    follower = audit(Reader([], []), spans((5, 25)), spans((5, 25)))
    given = Heard((said(*range(5, 20)),))
    assert follower.checked(given, 30) == given
    assert (follower.coverage.n_repaired, follower.coverage.n_open) == (0, 1)
    assert follower.coverage.share == pytest.approx(1 - 5 / 20, abs=0.03)


@pytest.mark.parametrize(
    ("first", "second", "believed"),
    [
        pytest.param([said(41, 42, 43)], [said(41, 42, 43)], True, id="both windows agree"),
        pytest.param([said(41, 42, 43)], [said(41, 42, 43, text="other")], False, id="they do not"),
        pytest.param([said(41, 42, 43)], [], False, id="one hears nothing"),
        pytest.param([said(41)], [said(41)], False, id="one word is what models invent"),
        pytest.param(*[[said(41, 42, 43, quality=Quality(-0.2, 1, 0.8))]] * 2, False, id="probably no speech"),
        pytest.param(*[[said(41, 42, 43, quality=Quality(-0.9, 1, 0.1))]] * 2, False, id="unsure"),
    ],
)
def test_speech_on_the_word_of_the_second_map_alone_needs_two_hearings(
    first: list[Segment], second: list[Segment], believed: bool
) -> None:
    """Music rises above silence too, and models write something for it, but seldom the same twice."""
    follower = audit(Reader(first, second), spans((5, 7)), spans((5, 7), (40, 45)))
    found = follower.checked(Heard((said(5, 5.6, 6.2),)), 60)
    assert (len(found.segments) == 2) is believed
    assert follower.coverage.n_open == 0  # what may be music is no hole
    assert follower.coverage.speech == pytest.approx(2 + 5 * believed)


def test_long_holes_are_read_in_parts_and_windows_stay_in_the_clip() -> None:
    reader = Reader(says=lambda window: Heard((said(window.start + 2),)))
    follower = audit(reader, spans((0, 80)), spans((0, 80)), [Span(5, 75)])
    follower.checked(Heard(), 100)
    assert len(reader.asked) == 3
    assert follower.coverage.n_repaired == 3
    assert all(window.n_frames <= 3000 for window in reader.asked)
    assert min(window.first for window in reader.asked) == 500
    assert max(window.end_frame for window in reader.asked) == 7500


def test_holes_of_a_stretch_are_read_together() -> None:
    """One by one they would take several times as long."""
    reader = Reader(says=lambda window: Heard())
    audit(reader, spans(), spans(*((5 * at, 5 * at + 3) for at in range(10)))).checked(Heard(), 100)
    assert len(reader.asked) == 2
    assert reader.n_batches == 1


def test_what_says_nothing_at_once_is_not_heard_twice() -> None:
    reader = Reader(says=lambda window: Heard())
    audit(reader, spans(), spans((40, 45))).checked(Heard(), 60)
    assert len(reader.asked) == 1


def test_only_so_much_is_listened_to_in_vain_and_the_rest_is_told() -> None:
    pulses = spans(*((at, at + 2.0) for at in range(0, 3600, 10)))
    reader = Reader(says=lambda window: Heard())
    follower = audit(reader, spans(), pulses, [Span(0, 3600)])
    follower.checked(Heard(), 3600)
    listened = len(reader.asked) * 30
    assert IN_VAIN * 3600 - 60 <= listened <= IN_VAIN * 3600
    assert follower.coverage.n_unread > 100
    assert follower.coverage.to_dict()["holes_unread"] == follower.coverage.n_unread


def test_what_finds_something_may_take_as_long_as_it_takes() -> None:
    speech = spans(*((at, at + 20.0) for at in range(0, 3600, 30)))
    reader = Reader(says=lambda window: Heard((said(*(window.start + 2 + at for at in range(18))),)))
    follower = audit(reader, speech, speech, [Span(0, 3600)])
    assert len(follower.checked(Heard(), 3600).segments) == 120
    assert follower.coverage.share == 1.0


def test_the_likeliest_holes_are_read_first() -> None:
    """Where Silero has a suspicion, however faint, someone may speak; where it has none, hardly."""
    pulses = spans(*((at, at + 2.0) for at in range(0, 300, 10)))
    reader = Reader(says=lambda window: Heard())
    follower = audit(reader, spans((200, 202)), pulses, [Span(0, 300)], faint=spans((250.5, 251)))
    follower.checked(Heard(), 300)
    assert [round(window.start) for window in reader.asked[:3]] == [199, 200, 249]
    assert follower.coverage.n_unread > 0
    assert len(reader.asked) * 30 <= IN_VAIN_AT_LEAST


def test_a_hole_at_the_edges_of_a_clip_is_heard_twice_differently() -> None:
    hole = clip = Span(5, 15)
    first = window_over(hole, clip, 3000)
    second = window_over(hole, clip, 3000, unlike=first)
    assert first.first < second.first
    assert second.end_frame < first.end_frame


def test_windows_over_holes_hold_them_whole() -> None:
    found = [Span(at, at + 3.0) for at in (1.0, 6.0, 12.0, 20.0, 50.0)]
    laid = windows_over(found, Span(0, 60), 3000)
    assert [hole for its in laid.values() for hole in its] == found
    assert len(laid) == 2
    for window, its in laid.items():
        assert all(window.start <= hole.start and hole.end * 100 <= window.end_frame for hole in its)


def test_a_hole_is_filled_in_both_languages() -> None:
    def says(window: Window) -> Heard:
        english = (replace(said(14, 15, text="new"), language="en"), replace(said(3), language="en"))
        return Heard((said(14, 15, text="neu"),), english)

    given = Heard((said(*range(5, 12)), said(*range(17, 25))), (Segment(5, 12, " before"), Segment(17, 25, " behind")))
    found = audit(Reader(says=says), spans((5, 25)), spans((5, 25))).checked(given, 30)
    assert [segment.text.split()[0] for segment in found.segments] == ["word0", "neu0", "word0"]
    assert [segment.text.split()[0] for segment in found.translation] == ["before", "new0", "behind"]


def test_the_other_detector_has_the_second_opinion() -> None:
    assert second_opinion("silero").detector == "energy"
    assert second_opinion("energy").detector == "silero"


def test_the_report_is_plain() -> None:
    assert Coverage(200.0, 1.4, 1, 2, 3).to_dict() == {
        "speech_seconds": 200.0,
        "covered": 0.993,
        "holes_repaired": 1,
        "holes_open": 2,
        "holes_unread": 3,
    }
    assert Coverage().share == 1.0
