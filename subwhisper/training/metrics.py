"""How wrong a transcript is: words, and the times of words.

Texts are compared as Whisper's authors did (Radford et al. 2022, arXiv:2212.04356, appendix C): English by rules of its
own, other languages without case and marks, and those without spaces character by character.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from subwhisper.errors import MissingExtra
from subwhisper.languages import SPACELESS
from subwhisper.transcript import Word

_ASIDE = re.compile(r"[<\[][^>\]]*[>\]]|\([^)]+\)")
_ELLIPSIS = re.compile(r"…|\.{2,}")
"""Whisper's English rules leave one of its dots."""


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
def _english() -> Any:
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError as error:
        raise MissingExtra("whisper-normalizer", "eval") from error
    return EnglishTextNormalizer()


def normalized(text: str, language: str = "en") -> str:
    """Text as it is compared: without case and marks; in English one spelling and numbers as digits.

    Characters of languages without spaces are words: that is how they are counted.
    """
    plain = str(_english()(_ELLIPSIS.sub(" ", text))) if language == "en" else _basic(text)
    words = [word for word in plain.split() if any(map(str.isalnum, word))]
    return " ".join(_characters("".join(words)) if language in SPACELESS else words)


def _basic(text: str) -> str:
    """Whisper's rules outside English, except that combining marks stay: vowel signs of Hindi are no punctuation."""
    text = _ASIDE.sub("", unicodedata.normalize("NFKC", text).lower())
    return "".join(_compared(character) for character in text)


def _compared(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return ""  # joiners and marks of direction, which nobody sees
    return " " if category[0] in "PS" else character


def _characters(text: str) -> list[str]:
    """Characters with the marks that combine with them."""
    found: list[str] = []
    for character in text:
        if found and unicodedata.category(character)[0] == "M":
            found[-1] += character
        else:
            found.append(character)
    return found


def _compare(reference: Sequence[str], hypothesis: Sequence[str]) -> Any:
    try:
        import jiwer
    except ImportError as error:
        raise MissingExtra("jiwer", "eval") from error
    return jiwer.process_words(" ".join(reference), " ".join(hypothesis))


def word_errors(reference: str, hypothesis: str, language: str = "en") -> WordErrors:
    """Compare two texts word by word, after normalisation; `language` is the code of both."""
    expected, found = normalized(reference, language).split(), normalized(hypothesis, language).split()
    if not expected:
        return WordErrors(insertions=len(found))
    if not found:
        return WordErrors(deletions=len(expected), n_words=len(expected))
    counts = _compare(expected, found)
    return WordErrors(counts.substitutions, counts.deletions, counts.insertions, len(expected))


def character_errors(reference: str, hypothesis: str, language: str = "en") -> WordErrors:
    """Compare two texts letter by letter, after normalisation; what counts as a word here is a character.

    In languages without spaces that is what `word_errors` does.
    """
    if language in SPACELESS:
        return word_errors(reference, hypothesis, language)
    expected, found = normalized(reference, language), normalized(hypothesis, language)
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
