"""What a correction teaches: words that were heard wrong.

The corrected captions are compared with the ones the program wrote. What was put in place of what becomes lines of a
list of replacements, the most frequent first. Such a line changes every later text, so one slip makes no rule: the
corrected text itself must stay as it is under it, and it must have been seen twice, or put a name in place of a word
that is hardly one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from subwhisper.errors import InputError, OutputError
from subwhisper.model.vocabulary import PUBLIC_SIZES, public_vocabulary
from subwhisper.replacing import replacing
from subwhisper.subtitles.formats import read_track
from subwhisper.subtitles.track import Cue, Track
from subwhisper.subtitles.wording import Replacement, bare_words, replacements_in
from subwhisper.training.material import sentences_of
from subwhisper.transcript import Transcript

LONGEST = 3
"""Words; what was rewritten over a longer stretch is no slip of hearing."""
_EDGES = re.compile(r"^\W+|\W+$")
_SENTENCE_ENDS = re.compile(r"[.?!…。？！]\W*$")
_LABEL = re.compile(r"^[-–—>\s]*(?=[^\W\d_a-z])[\w.'’-]+(?: [\w.'’-]+){0,2}(?: ?[\[(][^\])]*[\])])?:(?=\s|$)")
"""Who speaks, before a line: `NARRATOR:`, `- Dr. Smith (off):`."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What somebody wrote in place of what was heard."""

    right: str
    wrong: str
    """In lower case."""
    count: int
    doubt: str | None = None
    """Why it makes no rule; `None` where it does."""

    @property
    def line(self) -> str:
        """As it stands in a list of replacements."""
        return f"{self.right}: {self.wrong}"


@dataclass(frozen=True, slots=True)
class _Written:
    """A word without the marks around it."""

    text: str
    begins: bool
    """Whether it begins a sentence: its capital tells nothing then."""

    @property
    def plain(self) -> str:
        """With the plain apostrophe, as it is compared."""
        return self.text.replace("’", "'")


class _Text:
    """The words of captions, and how they are written within sentences."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(_written(words))
        self.plain = [word.plain for word in self.words]
        self._lower = [plain.lower() for plain in self.plain]
        self._inner = {word.plain.lower(): word.text for word in self.words if not word.begins}

    def spelt(self, word: _Written) -> str:
        """As it is written within sentences, where that is known."""
        return self._inner.get(word.plain.lower(), word.text) if word.begins else word.text

    def is_name(self, text: str) -> bool:
        """Whether a word of it has a capital within a sentence."""
        inner = (self._inner.get(word, "") for word in _lower(text).split())
        return any(word != word.lower() for word in inner)

    def occurrences(self, wrong: str) -> Iterator[str]:
        """How these words are written wherever they stand."""
        sought = wrong.split()
        for start in range(len(self.words) - len(sought) + 1):
            if self._lower[start : start + len(sought)] == sought:
                yield " ".join(word.text for word in self.words[start : start + len(sought)])


def corrections(original: Sequence[str], edited: Sequence[str]) -> list[Correction]:
    """Compare words as written; those that make a rule come first, then the most frequent.

    Marks around words do not count. Case counts, but not where a sentence begins: there every word has a capital.
    """
    theirs = _Text(edited)
    counts = Counter(_exchanged(_Text(original), theirs))
    n_rights = Counter(wrong for _, wrong in counts)
    found = [Correction(right, wrong, count) for (right, wrong), count in counts.items()]
    judged = [replace(one, doubt=_doubt(one, n_rights[one.wrong], theirs)) for one in found]
    return sorted(judged, key=lambda one: (one.doubt is not None, -one.count, one.right, one.wrong))


def _written(words: Iterable[str]) -> Iterator[_Written]:
    begins = True
    for word in words:
        if text := _EDGES.sub("", word):
            yield _Written(text, begins)
            begins = False
        begins = begins or _SENTENCE_ENDS.search(word) is not None


def _lower(text: str) -> str:
    return text.replace("’", "'").lower()


def _exchanged(ours: _Text, theirs: _Text) -> Iterator[tuple[str, str]]:
    """What stands in place of what: right and wrong."""
    for kind, i, j, k, m in SequenceMatcher(None, ours.plain, theirs.plain, autojunk=False).get_opcodes():
        if kind != "replace" or j - i > LONGEST or m - k > LONGEST:
            continue
        wrong = _lower(" ".join(ours.plain[i:j]))
        right = " ".join(map(theirs.spelt, theirs.words[k:m]))
        begins = ours.words[i].begins or theirs.words[k].begins
        if wrong != _lower(right) or not (begins or right == right.lower()):
            yield right, wrong


def _doubt(one: Correction, n_rights: int, edited: _Text) -> str | None:
    """Why a correction makes no rule."""
    if not _is_line(one):
        return "cannot be written as a replacement"
    if any(text != one.right for text in edited.occurrences(one.wrong)):
        return "is right elsewhere"
    if n_rights > 1:
        return "was corrected in several ways"
    is_odd_name = edited.is_name(one.right) and not all(map(_is_ordinary, one.wrong.split()))
    return None if one.count > 1 or is_odd_name else "was corrected only once"


def _is_line(one: Correction) -> bool:
    """Whether its line is read as what it means; a colon in the wrong words, for one, prevents it."""
    try:
        return [*replacements_in(one.line)] == [Replacement(one.right, bare_words(one.wrong))]
    except ValueError:
        return False


def _is_ordinary(word: str) -> bool:
    """Whether Whisper's vocabulary has one token for the whole word, as it has for words that are met often."""
    return any(f" {form}".encode() in _pieces() for form in (word, word.capitalize()))


@cache
def _pieces() -> Mapping[bytes, int]:
    return public_vocabulary(PUBLIC_SIZES[1]).ranks


def words_of(path: Path) -> list[str]:
    """The spoken words of a transcript (`.json`) or subtitle file, as written; not who speaks.

    Raises:
        InputError: the file cannot be read.
    """
    if path.suffix.lower() == ".json":
        return _transcript(path).text.split()
    return [word for sentence in sentences_of(_without_labels(read_track(path))) for word in sentence.text.split()]


def _transcript(path: Path) -> Transcript:
    try:
        return Transcript.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    except InputError as error:
        raise InputError(f"{path}: {error.message}", hint=error.hint) from error


def _without_labels(track: Track) -> Track:
    cues = []
    for cue in track.cues:
        if lines := tuple(filter(None, (_LABEL.sub("", line).strip() for line in cue.lines))):
            cues.append(Cue(cue.start_ms, cue.end_ms, lines))
    return Track(tuple(cues), overlapping=True)


def new_rules(known: Iterable[Replacement], found: Iterable[Correction]) -> list[Correction]:
    """Corrections to add to a list of replacements; nothing is replaced by what is itself replaced."""
    rules = {one.wrong: bare_words(one.right) for one in known}
    new: list[Correction] = []
    for one in found:
        wrong, right = bare_words(one.wrong), bare_words(one.right)
        is_chained = rules.get(right, right) != right or (wrong != right and wrong in rules.values())
        if one.doubt is None and wrong not in rules and not is_chained:
            rules[wrong] = right
            new.append(one)
    return new


def append_rules(new: Sequence[Correction], path: Path) -> None:
    """Add a line for each correction, whole or not at all; what the file holds stays as it is.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        old = path.read_bytes() if path.exists() else b""
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path.resolve()) as file:  # a link stays one
            file.write(old if not old or old.endswith(b"\n") else old + b"\n")
            file.writelines(f"{one.line}\n".encode() for one in new)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def original_beside(edited: Path) -> Path | None:
    """The transcript that the program wrote beside its captions: `talk.en.json` for `talk.en.srt`."""
    path = edited.with_suffix(".json")
    return path if path.is_file() else None
