"""How wrong a transcript is: words, and the times of words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from subwhisper.errors import MissingExtra
from subwhisper.transcript import Word


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Counts of a comparison; they add up over files."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    n_words: int = 0
    """Of the reference."""

    @property
    def rate(self) -> float | None:
        """Errors per reference word; can pass 1. `None` where nothing was said."""
        return (self.substitutions + self.deletions + self.insertions) / self.n_words if self.n_words else None

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.n_words + other.n_words,
        )


@lru_cache(maxsize=1)
def _normalizer() -> Any:
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError as error:
        raise MissingExtra("whisper-normalizer", "eval") from error
    return EnglishTextNormalizer()


def normalized(text: str) -> str:
    """Text as it is compared: without case and marks, one spelling, numbers as digits (Whisper's own rules)."""
    return str(_normalizer()(text))


def _compare(reference: Sequence[str], hypothesis: Sequence[str]) -> Any:
    try:
        import jiwer
    except ImportError as error:
        raise MissingExtra("jiwer", "eval") from error
    return jiwer.process_words(" ".join(reference), " ".join(hypothesis))


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Compare two texts word by word, after normalisation."""
    expected, found = normalized(reference).split(), normalized(hypothesis).split()
    if not expected:
        return WordErrors(insertions=len(found))
    if not found:
        return WordErrors(deletions=len(expected), n_words=len(expected))
    counts = _compare(expected, found)
    return WordErrors(counts.substitutions, counts.deletions, counts.insertions, len(expected))


def character_errors(reference: str, hypothesis: str) -> WordErrors:
    """Compare two texts letter by letter, after normalisation; what counts as a word here is a character."""
    expected, found = normalized(reference), normalized(hypothesis)
    if not expected or not found:
        return WordErrors(insertions=len(found), deletions=len(expected), n_words=len(expected))
    try:
        import jiwer
    except ImportError as error:
        raise MissingExtra("jiwer", "eval") from error
    counts = jiwer.process_characters(expected, found)
    return WordErrors(counts.substitutions, counts.deletions, counts.insertions, len(expected))


def start_errors(truth: Iterable[Word], found: Iterable[Word]) -> list[float]:
    """Found minus true start, in seconds, of each word that was recognised; the others have none."""
    expected = [(_bare(word), word) for word in truth if _bare(word)]
    heard = [(_bare(word), word) for word in found if _bare(word)]
    if not expected or not heard:
        return []
    alignment = _compare([text for text, _ in expected], [text for text, _ in heard]).alignments[0]
    return [
        heard[chunk.hyp_start_idx + i][1].start - expected[chunk.ref_start_idx + i][1].start
        for chunk in alignment
        if chunk.type == "equal"
        for i in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]


def _bare(word: Word) -> str:
    """Letters and digits of a word; never a space, so that words stay one to one."""
    return "".join(character for character in word.text.lower() if character.isalnum())


@dataclass(frozen=True, slots=True)
class TimeErrors:
    """Absolute start errors of words, seconds."""

    n_words: int
    median: float
    p90: float
    within_150_ms: float
    """Share, 0 to 1."""


def summarize(errors: Sequence[float]) -> TimeErrors | None:
    """Median and tail of start errors; `None` where there are none."""
    if not errors:
        return None
    sizes = np.abs(np.asarray(errors))
    return TimeErrors(
        n_words=len(sizes),
        median=float(np.median(sizes)),
        p90=float(np.quantile(sizes, 0.9)),
        within_150_ms=float((sizes <= 0.15).mean()),
    )
