"""The closed classes of words of each language: what `closed_classes.toml` says, made quick to ask."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

_LISTS = Path(__file__).with_name("closed_classes.toml")
_TIGHT = {"articles": "an article", "possessives": "a possessive"}
_LOOSE = {
    "negations": "a negation",
    "prepositions": "a preposition",
    "conjunctions": "a conjunction",
    "auxiliaries": "an auxiliary",
    "pronouns": "a pronoun",
    "determiners": "a determiner",
    "degrees": "a word of degree",
    "ordinals": "an ordinal",
}
_OPENINGS = {"conjunctions": 1.0, "prepositions": 0.5, "connectives": 0.5, "subjects": 0.3, "openers": 0.25}
"""Classes that may begin a line or cue, and how good a place that is, up to 1."""
_LINKS = ("conjunctions", "prepositions")
_DESCRIBING = ("articles", "possessives", "determiners", "degrees")
_PUNCTUATION = ".,;:!?…\"'“”‘’«»()[]"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The closed classes of one language; words are in lower case."""

    tight: Mapping[str, str]
    """Word -> its class, for words that are never parted from the word after them."""
    loose: Mapping[str, str]
    """Word -> its class, for words that are parted from it where nothing else helps."""
    openings: Mapping[str, float]
    """Word -> how good a place it is to begin a line or cue with, up to 1."""
    classes: Mapping[str, frozenset[str]]
    phrases: Mapping[str, tuple[tuple[str, ...], ...]]
    """First word -> phrases of several words that begin with it."""
    links: frozenset[str]
    """Conjunctions and prepositions."""
    describing: frozenset[str]
    """What a noun phrase begins with."""

    def has(self, name: str, word: str) -> bool:
        """Whether a class holds a word; a language may lack the class."""
        return word in self.classes.get(name, ())

    def is_link(self, word: str) -> bool:
        """Whether it is a conjunction or preposition."""
        return word in self.links

    def is_open(self, word: str) -> bool:
        """Whether a word is of no class that is known: a noun, a verb, an adjective, an adverb."""
        known = word in self.tight or word in self.loose or word in self.openings
        return word[:1].isalpha() and not (known or self.has("objects", word) or self.has("enclitics", word))

    def opens_noun_phrase(self, first: str, second: str, third: str) -> bool:
        """Whether three words may be an article or the like, what describes a noun, and the noun."""
        begins = first in self.describing
        return begins and self.is_open(second) and self.is_open(third) and not self.has("adjectives", second)


@cache
def lexicon(language: str) -> Lexicon:
    """Return the classes of a language; none are known of many."""
    table = _tables().get(language, {})
    classes = {name: frozenset(words.split()) for name, words in table.items() if name != "phrases"}
    phrases: dict[str, tuple[tuple[str, ...], ...]] = {}
    for phrase in filter(None, map(str.split, table.get("phrases", "").split(","))):
        phrases[phrase[0]] = (*phrases.get(phrase[0], ()), tuple(phrase))
    return Lexicon(
        _by_word(classes, _TIGHT),
        _by_word(classes, _LOOSE),
        _by_word(classes, _OPENINGS),
        classes,
        phrases,
        _union(classes, _LINKS),
        _union(classes, _DESCRIBING),
    )


@cache
def class_of_all(name: str) -> frozenset[str]:
    """Return a class that is the same in every language."""
    return frozenset(_tables()["all"][name].split())


def bare(word: str) -> str:
    """A word as the classes have it: in lower case, with no punctuation around it."""
    return word.lower().strip(_PUNCTUATION)


def _by_word(classes: Mapping[str, frozenset[str]], values: Mapping[str, Value]) -> dict[str, Value]:
    """Word -> the value of the first class that holds it."""
    found: dict[str, Value] = {}
    for name, value in values.items():
        for word in classes.get(name, ()):
            found.setdefault(word, value)
    return found


def _union(classes: Mapping[str, frozenset[str]], names: Sequence[str]) -> frozenset[str]:
    return frozenset().union(*(classes.get(name, ()) for name in names))


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(_LISTS.read_text(encoding="utf-8"))
