import pytest

pytest.importorskip("jiwer")
pytest.importorskip("whisper_normalizer")

from subwhisper.training.metrics import start_errors, summarize, word_errors
from subwhisper.transcript import Word


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("The cat sat down.", "the cat sat down", 0.0),
        ("The cat sat down.", "The cat sat", 0.25),
        ("The cat sat down.", "", 1.0),
        ("Colour it grey.", "Color it gray.", 0.0),
        ("Yes.", "yes yes yes", 2.0),
    ],
)
def test_word_error_rate(reference: str, hypothesis: str, rate: float) -> None:
    assert word_errors(reference, hypothesis).rate == pytest.approx(rate)


def test_words_in_silence_are_counted_without_a_rate() -> None:
    errors = word_errors("", "thank you")
    assert (errors.insertions, errors.rate) == (2, None)


def test_errors_add_up_over_files() -> None:
    assert (word_errors("one", "two") + word_errors("a b c", "a b c")).rate == pytest.approx(0.25)


def test_only_recognised_words_are_timed() -> None:
    truth = [Word(" The", 0.0, 0.2), Word(" cat", 0.2, 0.5), Word(" sat.", 0.5, 0.9)]
    found = [Word(" The", 0.05, 0.2), Word(" dog", 0.2, 0.5), Word(" sat", 0.4, 0.9)]
    assert start_errors(truth, found) == pytest.approx([0.05, -0.1])


def test_the_summary_speaks_of_sizes() -> None:
    times = summarize([0.05, -0.1, 0.2])
    assert times is not None
    assert (times.n_words, times.median) == (3, pytest.approx(0.1))
    assert times.within_150_ms == pytest.approx(2 / 3)
