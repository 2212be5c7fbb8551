from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("jiwer")
pytest.importorskip("whisper_normalizer")

from subwhisper.audio import Audio
from subwhisper.engine.options import TranscribeOptions
from subwhisper.training.evaluate import Clip, score_clip
from subwhisper.training.metrics import character_errors, normalized, start_errors, summarize, word_errors
from subwhisper.transcript import Segment, Transcript, Word


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


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Well… yes", "well yes"),
        ("en", "Um, twenty... .5", "20 .5"),
        ("en", "... !!! … $ %", ""),
        ("de", "Um zwölf Uhr … das heißt: 12:00!", "um zwölf uhr das heißt 12 00"),
        ("de", "Um zwo\u0308lf [lacht] Uhr", "um zwölf uhr"),
        ("hi", "यह हिन्दी है।", "यह हिन्दी है"),  # vowel signs and the virama stay
        ("fa", "می\u200cروم، خانه.", "میروم خانه"),
        ("ja", "今日は、ＧＰＵ（笑）です。", "今 日 は g p u で す"),
        ("th", "ที่นี่ ดี", "ที่ นี่ ดี"),  # marks belong to the letter before
    ],
)
def test_texts_are_compared_by_the_rules_of_their_language(language: str, text: str, expected: str) -> None:
    assert normalized(text, language) == expected


def test_languages_without_spaces_are_counted_by_characters() -> None:
    for errors in (word_errors, character_errors):
        counts = errors("今日は 天気。", "今日 天氣", "ja")
        assert (counts.n_words, counts.substitutions, counts.deletions) == (5, 1, 1)


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


@dataclass(frozen=True)
class Writer:
    """A transcriber that hears one thing."""

    transcript: Transcript

    def transcribe(self, audio: object, options: object) -> Transcript:
        return self.transcript


@pytest.mark.parametrize(("text", "is_spoken"), [("", False), ("[♪] …", False), ("Um zwölf.", True)])
def test_a_clip_is_scored_in_the_language_of_its_transcript(text: str, is_spoken: bool) -> None:
    writer = Writer(Transcript((Segment(0.0, 1.0, " Um zwölf."),), "de"))
    clip = Clip("a", Audio(np.zeros(16_000, np.float32)), text)
    score = score_clip(writer, clip, TranscribeOptions(language="de"))  # type: ignore[arg-type]
    assert score.is_spoken == is_spoken
    assert (score.words.n_words, score.words.insertions) == ((2, 0) if is_spoken else (0, 2))
