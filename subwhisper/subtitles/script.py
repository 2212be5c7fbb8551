"""How text behaves on a line: how wide it is, which scripts write no spaces, where those may be broken.

Breaks inside scripts without spaces follow their basic prohibitions (no line begins with a
closing mark or a small kana, none ends with an opening mark: JIS X 4051, and UAX #14 for Thai
and Lao vowels written before their consonant). They do not know words: phrases are a later step.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u2e80-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff9f"  # Han, kana, bopomofo, full-width forms
    "\U00020000-\U0003ffff]"
)
_NOT_FIRST = frozenset(
    "、。，．・：；？！）」』】〕］｝〉》”’…‥ー々ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
    "ๆฯะาำๅ%‰℃)]},.!?:;»›"
)
_NOT_LAST = frozenset("「『（【〔［｛〈《“‘([{¿¡$£€¥#«‹เแโใไເແໂໃໄ")
_SPACE = re.compile("[^\\S\u00a0\u202f\u2007]+")  # white space a line may be broken at: not the no-break spaces
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Make text fit for a caption: control characters go, lone surrogates become U+FFFD, white space one space."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text
    return _SPACE.sub(" ", _SURROGATE.sub("\ufffd", _CONTROL.sub("", text)))


def is_spaceless(character: str) -> bool:
    """Whether the character belongs to a script that puts no spaces between words (Korean does)."""
    return _SPACELESS.match(character) is not None


def display_width(text: str) -> int:
    """Count columns: 2 for a wide character or an emoji, 0 for a combining mark, 1 for the rest."""
    return len(text) if text.isascii() else _wide_width(text)


@lru_cache(maxsize=4096)
def _wide_width(text: str) -> int:
    from wcwidth import wcswidth  # its tables take a while to load, and ASCII needs none of them

    columns = wcswidth(text)
    return columns if columns >= 0 else len(text)  # negative: it holds a control character


_HALVED = ("zh", "yue", "ja", "ko")
"""Languages in which a full-width character is one and any other half of one."""


def reading_length(text: str, language: str) -> float:
    """Count characters as reading speed does: all that is seen, spaces included.

    Marks drawn onto a letter do not count, nor do invisible characters. In Chinese, Japanese and Korean
    half-width characters count for half, as Netflix's guides have it.
    """
    if language.split("-")[0].lower() in _HALVED:
        return display_width(text) / 2
    return float(len(text)) if text.isascii() else _seen(text)


@lru_cache(maxsize=4096)
def _seen(text: str) -> float:
    return float(sum(unicodedata.category(character) not in {"Mn", "Me", "Cf"} for character in text))


def join(parts: Iterable[str]) -> str:
    """Join lines into running text: a space between them, except within a script that has none."""
    joined: list[str] = []
    for part in parts:
        if joined and needs_space(joined[-1], part):
            joined.append(" ")
        joined.append(part)
    return "".join(joined)


def needs_space(before: str, after: str) -> bool:
    """Whether running text has a space between them."""
    return not (is_spaceless(before[-1]) and is_spaceless(after[0]))


def may_part(before: str, after: str) -> bool:
    """Whether a line may end after `before` and the next begin with `after`, with no space between them."""
    if not (is_spaceless(before[-1]) or is_spaceless(after[0])):
        return False
    return not (before[-1] in _NOT_LAST or after[0] in _NOT_FIRST or clings(before, after))


def clings(before: str, after: str) -> bool:
    """Whether `after` begins with a character that is drawn together with the end of `before`."""
    return (
        before[-1] == "\u200d"  # zero-width joiner: an emoji of several parts
        or after[0] == "\u200d"
        or unicodedata.category(after[0]).startswith("M")
        or "\U0001f3fb" <= after[0] <= "\U0001f3ff"  # skin tones
    )


def split_words(text: str) -> list[str]:
    """Split at white space; a word that has it before keeps one leading space, as the tokenizer writes it."""
    words = [f" {word}" for word in _SPACE.split(text) if word]
    if words and not _SPACE.match(text):
        words[0] = words[0][1:]
    return words


def split_spaceless(word: str) -> list[str]:
    """Split one word wherever a script without spaces may be broken; other words come back whole."""
    if not _SPACELESS.search(word):
        return [word]
    parts, begin = [], 0
    for index in range(1, len(word)):
        if may_part(word[index - 1], word[index]) and word[index - 1] != " ":
            parts.append(word[begin:index])
            begin = index
    return [*parts, word[begin:]]
