"""A text is found again in what was heard of it."""

import random
import time
from itertools import pairwise

from subwhisper.engine.anchors import match


def said(text: str) -> list[str]:
    return text.split()


TEXT = said("It was the best of times, it was the worst of times, it was the age of wisdom.")


def test_equal_words_are_matched_whatever_their_case_and_marks() -> None:
    heard = said("it was THE best of times it was the worst of times it was the age of wisdom")
    assert match(TEXT, heard) == [(index, index) for index in range(len(TEXT))]


def test_words_only_on_one_side_are_stepped_over() -> None:
    text = said("Chapter one. The old man went down to the harbour. He never came back.")
    heard = said("uh the old man um went down to the harbour never came back again")
    pairs = match(text, heard)
    assert [text[i] for i, _ in pairs] == said("The old man went down to the harbour. never came back.")
    assert all(i < i_next and j < j_next for (i, j), (i_next, j_next) in pairwise(pairs))


def test_a_short_word_alone_is_no_evidence() -> None:
    assert match(said("so it goes"), said("well it rained")) == []


def test_nothing_matches_nothing() -> None:
    assert match([], ["a"]) == match(["a"], []) == match([], []) == match(["–", "…"], ["–", "…"]) == []


def test_a_long_book_with_a_missing_chapter_is_matched_in_seconds() -> None:
    chance = random.Random(3)
    words = [
        f"word{chance.randrange(3000)}" if chance.random() < 0.5 else f"w{chance.randrange(30)}" for _ in range(60_000)
    ]
    kept = [index for index in range(len(words)) if not 20_000 <= index < 26_000 and chance.random() > 0.05]
    started = time.perf_counter()
    pairs = match(words, [words[index] for index in kept])
    assert time.perf_counter() - started < 30
    right = sum(kept[j] == i for i, j in pairs)
    assert right >= 0.99 * len(kept)
    assert len(pairs) - right <= 0.01 * len(pairs)


def test_what_is_said_again_and_again_is_matched_in_its_order() -> None:
    """The longest run of all joins the first verse to the last, and is wrong."""
    verse = said("we all live here together and nobody will ever send us away from here again")
    heard = [[*verse] for _ in range(30)]
    for number, one in enumerate(heard[:-1]):  # each is misheard somewhere, only the last is not
        one[3 + number % 9] = "mumble"
    flat = [word for one in heard for word in one]
    pairs = match(verse * 30, flat)
    assert all(i == j for i, j in pairs)
    assert len(pairs) == len(flat) - 29


def test_a_chorus_that_was_sung_once_is_matched_whole() -> None:
    chorus, verse = said("row row row your boat"), said("gently down the stream we go")
    pairs = match([*chorus, *chorus, *verse], [*chorus, *verse])
    assert pairs == [(i + 5, i) for i in range(11)]  # and not half of it in the first place
