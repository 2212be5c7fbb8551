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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from subwhisper.subtitles.layout.lexicon import Lexicon, bare, class_of_all, lexicon

NEVER = 150.0
"""Article | noun, title | name."""
BAD = 80.0
"""Preposition | phrase, auxiliary | verb, pronoun | verb, conjunction | clause, number | unit."""
POOR = 30.0
"""Perhaps one name or one idea."""


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

_STOPS = ".,;:!?…"
_CLOSERS = "\"'”’»›)]}」』】〕］｝〉》）*_"
_OPENING = "\"'“‘«‹([{「『【¿¡"
_SENTENCE_END = re.compile(r"[.!?…。！？।؟։።۔][.!?…。！？]*$")
_CLAUSE_END = re.compile(r"(?:[,;:、，；：،؛—–]|--|\.\.)$")
_NUMBER = re.compile(r"[$£€¥#]?\d[\d.,:]*")
_CONTRACTION = re.compile(r"[a-z]+(?:'(?:m|re|ve|ll|d)|n't)")  # I'm, they've, don't: a verb follows
_ADJECTIVE_ENDING = re.compile(r"[a-z]{3,}(?:al|ive|ous|ful|less|able|ible|ic)")  # the proposal, too: it may be
_GERMAN_ADJECTIVE = re.compile(r"[a-zäöüß]{3,}(?:e|en|er|em|es)")  # before a noun, which has a capital there
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
    opened = word.lstrip(_OPENING)
    return opened.lower() in class_of_all("titles") or (_INITIAL.fullmatch(opened) is not None and opened != "I.")


def bond(before: str, after: str, language: str) -> float:
    """Return what it costs to part two neighbouring words, beyond the want of punctuation."""
    return tie(before, after, language).cost


@lru_cache(maxsize=16384)
def tie(before: str, after: str, language: str) -> Tie:
    """Return what holds two neighbouring words together."""
    opened = before.lstrip(_OPENING)
    word, following = _plain(opened), _plain(after.rstrip(_STOPS))
    words = lexicon(language)
    if word in class_of_all("titles") or (_INITIAL.fullmatch(opened) and after[0].isupper()):
        return _TITLE
    if words.has("enclitics", following):
        return _ENCLITIC
    if word in words.tight:
        return Tie(NEVER, f"with {words.tight[word]}")
    if word in words.loose:
        apart = words.has("auxiliaries", word) and words.is_link(following)
        return _LOOSE_AUXILIARY if apart else Tie(BAD, f"with {words.loose[word]}")
    if words.has("objects", following):
        return _OBJECT
    if _NUMBER.fullmatch(opened):
        return _after_number(after, language)
    if words.has("adjectives", word) and words.is_open(bare(after)):
        return _ADJECTIVE
    return _by_form(opened, word, after.rstrip(_STOPS), language)


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")


def _after_number(after: str, language: str) -> Tie:
    if counts_unit(after):
        return _UNIT_TIE
    return _NUMBER_TIE if after[0].isalnum() and not opening(after, language) else FREE


def _by_form(before: str, word: str, after: str, language: str) -> Tie:
    """What the mere form of two words tells: endings and capitals."""
    if language == "de":
        return _DESCRIBED if _GERMAN_ADJECTIVE.fullmatch(before) and _is_name(after) else FREE
    if language == "en":
        if _CONTRACTION.fullmatch(word):
            return _VERB
        if word.endswith(("'s", "s'")):
            return _POSSESSED
        if _ADJECTIVE_ENDING.fullmatch(word) and lexicon(language).is_open(bare(after)):
            return _DESCRIBED
    return _NAME if _is_name(before) and _is_name(after) else FREE


def counts_unit(word: str) -> bool:
    """Whether this is a unit that belongs to the number before it: `km`, `%`."""
    return word.lower().rstrip(_STOPS) in class_of_all("units")


def _is_name(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and word[1:].islower() and word.isalpha()


def opening(word: str, language: str) -> float:
    """Tell how good a place this word is to begin a line or cue with, from 0 to 1."""
    plain = _plain(word)
    return lexicon(language).openings.get(plain.split("'")[0] if language == "en" else plain, 0.0)


def wider_ties(words: Sequence[str], language: str) -> Mapping[int, Tie]:
    """Find what holds words together that two neighbours alone do not show.

    Returns:
        Index of the later of two neighbours -> their tie: within set phrases (`as soon as`), between what describes a
        noun and the noun, between verbs and their particles (`to look | for`, `turn | over`), between `20 or | 30`.
    """
    known = lexicon(language)
    lowered = [bare(word) for word in words]
    ties: dict[int, Tie] = {}
    for index, word in enumerate(lowered):
        for phrase in known.phrases.get(word, ()):
            if tuple(lowered[index : index + len(phrase)]) == phrase:
                ties |= dict.fromkeys(range(index + 1, index + len(phrase)), _SET_PHRASE)
        if index > 1:
            for at, shown in _of_three(known, lowered[index - 2], lowered[index - 1], word).items():
                ties.setdefault(index + at, shown)
    return ties


def _of_three(words: Lexicon, first: str, second: str, third: str) -> dict[int, Tie]:
    """The ties that three words in a row show: -1 is before the second, 0 before the third."""
    if words.opens_noun_phrase(first, second, third):
        return {0: _DESCRIBED}
    if words.has("infinitive", first) and words.has("after_infinitive", third):
        return {0: _VERB_AND_PREPOSITION}
    if first[:1].isdigit() and words.is_link(second) and third[:1].isdigit():
        return {-1: _NUMBER_TIE}
    if words.has("particles", second) and (words.is_link(third) or words.has("phrasal", first)):
        return {-1: _PARTICLE, 0: FREE}
    return {}
