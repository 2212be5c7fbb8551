from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subwhisper.errors import InputError, OptionError
from subwhisper.subtitles.choices import CHOICES
from subwhisper.subtitles.wording import Wording, read_replacements, reword
from subwhisper.transcript import Segment, Transcript, Word


def said(text: str, language: str = "en") -> Transcript:
    words = tuple(Word(f" {word}", index * 0.5, index * 0.5 + 0.4) for index, word in enumerate(text.split()))
    return Transcript((Segment(0.0, len(words) * 0.5, f" {text}", words=words),), language)


def worded(text: str, language: str = "en", **values: str) -> str:
    return reword(said(text, language), Wording(**values)).text.strip()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Um, I think so.", "en", "I think so."),
        ("I was, uh, late.", "en", "I was, late."),
        ("Um, this is it.", "en", "This is it."),
        ("I do not know, um.", "en", "I do not know."),
        ("Er kommt um drei.", "de", "Er kommt um drei."),  # both are words of German
        ("Ähm, er kommt.", "de", "Er kommt."),
        ("The ER is full.", "en", "The ER is full."),
        ("UM, NO.", "en", "NO."),
        ("Uh.", "en", ""),
    ],
)
def test_fillers_are_left_out(text: str, language: str, expected: str) -> None:
    assert worded(text, language, disfluencies="clean") == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("I have 2 dogs.", "en", "I have two dogs."),
        ("2 dogs and 11 cats.", "en", "Two dogs and 11 cats."),
        ("It is 5 km, and 5% of it.", "en", "It is 5 km, and 5% of it."),
        ("Chapter 3, No. 4, $5, 6:30", "en", "Chapter 3, No. 4, $5, 6:30"),
        ("Ich habe 1 Hund und 2 Katzen.", "de", "Ich habe 1 Hund und zwei Katzen."),  # ein, eine, einen?
        ("U menya 2 sobaki", "ru", "U menya 2 sobaki"),  # nothing is known of it
    ],
)
def test_small_numbers_are_spelt(text: str, language: str, expected: str) -> None:
    assert worded(text, language, numbers="spell") == expected


def test_strong_language_keeps_its_first_letter() -> None:
    assert worded("What the fucking hell, shit!", profanity="mask") == "What the f****** hell, s***!"
    assert worded("We shifted the cockpit.", profanity="mask") == "We shifted the cockpit."


@pytest.mark.parametrize(
    ("casing", "language", "expected"),
    [
        ("upper", "en", "THIS IS IT. IT WORKS."),
        ("lower", "en", "this is it. it works."),
        ("sentence", "en", "This is it. It works."),
        ("upper", "tr", "THİS İS İT. İT WORKS."),
    ],
)
def test_case(casing: str, language: str, expected: str) -> None:
    assert worded("this is it. it works.", language, casing=casing) == expected


def test_a_sentence_that_runs_on_from_one_segment_to_the_next_gets_no_capital() -> None:
    parts = (Segment(0.0, 1.0, " we went"), Segment(1.0, 2.0, " to 2 places."), Segment(2.0, 3.0, " it rained."))
    result = reword(Transcript(parts, "en"), Wording(casing="sentence", numbers="spell"))
    assert result.text == " We went to two places. It rained."


def test_marks_of_sound_are_left_out() -> None:
    assert worded("[door slams] Who is (sighs) there? ♪ la la ♪", sdh="remove") == "Who is there? la la"
    assert worded("an [open bracket", sdh="remove") == "an [open bracket"


def test_corrections_take_the_time_of_what_was_heard(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text(
        "# our show\nSubwhisper: sub whisper | some whisper\nKubernetes: cooper netties\n\nNew York: newark\n"
    )
    wording = Wording(replacements=read_replacements(file))
    result = reword(said("Sub whisper, on Cooper Netties! In newark."), wording)
    assert result.text == " Subwhisper, on Kubernetes! In New York."
    words = {word.text: (word.start, word.end) for word in result.words()}
    assert words[" Subwhisper,"] == (0.0, 0.9)
    assert words[" New"][0] == 3.0
    assert words[" York."][1] == pytest.approx(3.4)


@pytest.mark.parametrize("line", ["no colon here", "right:", ": wrong", "right: | ", "right: ..."])
def test_a_wrong_line_of_corrections_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "names.txt"
    file.write_text(f"good: bad\n{line}\n")
    with pytest.raises(InputError, match=r"names.txt, line 2"):
        read_replacements(file)


def test_impossible_values_are_refused() -> None:
    with pytest.raises(OptionError, match="casing"):
        Wording(casing="loud")


@given(
    st.lists(st.text(alphabet="aum[]()♪.,? 12%E", min_size=1, max_size=6), max_size=12),
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CHOICES.items()}),
)
def test_words_stay_in_order_and_keep_their_times(texts: list[str], values: dict[str, str]) -> None:
    words = tuple(Word(f" {text}", float(index), index + 0.5) for index, text in enumerate(texts))
    transcript = Transcript((Segment(0.0, 20.0, "".join(word.text for word in words), words=words),), "en")
    result = list(reword(transcript, Wording(**values)).words())  # type: ignore[arg-type]
    starts = [word.start for word in result]
    assert starts == sorted(starts)
    assert {(word.start, word.end) for word in result} <= {(word.start, word.end) for word in words}
