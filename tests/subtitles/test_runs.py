import pytest

from subwhisper.subtitles.markup import CueSpan, Style
from subwhisper.subtitles.runs import Composed, Run, compose, decompose
from subwhisper.subtitles.track import Cue, CueWord, Track

ITALIC = Style(italic=True)


def test_runs_become_lines_and_the_marks_that_stand_beside_them() -> None:
    runs = [Run("  so "), Run("far,\n so", ITALIC), Run(" good "), Run("\n \n")]
    assert compose(runs) == Composed(
        ("so far,", "so good"), (CueSpan(0, 3, 7, ITALIC), CueSpan(1, 0, 2, ITALIC))
    )  # fmt: skip


def test_neighbours_with_the_same_marks_are_one_span() -> None:
    runs = [Run("a", ITALIC), Run("b", ITALIC), Run("c", ITALIC, voice="Ann"), Run("d")]
    assert compose(runs).spans == (CueSpan(0, 0, 2, ITALIC), CueSpan(0, 2, 3, ITALIC, "Ann"))


def test_two_rubies_side_by_side_stay_two() -> None:
    assert len(compose([Run("漢", ruby="かん"), Run("字", ruby="じ")]).spans) == 2


def test_times_of_runs_become_times_of_words_without_their_spaces() -> None:
    runs = [Run("one ", said=(0, 5)), Run("two", said=(5, 9)), Run("!", ITALIC, said=(5, 9)), Run(" three")]
    assert compose(runs).words == (CueWord(0, 5, 0, 0, 3), CueWord(5, 9, 0, 4, 8))


def test_a_cue_comes_apart_into_the_runs_it_was_made_of() -> None:
    cue = Cue(
        0,
        9,
        ("one two", "three"),
        (CueWord(1, 5, 0, 4, 7),),
        spans=(CueSpan(0, 2, 5, ITALIC), CueSpan(1, 0, 5, ITALIC)),
    )
    assert decompose(cue, words=True) == [
        [Run("on"), Run("e ", ITALIC), Run("t", ITALIC, said=(1, 5)), Run("wo", said=(1, 5))],
        [Run("three", ITALIC)],
    ]
    assert [run.text for run in decompose(cue)[0]] == ["on", "e t", "wo"]


def test_the_highlighted_word_is_underlined() -> None:
    word = CueWord(1, 5, 0, 4, 7)
    cue = Cue(0, 9, ("one two",), (word,), highlighted=word)
    assert decompose(cue) == [[Run("one "), Run("two", Style(underline=True))]]


@pytest.mark.parametrize(
    "spans",
    [
        (CueSpan(0, 0, 9),),
        (CueSpan(0, 2, 2),),
        (CueSpan(2, 0, 1),),
        (CueSpan(0, 0, 2), CueSpan(0, 1, 3)),
        (CueSpan(1, 0, 1), CueSpan(0, 0, 1)),
        (CueSpan(1, -1, 1),),
    ],
)
def test_spans_that_cannot_be_are_refused(spans: tuple[CueSpan, ...]) -> None:
    with pytest.raises(ValueError, match="span"):
        Cue(0, 1, ("one", "two"), spans=spans)


def test_marking_a_whole_cue_keeps_the_marks_it_had() -> None:
    cue = Cue(0, 1, ("one two",), spans=(CueSpan(0, 4, 7, ITALIC),)).marked(voice="Ann")
    assert cue.spans == (CueSpan(0, 0, 4, voice="Ann"), CueSpan(0, 4, 7, ITALIC, "Ann"))
    assert cue.voices == ("Ann",)


def test_moving_a_cue_moves_its_words() -> None:
    word = CueWord(10, 20, 0, 0, 1)
    moved = Cue(5, 30, ("a",), (word,), highlighted=word).retimed(lambda ms: ms + 100)
    assert (moved.start_ms, moved.end_ms, moved.words[0].start_ms) == (105, 130, 110)
    assert moved.highlighted == moved.words[0]


def test_a_long_line_with_many_marks_comes_apart_in_a_moment() -> None:
    n = 20_000
    cue = Cue(0, n, ("ab" * n,), tuple(CueWord(i, i + 1, 0, 2 * i, 2 * i + 1) for i in range(n)))
    assert len(decompose(Track((cue,)).cues[0], words=True)[0]) == 2 * n
