"""What belongs together in a sentence, as far as closed classes of words tell.

Detected: sentence and clause ends by punctuation; articles, possessives, prepositions, auxiliaries, subject
pronouns, conjunctions, negations and the like by the lists of `closed_classes.toml` (19 languages; English in
full, the rest in part); titles; numbers and what they count; two capitalised words running (a first and a last
name, outside German); phrases of Chinese, Japanese and Thai (phrases.py).
Detected in part: nouns and what describes them, by common adjectives (English) and by the article before them.
Not detected: verbs and their objects, names that are not capitalised, words of one class that look like
another (`that`, `her`), anything else that needs a parser.

Costs are those of the layout: 0 is a perfect place to part, `NEVER` a place to part only by force.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from pathlib import Path

NEVER = 150.0
"""Article | noun, title | name."""
BAD = 80.0
"""Preposition | phrase, auxiliary | verb, pronoun | verb, conjunction | clause, number | unit."""
POOR = 30.0
"""Perhaps one name or one idea."""

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
"""Classes after which a noun comes, with what describes it before it."""


class Boundary(IntEnum):
    """What ends between two words."""

    NOTHING = 0
    CLAUSE = 1
    SENTENCE = 2


@dataclass(frozen=True, slots=True)
class Tie:
    """Why two neighbouring words belong together."""

    cost: float
    """Of parting them."""
    reason: str
    """To say after "the line ends": "with an article"."""


FREE = Tie(0.0, "")


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """The closed classes of one language."""

    ties: Mapping[str, Tie]
    """Word -> its tie to the word after it."""
    enclitics: frozenset[str]
    """Words that belong to the word before them."""
    objects: frozenset[str]
    """Pronouns that belong to the verb before them."""
    openings: Mapping[str, float]
    links: frozenset[str]
    """Conjunctions and prepositions: what they begin may stand apart from an auxiliary."""
    auxiliaries: frozenset[str]
    adjectives: frozenset[str]
    particles: frozenset[str]
    """Words that belong to the verb before them when a preposition follows: `walk over | to`."""
    phrasal: frozenset[str]
    """Verbs that particles belong to: `turn over`."""
    describing: frozenset[str]
    set_phrases: Mapping[str, tuple[tuple[str, ...], ...]]
    """First word -> phrases of several words that begin with it."""

    def is_open(self, word: str) -> bool:
        """Whether a word is of no class that is known: a noun, a verb, an adjective, an adverb."""
        bare = word.lower().strip(_BARE)
        return bare[:1].isalpha() and not (
            bare in self.ties or bare in self.openings or bare in self.objects or bare in self.enclitics
        )

    def opens_noun_phrase(self, first: str, second: str, third: str) -> bool:
        """Whether three words may be an article, what describes a noun, and the noun."""
        described = first in self.describing and self.is_open(second) and self.is_open(third)
        return described and second not in self.adjectives


@cache
def _lexicon(language: str) -> _Lexicon:
    table: dict[str, str] = _tables().get(language, {})
    classes = {name: frozenset(words.split()) for name, words in table.items()}
    ties: dict[str, Tie] = {}
    for cost, titles in ((NEVER, _TIGHT), (BAD, _LOOSE)):
        for name, title in titles.items():
            for word in classes.get(name, ()):
                ties.setdefault(word, Tie(cost, f"with {title}"))
    openings: dict[str, float] = {}
    for name, strength in _OPENINGS.items():
        for word in classes.get(name, ()):
            openings.setdefault(word, strength)
    phrases: dict[str, tuple[tuple[str, ...], ...]] = {}
    for phrase in table.get("phrases", "").split(","):
        words = tuple(phrase.split())
        if words:
            phrases[words[0]] = (*phrases.get(words[0], ()), words)
    none: frozenset[str] = frozenset()
    return _Lexicon(
        ties=ties,
        enclitics=classes.get("enclitics", none),
        objects=classes.get("objects", none),
        openings=openings,
        links=none.union(*(classes.get(name, none) for name in _LINKS)),
        auxiliaries=classes.get("auxiliaries", none),
        adjectives=classes.get("adjectives", none),
        particles=classes.get("particles", none),
        phrasal=classes.get("phrasal", none),
        describing=none.union(*(classes.get(name, none) for name in _DESCRIBING)),
        set_phrases=phrases,
    )


@cache
def _class_of_all(name: str) -> frozenset[str]:
    """A class that is the same in every language."""
    return frozenset(_tables()["all"][name].split())


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(_LISTS.read_text(encoding="utf-8"))


_BARE = ".,;:!?…\"'“”‘’«»()[]"
_AFTER_INFINITIVE = frozenset("to off up out for about with into down away over at of".split())
_CLOSERS = "\"'”’»›)]}」』】〕］｝〉》）*_"
_OPENING = "\"'“‘«‹([{「『【¿¡"
_SENTENCE_END = re.compile(r"[.!?…。！？।؟։።۔][.!?…。！？]*$")
_CLAUSE_END = re.compile(r"(?:[,;:、，；：،؛—–]|--|\.\.)$")
_NUMBER = re.compile(r"[$£€¥#]?\d[\d.,:]*")
_CONTRACTION = re.compile(r"[a-z]+(?:'(?:m|re|ve|ll|d)|n't)")  # I'm, they've, don't: a verb follows
_ADJECTIVE_ENDING = re.compile(r"[a-z]{3,}(?:al|ive|ous|ful|less|able|ible|ic)")  # the proposal, too: it may be
_INITIAL = re.compile(r"[^\W\d_]\.")
_TITLE = Tie(NEVER, "with a title")
_NUMBER_TIE = Tie(BAD, "between a number and what it counts")
_UNIT_TIE = Tie(NEVER, "between a number and its unit")
_VERB = Tie(BAD, "before a verb")
_LOOSE_AUXILIARY = Tie(POOR, "with an auxiliary")
_VERB_AND_PREPOSITION = Tie(BAD, "between a verb and its preposition")
_SET_PHRASE = Tie(BAD, "within a set phrase")
_POSSESSED = Tie(POOR, "with a possessive")
_NAME = Tie(POOR, "within a name")
_ADJECTIVE = Tie(BAD, "between an adjective and its noun")
_DESCRIBED = Tie(POOR, "within what may be one idea")
_PARTICLE = Tie(BAD, "between a verb and its particle")
_OBJECT = Tie(BAD, "between a verb and its object")
_ENCLITIC = Tie(NEVER, "before a particle that belongs to it")


@lru_cache(maxsize=16384)
def boundary(before: str, after: str) -> Boundary:
    """Tell what ends between two neighbouring words, by their punctuation."""
    core = before.rstrip(_CLOSERS)
    if _SENTENCE_END.search(core):
        first = after.lstrip(_OPENING)[:1]
        if core.endswith(".") and (_is_abbreviation(core) or first.islower()):
            return Boundary.CLAUSE if core.endswith("..") else Boundary.NOTHING
        return Boundary.CLAUSE if core.endswith("…") and first.islower() else Boundary.SENTENCE
    if _CLAUSE_END.search(core) or after[0] in "—–" or after.startswith("--"):
        return Boundary.CLAUSE
    return Boundary.NOTHING


def _is_abbreviation(word: str) -> bool:
    bare = word.lstrip(_OPENING)
    return bare.lower() in _class_of_all("titles") or (_INITIAL.fullmatch(bare) is not None and bare != "I.")


def bond(before: str, after: str, language: str) -> float:
    """Return what it costs to part two neighbouring words, beyond the want of punctuation."""
    return tie(before, after, language).cost


@lru_cache(maxsize=16384)
def tie(before: str, after: str, language: str) -> Tie:
    """Return what holds two neighbouring words together."""
    bare = before.lstrip(_OPENING)
    word = bare.lower().replace("’", "'")
    lexicon = _lexicon(language)
    if word in _class_of_all("titles") or (_INITIAL.fullmatch(bare) and after[0].isupper()):
        return _TITLE
    if after.lower().rstrip(".,;:!?…") in lexicon.enclitics:
        return _ENCLITIC
    if word in lexicon.ties:
        if word in lexicon.auxiliaries and after.lower() in lexicon.links:
            return _LOOSE_AUXILIARY
        return lexicon.ties[word]
    if after.lower().rstrip(".,;:!?…") in lexicon.objects:
        return _OBJECT
    if language == "en" and _CONTRACTION.fullmatch(word):
        return _VERB
    if _NUMBER.fullmatch(bare):
        if counts_unit(after):
            return _UNIT_TIE
        if after[0].isalnum() and not opening(after, language):
            return _NUMBER_TIE
    if word in lexicon.adjectives and lexicon.is_open(after):
        return _ADJECTIVE
    if language == "en" and word.endswith(("'s", "s'")):
        return _POSSESSED
    if language == "en" and _ADJECTIVE_ENDING.fullmatch(word) and lexicon.is_open(after):
        return _DESCRIBED
    if language != "de" and _is_name(before) and _is_name(after.rstrip(".,;:!?…")):
        return _NAME
    return FREE


def counts_unit(word: str) -> bool:
    """Whether this is a unit that belongs to the number before it: `km`, `%`."""
    return word.lower().rstrip(".,;:!?…") in _class_of_all("units")


def _is_name(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and word[1:].islower() and word.isalpha()


def opening(word: str, language: str) -> float:
    """Tell how good a place this word is to begin a line or cue with, from 0 to 1."""
    bare = word.lower().replace("’", "'")
    return _lexicon(language).openings.get(bare.split("'")[0] if language == "en" else bare, 0.0)


def wider_ties(words: Sequence[str], language: str) -> Mapping[int, Tie]:
    """Find what holds words together that two neighbours alone do not show.

    Returns:
        Index of the later of two neighbours -> their tie: within set phrases (`as soon as`), between what describes a
        noun and the noun, between verbs and their particles (`to look | for`, `turn | over`), between `20 or | 30`.
    """
    lexicon = _lexicon(language)
    lowered = [word.lower().strip(_BARE) for word in words]
    ties: dict[int, Tie] = {}
    for index, word in enumerate(lowered):
        if index > 1 and lexicon.opens_noun_phrase(*lowered[index - 2 : index + 1]):
            ties.setdefault(index, _DESCRIBED)
        for phrase in lexicon.set_phrases.get(word, ()):
            if tuple(lowered[index : index + len(phrase)]) == phrase:
                ties |= dict.fromkeys(range(index + 1, index + len(phrase)), _SET_PHRASE)
        if language == "en" and index > 1 and lowered[index - 2] == "to" and word in _AFTER_INFINITIVE:
            ties[index] = _VERB_AND_PREPOSITION
        if index > 1 and word[:1].isdigit() and lowered[index - 2][:1].isdigit() and lowered[index - 1] in lexicon.links:
            ties[index - 1] = _NUMBER_TIE
        if index and word in lexicon.particles and index + 1 < len(lowered):
            if lowered[index + 1] in lexicon.links or lowered[index - 1] in lexicon.phrasal:
                ties[index], ties[index + 1] = _PARTICLE, FREE
    return ties
