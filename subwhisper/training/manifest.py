"""Lists of recordings and what is said in them: JSON, or JSON lines.

An entry has a `path`, relative to the list, and its `text` (or `transcript`), the `words` with their times, or the
path of its `subtitles`.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subwhisper.errors import InputError
from subwhisper.transcript import Word

TEXT = ".txt"
_SHAPE = 'each entry needs "path" and "text"'


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording, and where what is said in it stands."""

    media: Path
    written: Path | None = None
    """Its subtitles, or its text."""
    text: str = ""
    """What is said, where no file tells it."""
    words: tuple[Word, ...] = ()
    where: str = ""
    """The line of the list that names it."""

    @property
    def has_times(self) -> bool:
        """Whether a file tells when what is said."""
        return self.written is not None and self.written.suffix.lower() != TEXT


def read_manifest(manifest: Path) -> list[Entry]:
    """Read a list.

    Raises:
        InputError: it cannot be read, or an entry lacks something.
    """
    return [_entry(manifest.parent, row, where) for where, row in _rows(manifest)]


def _rows(manifest: Path) -> Iterator[tuple[str, object]]:
    text = _text(manifest)
    if manifest.suffix.lower() != ".jsonl":
        document = _parsed(text, str(manifest))
        listed = document.get("clips", document.get("files")) if isinstance(document, dict) else document
        if not isinstance(listed, list):
            hint = 'a list of {"path", "text"}, or {"clips": [...]}'
            raise InputError(f"{manifest} lists no recording", hint=hint)
        yield from ((f"{manifest}, entry {number}", row) for number, row in enumerate(listed, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{manifest}, line {number}"
            yield where, _parsed(line, where)


def _text(manifest: Path) -> str:
    try:
        return manifest.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{manifest} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{manifest}, line {line} is not UTF-8 text", hint="save it as UTF-8") from error


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise InputError(f"{where} is not JSON: {at}column {error.colno}: {error.msg}") from error


def _entry(folder: Path, row: object, where: str) -> Entry:
    if not isinstance(row, dict) or not row.get("path"):
        raise InputError(f"{where} is an entry without a path", hint=_SHAPE)
    media = folder / _string(row, "path", where)
    if subtitles := _string(row, "subtitles", where):
        return Entry(media, folder / subtitles, where=where)
    text = _string(row, "text", where) or _string(row, "transcript", where)
    return Entry(media, None, " ".join(text.split()), _words(row.get("words") or [], where), where)


def _string(row: Mapping[str, object], name: str, where: str) -> str:
    value = row.get(name) or ""
    if not isinstance(value, str):
        raise InputError(f'{where}: "{name}" is no text', hint=_SHAPE)
    return value


def _words(listed: object, where: str) -> tuple[Word, ...]:
    if isinstance(listed, list) and all(_is_word(word) for word in listed):
        return tuple(Word(f" {word['word']}", float(word["start"]), float(word["end"])) for word in listed)
    raise InputError(f'{where}: "words" is no list of words', hint='{"word": "so", "start": 1.2, "end": 1.5} is one')


def _is_word(word: object) -> bool:
    if not isinstance(word, dict) or not isinstance(word.get("word"), str):
        return False
    return all(_is_time(word.get(name)) for name in ("start", "end"))


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
