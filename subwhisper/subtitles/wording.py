"""How what was said is worded in captions: fillers, numbers, strong language, case, marks, corrections.

Words keep their times. What is taken out takes its time with it; what stands for several words takes all of theirs.
Not done: false starts and repetitions, which need to be understood; numbers above ten, and those whose word
depends on what is counted (German `ein`, `eine`).
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal

from subwhisper.errors import InputError, OptionError
from subwhisper.subtitles.choices import CHOICES
from subwhisper.subtitles.layout.cohesion import Boundary, boundary, counts_unit
from subwhisper.transcript import Segment, Transcript, Word

_DATA = Path(__file__).with_name("wording.toml")
_CORE = re.compile(r"^(?P<open>[^\w]*)(?P<core>.*?)(?P<close>[^\w]*)$", re.DOTALL)
_ENDING = re.compile(r"[.!?…。！？]+")
_MUSIC = "♪♫♬♩"
_BRACKETS = {"[": "]", "(": ")", "（": "）", "［": "］"}


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is written wherever something else was heard."""

    right: str
    wrong: tuple[str, ...]
    """One word or more, in lower case and without punctuation."""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What is changed; by default nothing.

    Raises:
        OptionError: a value cannot be.
    """

    disfluencies: str = "verbatim"
    """`clean` takes out fillers such as `um`."""
    numbers: str = "keep"
    """`spell` writes one to ten as words, as Netflix asks for; not before units."""
    profanity: str = "keep"
    """`mask` leaves the first letter of strong language."""
    casing: str = "keep"
    """`upper`, `lower`, or `sentence`: a capital after every full stop."""
    sdh: str = "keep"
    """`remove` takes out what is in brackets, and marks of music."""
    replacements: tuple[Replacement, ...] = ()

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if (value := getattr(self, name)) not in choices:
                raise OptionError(f"{name} cannot be {value!r}", hint=f"one of {', '.join(choices)}")


UNCHANGED = Wording()


def read_replacements(path: Path) -> tuple[Replacement, ...]:
    """Read corrections from a file: a line each, `right: wrong1 | wrong2`; # begins a comment.

    Raises:
        InputError: the file cannot be read, or a line is none of these.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error
    found: list[Replacement] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found += replacements_in(line)
        except ValueError as error:
            raise InputError(f"{path}, line {number}: {error}", hint="right: wrong1 | wrong2") from error
    return tuple(found)


def replacements_in(line: str) -> Iterator[Replacement]:
    """The corrections of one line, `right: wrong1 | wrong2`; none of an empty line or a comment.

    Raises:
        ValueError: it is none of these.
    """
    if not line.strip() or line.lstrip().startswith("#"):
        return
    right, colon, wrongs = line.rpartition(":")
    wrong = [bare_words(part) for part in wrongs.split("|") if part.strip()]
    if not (colon and right.strip() and wrong and all(all(words) for words in wrong)):
        raise ValueError(f"{line.strip()!r} is no correction")
    for words in wrong:
        yield Replacement(" ".join(right.split()), words)


def reword(transcript: Transcript, wording: Wording) -> Transcript:
    """Return the transcript as it should be worded; segments of which nothing is left are dropped."""
    if wording == UNCHANGED:
        return transcript
    language = transcript.language.split("-")[0].lower()
    steps = tuple(_steps(wording, language))
    segments: list[Segment] = []
    before = ""
    for segment in transcript.segments:
        reworded = _reworded(segment, steps, before)
        if reworded.text.strip():
            segments.append(reworded)
            before = reworded.text.split()[-1]
    return replace(transcript, segments=tuple(segments))


Step = Callable[[list[Word], str], list[Word]]
"""Words of a segment and the word before them (empty at the very start) -> the words as they should be."""


def _steps(wording: Wording, language: str) -> Iterator[Step]:
    if wording.replacements:
        longest_first = sorted(wording.replacements, key=lambda one: -len(one.wrong))
        yield lambda words, _: _replaced(words, longest_first)
    if wording.sdh == "remove":
        yield lambda words, _: _without_marks(words)
    if wording.disfluencies == "clean":
        fillers = frozenset(_list(language, "fillers"))
        yield lambda words, _: _without_fillers(words, fillers)
    if wording.numbers == "spell":
        spelt = {str(value): word for value, word in enumerate(_list(language, "numbers"), start=1) if word != "-"}
        yield lambda words, before: _spelt(words, before, spelt)
    if wording.profanity == "mask":
        patterns = _list(language, "profanity")
        whole = frozenset(pattern for pattern in patterns if not pattern.endswith("*"))
        stems = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
        yield lambda words, _: [_masked(word, whole, stems) for word in words]
    if wording.casing != "keep":
        casing: Literal["upper", "lower", "sentence"] = wording.casing  # type: ignore[assignment]
        yield lambda words, before: _cased(words, before, casing, language)


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))


def _list(language: str, name: str) -> tuple[str, ...]:
    return tuple(_tables().get(language, {}).get(name, "").split())


def _reworded(segment: Segment, steps: Sequence[Step], before: str) -> Segment:
    words = list(segment.words)
    if not words:  # no times to keep: the words only carry the text
        words = [Word(f" {part}", segment.start, segment.end) for part in segment.text.split()]
    heard = words
    for step in steps:
        words = step(words, before)
    if words == heard:
        return segment
    text = "".join(word.text for word in words)
    return replace(segment, text=text, words=tuple(words) if segment.words else ())


def _parts(word: Word) -> tuple[str, str, str]:
    """What stands before, in and after a word: space and quotes, letters, punctuation."""
    match = _CORE.match(word.text)
    assert match is not None
    return match["open"], match["core"], match["close"]


def bare_words(text: str) -> tuple[str, ...]:
    """Words as they are compared: in lower case, without the marks around them."""
    return tuple(map(_bare, text.split()))


def _bare(text: str) -> str:
    match = _CORE.match(text)
    assert match is not None
    return match["core"].lower().replace("’", "'")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _replaced(words: list[Word], replacements: Sequence[Replacement]) -> list[Word]:
    bare = [_bare(word.text) for word in words]
    result: list[Word] = []
    index = 0
    while index < len(words):
        for one in replacements:
            stop = index + len(one.wrong)
            if tuple(bare[index:stop]) == one.wrong:
                result += _written_instead(words[index:stop], one.right)
                index = stop
                break
        else:
            result.append(words[index])
            index += 1
    return result


def _written_instead(words: Sequence[Word], right: str) -> list[Word]:
    """The right words in the time of the wrong ones, with the punctuation around them."""
    opening, core, _ = _parts(words[0])
    closing = _parts(words[-1])[2]
    if core[:1].isupper() and right.islower():
        right = _capital(right)
    parts = right.split()
    lengths = list(accumulate(map(len, parts), initial=0))
    start, end = words[0].start, words[-1].end
    times = [start + (end - start) * length / lengths[-1] for length in lengths[:-1]] + [end]
    texts = [f" {part}" for part in parts]
    texts[0] = opening + parts[0]
    texts[-1] += closing
    return [
        replace(words[0], text=text, start=begin, end=stop)
        for text, (begin, stop) in zip(texts, pairwise(times), strict=True)
    ]


def _without_marks(words: list[Word]) -> list[Word]:
    kept: list[Word] = []
    closing: str | None = None
    for word in words:
        text = word.text
        out = ""
        for character in text:
            if closing is not None:
                closing = None if character == closing else closing
            elif character in _BRACKETS:
                closing = _BRACKETS[character]
            elif character not in _MUSIC:
                out += character
        if out == text:
            kept.append(word)
        elif any(character.isalnum() for character in out):
            kept.append(replace(word, text=out))
    if closing is not None:
        return words  # a bracket that is never closed: nothing is sure
    return kept


def _without_fillers(words: list[Word], fillers: frozenset[str]) -> list[Word]:
    kept: list[Word] = []
    shouted = all(core.isupper() for word in words if (core := _parts(word)[1]).isalpha())
    capital = False  # owed to the next word
    for word in words:
        _, core, close = _parts(word)
        is_acronym = core.isupper() and len(core) > 1 and not shouted
        if core.lower() not in fillers or is_acronym:
            kept.append(_with_capital(word) if capital else word)
            capital = False
            continue
        capital = capital or core[:1].isupper()
        if kept and (ending := _ENDING.match(close)):
            kept[-1] = _ended(kept[-1], ending[0])
    return kept


def _with_capital(word: Word) -> Word:
    opening, core, close = _parts(word)
    return replace(word, text=opening + _capital(core) + close)


def _ended(word: Word, ending: str) -> Word:
    """The word with the full stop of a filler that stood after it."""
    opening, core, close = _parts(word)
    return word if _ENDING.search(close) else replace(word, text=opening + core + close.rstrip(",;:") + ending)


def _spelt(words: list[Word], earlier: str, spelt: Mapping[str, str]) -> list[Word]:
    result = []
    for index, word in enumerate(words):
        opening, core, close = _parts(word)
        before = words[index - 1].text.strip() if index else earlier
        after = words[index + 1].text.strip() if index + 1 < len(words) else ""
        stands_alone = not opening.strip("\"'“‘« ") and not close.strip(".,;:!?\"'”’»… ")
        follows_on = close == "" and (counts_unit(after) or after[:1].isdigit())
        named = before.lower() in {"no.", "number", "nr.", "chapter", "page"} or before[-1:].isdigit()
        if core in spelt and stands_alone and not (follows_on or named):
            text = _capital(spelt[core]) if _begins_sentence(before, spelt[core]) else spelt[core]
            word = replace(word, text=opening + text + close)
        result.append(word)
    return result


def _masked(word: Word, whole: frozenset[str], stems: tuple[str, ...]) -> Word:
    opening, core, close = _parts(word)
    low = core.lower()
    if low in whole or (stems and low.startswith(stems)):
        return replace(word, text=opening + core[0] + "*" * (len(core) - 1) + close)
    return word


def _cased(words: list[Word], earlier: str, casing: Literal["upper", "lower", "sentence"], language: str) -> list[Word]:
    if casing != "sentence":
        return [replace(word, text=_turned(word.text, casing, language)) for word in words]
    before = [earlier, *(word.text.strip() for word in words)]
    return [
        _with_capital(word) if _begins_sentence(text, _parts(word)[1]) else word
        for text, word in zip(before, words, strict=False)
    ]


def _begins_sentence(before: str, word: str) -> bool:
    # With a capital, since a small letter after a full stop speaks against a new sentence.
    return not before or (bool(word) and boundary(before, _capital(word)) is Boundary.SENTENCE)


def _turned(text: str, casing: Literal["upper", "lower", "sentence"], language: str) -> str:
    if language in {"tr", "az"}:  # dotted and dotless
        text = text.replace("i", "İ") if casing == "upper" else text.replace("I", "ı").replace("İ", "i")
    return text.upper() if casing == "upper" else text.lower()
