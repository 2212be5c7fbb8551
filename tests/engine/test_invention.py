"""Text that nobody said: each rule as a table. Speech is from 10 to 20 s and from 30 to 31 s."""

import pytest

from subwhisper.audio import Span
from subwhisper.engine.invention import Evidence, Loop, find_loop, judged
from subwhisper.engine.phrases import KNOWN, is_known_phrase, plain
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.transcript import Quality, Segment, Word

SPEECH = SpeechMap([Span(10, 20), Span(30, 31)])
SURE = Quality(-0.2, 1.5, 0.05)


def evidence(longest_silence: float | None = None) -> Evidence:
    return Evidence(SPEECH, lambda text: [ord(char) for char in text], -1.0, longest_silence)


def said(*words: tuple[str, float, float], quality: Quality = SURE, probability: float = 0.9) -> Segment:
    timed = tuple(Word(f" {text}", start, end, probability) for text, start, end in words)
    text = "".join(word.text for word in timed)
    return Segment(timed[0].start, timed[-1].end, text, (1, 2), 0, timed, "en", quality)


def untimed(text: str, start: float, end: float, quality: Quality = SURE, language: str = "en") -> Segment:
    return Segment(start, end, text, (1, 2), language=language, quality=quality)


CLEAR = said(("one", 11, 12), ("two", 12, 13))


@pytest.mark.parametrize(
    ("segment", "text", "reason"),
    [
        pytest.param(CLEAR, " one two", "", id="words in speech stay"),
        pytest.param(said(("a", 22, 23), ("b", 24, 25)), None, "over silence", id="words in silence go"),
        pytest.param(said(("a", 5, 6), ("b", 11, 12)), " b", "over silence: 'a' cut off", id="cut before speech"),
        pytest.param(said(("a", 18, 19), ("b", 24, 25)), " a", "over silence: 'b' cut off", id="cut behind it"),
        pytest.param(said(("a", 19, 20), ("b", 25, 26), ("c", 30, 31)), " a b c", "", id="not between words that stay"),
        pytest.param(said(("a", 20.1, 20.15), ("b", 20.15, 20.2)), " a b", "", id="times may miss by a little"),
        pytest.param(untimed(" a", 22, 25), None, "over silence", id="a segment in silence"),
        pytest.param(untimed(" a", 18, 25), " a", "", id="a segment partly in speech"),
        pytest.param(untimed("  ", 12, 13), None, "", id="no text is no loss"),
        pytest.param(untimed(" Thanks for watching!", 12, 13), " Thanks for watching!", "", id="said clearly"),
        pytest.param(
            untimed(" Thanks for watching!", 12, 13, Quality(-0.2, 1, 0.5)), None, "probably no speech", id="joint"
        ),
        pytest.param(
            untimed(" Thanks for watching!", 12, 13, Quality(-0.9, 1, 0.1)), None, "unsure", id="another joint"
        ),
        pytest.param(untimed(" Thanks for watching!", 19, 26), None, "mostly silence", id="beside speech"),
        pytest.param(untimed(" We said so.", 12, 13, Quality(-0.9, 1, 0.5)), " We said so.", "", id="no known phrase"),
        pytest.param(
            untimed(" Vielen Dank fürs Zuschauen.", 12, 13, Quality(-0.2, 1, 0.5), "de"), None, "phrase", id="German"
        ),
        pytest.param(untimed(" I was,", 30, 31, Quality(-1.2, 1, 0)), None, "guess: 1.0 s", id="a bark"),
        pytest.param(untimed(" Yes.", 30, 31, Quality(-0.9, 1, 0)), " Yes.", "", id="a brief answer"),
        pytest.param(untimed(" I was,", 12, 13, Quality(-1.2, 1, 0)), " I was,", "", id="a guess amid speech"),
        pytest.param(untimed(" and so" * 30, 12, 13), " and so", "loop: 'and so' 30 times", id="a loop is said once"),
        pytest.param(untimed(" no no no no", 12, 13), " no no no no", "", id="people repeat themselves"),
    ],
)
def test_a_segment_is_judged(segment: Segment, text: str | None, reason: str) -> None:
    kept, dropped = judged([segment], evidence())
    if text is None:
        assert kept == ()
        assert [bool(reason) and reason in one.reason for one in dropped] == ([True] if reason else [])
        return
    assert [one.text for one in kept] == [text]
    assert dropped == ()
    notes = kept[0].quality.notes if kept[0].quality else ()
    assert (reason in "".join(notes)) if reason else notes == ()
    assert kept[0].tokens == (segment.tokens if text == segment.text else tuple(map(ord, text)))


def test_what_is_cut_leaves_times_that_fit() -> None:
    [kept], _ = judged([said(("a", 5, 6), ("b", 11, 12), ("c", 12, 13))], evidence())
    assert (kept.start, kept.end, len(kept.words)) == (11, 13, 2)


def test_a_looping_segment_keeps_the_words_of_one_round() -> None:
    words = [("so", 10 + at / 4, 10.2 + at / 4) for at in range(20)]
    [kept], _ = judged([said(("and", 10, 10.1), *words)], evidence())
    assert [word.text for word in kept.words] == [" and", " so"]
    assert kept.end == kept.words[-1].end


def test_a_word_lasts_no_longer_than_the_speech_around_it() -> None:
    """Cues would appear before anyone speaks, and linger afterwards."""
    [kept], _ = judged([said(("a", 7, 11), ("b", 12, 13), ("c", 19, 24))], evidence())
    assert [(word.start, word.end) for word in kept.words] == [(10, 11), (12, 13), (19, 20)]
    assert (kept.start, kept.end) == (10, 20)


def test_doubtful_words_alone_in_silence_go_when_asked() -> None:
    doubtful = said(("x", 30, 30.05), ("y", 30.05, 30.1), probability=0.01)
    [kept], _ = judged([doubtful], evidence())
    assert kept == doubtful
    kept_after, [dropped] = judged([CLEAR, doubtful], evidence(longest_silence=5.0))
    assert kept_after == (CLEAR,)
    assert "alone" in dropped.reason


@pytest.mark.parametrize(
    ("words", "loop"),
    [
        ("", None),
        ("a b c d", None),
        ("a " * 9, None),
        ("a " * 10, Loop(0, 1, 10)),
        ("x y " + "a b c " * 4, Loop(2, 3, 4)),
        ("a b c " * 3, None),
        ("a b " * 4 + "c d e " * 5, Loop(8, 3, 5)),
    ],
)
def test_loops_are_found(words: str, loop: Loop | None) -> None:
    assert find_loop(words.split()) == loop


def test_phrases_are_known_however_they_are_written() -> None:
    for language, phrases in KNOWN.items():
        for phrase in phrases:
            assert is_known_phrase(f" {phrase.capitalize()}!", language), phrase
    assert is_known_phrase("Untertitelung des ZDF, 2020", "de")
    assert is_known_phrase("시청해주셔서 감사합니다.", "ko")
    assert not is_known_phrase("Thank you, Mary.", "en")
    assert plain("  D’accord, vu!  ") == "d accord vu"
