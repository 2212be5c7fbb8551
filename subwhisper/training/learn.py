"""What a correction teaches: words that were heard wrong, and pairs of sound and text to adapt a model to.

The corrected captions are compared with the ones the program wrote. What was put in place of what becomes a list of
replacements, the most frequent first; the media file with its corrected captions becomes material for `finetune`.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from subwhisper.errors import InputError, OutputError
from subwhisper.replacing import replacing
from subwhisper.subtitles.formats import read_track
from subwhisper.training.material import LEARNT, media_of, sentences_of
from subwhisper.transcript import Transcript

LONGEST = 3
"""Words; what was rewritten over a longer stretch is no slip of hearing."""
_EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True, slots=True)
class Correction:
    """What somebody wrote in place of what was heard."""

    right: str
    wrong: str
    count: int


def corrections(original: Sequence[str], edited: Sequence[str]) -> list[Correction]:
    """Compare words as written; the most frequent corrections first.

    Marks around words do not count. Case counts, but not where a sentence begins: there every word has a capital.
    """
    ours, theirs = ([_EDGES.sub("", word) for word in words] for words in (original, edited))
    found: Counter[tuple[str, str]] = Counter()
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "replace" or j - i > LONGEST or m - k > LONGEST:
            continue
        wrong, right = " ".join(ours[i:j]).strip(), " ".join(theirs[k:m]).strip()
        begins = i == 0 or original[i - 1][-1:] in ".?!" or k == 0 or edited[k - 1][-1:] in ".?!"
        if wrong and right and wrong != right and not (begins and wrong.lower() == right.lower()):
            found[right, wrong] += 1
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [Correction(right, wrong, count) for (right, wrong), count in ranked]


def words_of(path: Path) -> list[str]:
    """The spoken words of a transcript (`.json`) or subtitle file, as written.

    Raises:
        InputError: the file cannot be read.
    """
    if path.suffix.lower() == ".json":
        return Transcript.from_json(_text(path)).text.split()
    return [word for sentence in sentences_of(read_track(path)) for word in sentence.text.split()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def read_replacements(path: Path) -> dict[str, list[str]]:
    """Lines of `right: wrong | wrong`; empty where there is no file."""
    known: dict[str, list[str]] = {}
    for line in _text(path).splitlines() if path.exists() else ():
        right, colon, wrongs = line.partition(":")
        if colon and not line.lstrip().startswith("#"):
            known[right.strip()] = [wrong.strip() for wrong in wrongs.split("|") if wrong.strip()]
    return known


def merged_replacements(known: Mapping[str, Sequence[str]], new: Sequence[Correction]) -> dict[str, list[str]]:
    """Known replacements first, then new ones by frequency; nothing is replaced by what is itself replaced."""
    merged: defaultdict[str, list[str]] = defaultdict(list, {right: list(wrongs) for right, wrongs in known.items()})
    for correction in new:
        taken = {wrong for wrongs in merged.values() for wrong in wrongs}
        if correction.wrong not in taken and correction.wrong not in merged and correction.right not in taken:
            merged[correction.right].append(correction.wrong)
    return dict(merged)


def write_replacements(replacements: Mapping[str, Sequence[str]], path: Path) -> None:
    """Write lines of `right: wrong | wrong`, whole or not at all."""
    lines = [f"{right}: {' | '.join(wrongs)}" for right, wrongs in replacements.items() if wrongs]
    _write(path, "".join(f"{line}\n" for line in lines))


def keep_pair(media: Path, edited: Path, folder: Path) -> None:
    """Add a media file and a copy of its corrected captions to the material of a folder.

    Raises:
        InputError: the media file is not there.
        OutputError: the folder cannot be written.
    """
    if not media.is_file():
        raise InputError(f"{media} does not exist", hint="name the media file with --media")
    copy = folder / f"{media.stem}{edited.suffix.lower()}"
    _write(copy, _bytes(edited))
    entry = {"path": str(media.resolve()), "subtitles": copy.name}
    listed = [row for row in _listed(folder / LEARNT) if row.get("path") != entry["path"]]
    _write(folder / LEARNT, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (*listed, entry)))


def _listed(manifest: Path) -> Iterator[dict[str, str]]:
    for line in _text(manifest).splitlines() if manifest.exists() else ():
        yield json.loads(line)


def _bytes(path: Path) -> bytes:
    """The bytes of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _write(path: Path, content: str | bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def media_beside(edited: Path) -> Path | None:
    """The media file of the same name in the same folder."""
    return media_of(edited, sorted(path for path in edited.parent.iterdir() if path.is_file()))


def original_beside(edited: Path) -> Path | None:
    """The transcript that the program wrote beside its captions: `talk.en.json` for `talk.en.srt`."""
    path = edited.with_suffix(".json")
    return path if path.is_file() else None
