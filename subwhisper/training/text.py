"""Sentences to speak: cleaned, split into training and evaluation, kept apart from the example film."""

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PLAIN = re.compile(r"[A-Z][A-Za-z ,.?!';:-]*[.?!]")
"""Letters and common marks only: no digits, so every written word is the word that is spoken."""
BROKEN = re.compile(r" [-.,;:?!']|--|(?<!')\b[b-hj-zB-HJ-NP-Z]\b(?!')|\.\.|'(?![a-z])|[A-Z]{2}|[a-z]\.[a-z]")
"""Debris of transcription and of page layout; letters on their own are read out by name."""
MAX_WORDS = 24
COMMON = 1
"""Sentences a word must be in; those that hold a rarer one are left out."""
HELD_OUT_EVERY = 40
"""One sentence in so many is for evaluation only."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sentences in their original order, so that neighbours belong together."""

    training: tuple[str, ...]
    held_out: tuple[str, ...]


def words_of(text: str) -> list[str]:
    """Lower-case words without marks, as they are compared."""
    return re.findall(r"[a-z']+", text.lower())


def sequences(text: str, n: int = 4) -> set[tuple[str, ...]]:
    """Every run of `n` words in a text."""
    words = words_of(text)
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def is_plain(sentence: str) -> bool:
    """Whether a sentence is clean enough to be spoken and learnt from."""
    return bool(PLAIN.fullmatch(sentence)) and not BROKEN.search(sentence) and len(sentence.split()) <= MAX_WORDS


def build_corpus(sentences: Iterable[str], kept_out: Sequence[str] = (), *, common: int = COMMON) -> Corpus:
    """Choose the plain sentences that share no four words in a row with the texts of `kept_out`.

    A sentence with a word that fewer than `common` sentences hold is left out too. Which side a sentence falls on
    depends on its words alone, so the split survives a change of order.
    """
    forbidden = set().union(*map(sequences, kept_out)) if kept_out else set()
    seen: set[str] = set()
    sides: tuple[list[str], list[str]] = ([], [])
    cleaned = [" ".join(raw.replace("’", "'").split()) for raw in sentences]
    counts = Counter(word for sentence in cleaned for word in set(words_of(sentence)))
    for sentence in cleaned:
        key = " ".join(words_of(sentence))
        if key in seen or not is_plain(sentence) or sequences(sentence) & forbidden:
            continue
        seen.add(key)
        if any(counts[word] < common for word in words_of(sentence)):
            continue
        sides[zlib.crc32(key.encode()) % HELD_OUT_EVERY == 0].append(sentence)
    return Corpus(tuple(sides[0]), tuple(sides[1]))


def read_sentences(path: Path) -> list[str]:
    """The `text` fields of a JSON-lines file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines if line.strip()]
