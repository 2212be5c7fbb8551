from pathlib import Path

import pytest

from subwhisper.training.text import build_corpus, is_plain, read_sentences, sequences
from tests.conftest import SHARED

WELCOME = Path(__file__).parents[2] / "examples" / "welcome.txt"


@pytest.mark.parametrize(
    ("sentence", "plain"),
    [
        ("We went home early.", True),
        ("Can't you see, it's done?", True),
        ("It cost 12 dollars.", False),
        ("we start small.", False),
        ("No end mark", False),
        ("Broken t he line.", False),
        ("The USA won.", False),
        (" ".join(["Word", *["word"] * 40]) + ".", False),
    ],
)
def test_only_clean_sentences_are_spoken(sentence: str, plain: bool) -> None:
    assert is_plain(sentence) is plain


def test_a_shared_run_of_four_words_keeps_a_sentence_out() -> None:
    sentences = ["We saw the big dog run.", "We saw a small dog run."]
    corpus = build_corpus(sentences, kept_out=["Then the big dog ran; the big dog run."], common=1)
    assert {*corpus.training, *corpus.held_out} == {"We saw a small dog run."}


def test_the_split_depends_on_the_words_alone() -> None:
    sentences = [f"We count the {'very ' * (n % 7)}{'old ' * (n // 7)}trees." for n in range(60)]
    there, back = build_corpus(sentences, common=1), build_corpus(sentences[::-1], common=1)
    assert set(there.held_out) == set(back.held_out)
    assert not set(there.held_out) & set(there.training)


def test_sentences_with_rare_words_are_left_out() -> None:
    corpus = build_corpus(["We go on.", "You go on.", "They perambulate.", "We do.", "You do."], common=2)
    assert {*corpus.training, *corpus.held_out} == {"We go on.", "You go on.", "We do.", "You do."}


def test_no_four_words_of_the_example_film_are_in_the_training_text() -> None:
    """Not even in the sentences that were never chosen: the film is new to the model in every phrase."""
    path = SHARED / "text" / "sentences.jsonl"
    if not path.is_file():
        pytest.skip("the training sentences are not beside this checkout")
    said = sequences(WELCOME.read_text(encoding="utf-8"))
    assert len(said) > 50
    assert [sentence for sentence in read_sentences(path) if sequences(sentence.replace("’", "'")) & said] == []
