"""What belongs together in a sentence, as far as closed classes of words tell.

Detected: sentence and clause ends by punctuation; articles and possessives, titles, prepositions,
auxiliaries, subject pronouns, conjunctions and negations by lists per language (English in full,
six more in part, none for the rest); numbers and what they count; two capitalised words running
(a first and a last name, outside German). Not detected: adjective + noun, verbs and their objects,
anything that needs a parser.

Costs are those of the layout: 0 is a perfect place to part, `NEVER` a place to part only by force.
"""

import re
from enum import IntEnum
from functools import lru_cache

NEVER = 120.0
"""Article | noun, title | name."""
BAD = 40.0
"""Preposition | phrase, auxiliary | verb, pronoun | verb, conjunction | clause, number | unit."""
POOR = 15.0
"""Perhaps one name or one idea."""


class Boundary(IntEnum):
    """What ends between two words."""

    NOTHING = 0
    CLAUSE = 1
    SENTENCE = 2


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words("mr. mrs. ms. dr. prof. st. mr mrs ms dr prof sr. jr. gen. col. lt. sgt. rev. hon. no. vs.")
_TIGHT = {  # must not be parted from the word after them
    "en": _words("a an the my your our their its every another"),
    "de": _words("der die das den dem des ein eine einen einem einer eines mein dein sein ihr unser zum zur im am vom"),
    "fr": _words(
        "le la les un une des du au aux mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet"
    ),
    "es": _words("el la los las un una unos unas del al mi tu su mis tus sus"),
    "it": _words("il lo la i gli le un uno una del della dei delle al alla nel nella dal dalla sul sulla"),
    "pt": _words("o a os as um uma do da dos das no na nos nas ao à pelo pela meu minha seu sua"),
    "nl": _words("de het een mijn jouw zijn haar ons onze hun"),
}
_LOOSE = {  # should stay with the word after them
    "en": _words(
        "of to in on at by for with from into onto about as than like over under between through without within "
        "off across along around against toward towards upon behind during since "
        "and or but nor if because although that who which when while where until unless whether so "
        "i you he she we they it there who's what how why "
        "is am are was were be been being has have had do does did will would shall should can could may might must "
        "it's he's she's that's there's let's "
        "not never very too more most quite really just only his her this these those some any no each all both "
        "first second third last next own other same such many few several new"
    ),
    "de": _words(
        "und oder aber dass weil wenn ob in an auf mit von zu bei für aus nach über unter ich du er sie es wir "
        "nicht kein keine ist sind war hat habe haben wird werden kann muss sehr"
    ),
    "fr": _words(
        "et ou mais que qui si de à en dans par pour avec sur sans sous je tu il elle on nous vous ils elles ne "
        "est sont a ai ont était très plus"
    ),
    "es": _words(
        "y o pero que si de a en con por para sin sobre yo tú él ella no se me te le lo es son está ha han muy más"
    ),
    "it": _words(
        "e o ma che se di a da in con su per tra fra io tu lui lei noi voi non si mi ti ci è sono ha hanno più"
    ),
    "pt": _words(
        "e ou mas que se de em por para com sem sobre eu tu ele ela nós não me te lhe é são está foi tem mais"
    ),
    "nl": _words(
        "en of maar dat die als van in op met voor naar bij uit aan ik je jij hij zij we wij niet geen is zijn heeft"
    ),
}
_OPENERS = {  # a new line or cue may well begin with these: conjunctions, prepositions
    "en": _words(
        "and or but nor if because although though that who which when while where until unless whether so "
        "of to in on at by for with from into about as than over under between through without before after "
        "off onto out across along around against toward towards upon behind during since like "
        "is are was were will would can could shall should may might must has have had"  # a predicate begins
    ),
    "de": _words("und oder aber dass weil wenn ob mit von für aus nach über"),
    "fr": _words("et ou mais que qui si de dans par pour avec sur sans"),
    "es": _words("y o pero que si de en con por para sin sobre"),
    "it": _words("e o ma che se di da in con su per"),
    "pt": _words("e ou mas que se de em por para com sem"),
    "nl": _words("en of maar dat die als van op met voor naar"),
}
_CLOSERS = "\"'”’»›)]}」』】〕］｝〉》）*_"
_OPENING = "\"'“‘«‹([{「『【¿¡"
_SENTENCE_END = re.compile(r"[.!?…。！？।؟։።][.!?…。！？]*$")
_CLAUSE_END = re.compile(r"(?:[,;:、，；：،؛—–]|--|\.\.)$")
_NUMBER = re.compile(r"[$£€¥#]?\d[\d.,:]*")
_CONTRACTION = re.compile(r"[a-z]+(?:'(?:m|re|ve|ll|d)|n't)")  # I'm, they've, don't: a verb follows
_INITIAL = re.compile(r"[^\W\d_]\.")


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
    return bare.lower() in _TITLES or (_INITIAL.fullmatch(bare) is not None and bare != "I.")


@lru_cache(maxsize=16384)
def bond(before: str, after: str, language: str) -> float:
    """Return what it costs to part two neighbouring words, beyond the want of punctuation."""
    bare = before.lstrip(_OPENING)
    word = bare.lower().replace("’", "'")
    if word in _TITLES or (_INITIAL.fullmatch(bare) and after[0].isupper()):
        return NEVER
    if word in _TIGHT.get(language, ()):
        return NEVER
    if word in _LOOSE.get(language, ()) or (language == "en" and _CONTRACTION.fullmatch(word)):
        return BAD
    if _NUMBER.fullmatch(bare) and after[0].isalnum() and not opens_phrase(after, language):
        return BAD
    if language == "en" and word.endswith(("'s", "s'")):
        return POOR
    if language != "de" and _is_name(before) and _is_name(after.rstrip(".,;:!?…")):
        return POOR
    return 0.0


def _is_name(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and word[1:].islower() and word.isalpha()


def opens_phrase(word: str, language: str) -> bool:
    """Whether a conjunction or a preposition begins here."""
    return word.lower() in _OPENERS.get(language, ())
