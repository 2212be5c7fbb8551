"""What every reader needs: bytes to text, rows to a track, and mistakes told with file and line."""

import codecs
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from subwhisper.errors import InputError
from subwhisper.subtitles.script import clean
from subwhisper.subtitles.track import Cue, Track, first_overlap

logger = logging.getLogger(__name__)

_BOMS = (  # the longer first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One cue as a file has it, before anything is put right."""

    line: int
    """Line of the file where it begins, from 1."""
    start_ms: int
    end_ms: int
    text: str


def read_text(path: Path, encoding: str | None = None) -> str:
    """Read a file as text, by its byte order mark, else as UTF-8, else as `encoding`; the mark is taken off.

    Raises:
        InputError: it cannot be read, or is not such text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return decode(content, str(path), encoding).removeprefix("\ufeff")


def decode(content: bytes, source: str, fallback: str | None = None) -> str:
    """Turn a file's bytes into text: by its byte order mark, else as UTF-8, else as the encoding `fallback`.

    Raises:
        InputError: none of them fits, or there is no such encoding.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _decode(content, source, encoding)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if fallback is None:
            line = content.count(b"\n", 0, error.start) + 1
            raise InputError(
                f"{source}, line {line}: this is not UTF-8 text",
                hint="give its encoding, for example: --encoding cp1252",
            ) from error
    return _decode(content, source, fallback)


def _decode(content: bytes, source: str, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{source}, line {line}: this is not {encoding} text") from error
    except (LookupError, ValueError) as error:  # ValueError: a name with a NUL in it
        raise InputError(f"there is no text encoding called {encoding!r}", hint="try cp1252 or utf-16") from error


def file_lines(text: str) -> list[str]:
    """Split a file into lines at CR, LF or CRLF only: other separators may stand in a caption."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def collect(rows: Iterable[Row], source: str) -> Track:
    """Make a track of rows. What cannot be shown is put right or left out, with a warning naming file and line.

    Rows that end before they start have the two swapped; rows without text or duration are left out.
    """
    cues = []
    for row in rows:
        lines = tuple(line for part in row.text.split("\n") if (line := clean(part).strip()))
        start_ms, end_ms = row.start_ms, row.end_ms
        if not lines or start_ms == end_ms:
            what = "no text" if not lines else "no duration"
            logger.warning("%s, line %d: left out a cue with %s", source, row.line, what)
            continue
        if end_ms < start_ms:
            logger.warning("%s, line %d: the cue ends before it starts; swapped the two", source, row.line)
            start_ms, end_ms = end_ms, start_ms
        cues.append(Cue(max(start_ms, 0), max(end_ms, 1), lines))
    cues.sort(key=lambda cue: cue.start_ms)
    return Track(tuple(cues), overlapping=first_overlap(cues) is not None)
