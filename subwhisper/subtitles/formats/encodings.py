"""Bytes to text, in whatever encoding they are: by byte order mark, as UTF-8, as stated, or as detected.

Captions of the years before Unicode are in the code page of their language and do not say which. chardet tells
them apart by letter frequencies (16 of 17 samples right; charset-normalizer 12), once the lines that hold only
times and numbers, which are the same in every language, are left out of the count.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from subwhisper.errors import InputError, OptionError

_BOMS = (  # the longer first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORDLESS = re.compile(rb"(?m)^[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f0-9]*$\n?")
_LAST_RESORT = "cp1252"
_LOOKED_AT = 200_000
"""Bytes that detection takes into account."""
_TELLING = 4
"""Bytes beyond ASCII below which letter frequencies tell nothing."""
_LARGEST = 64 << 20
"""Bytes of a subtitle file; no film has a hundredth of that."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What was put right in a file, or left out of it."""

    line: int
    """Line of the file, from 1; 0 for the file as a whole."""
    what: str

    def to_dict(self) -> dict[str, object]:
        return {"line": self.line, "what": self.what}


Report = Callable[[Repair], None]
"""Hears of each repair as it is made."""


def read_bytes(path: Path) -> bytes:
    """Read a subtitle file.

    Raises:
        InputError: it cannot be read, or is far too large to be one.
    """
    try:
        if path.is_file() and path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is too large for a subtitle file ({path.stat().st_size >> 20} MiB)")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def decode(content: bytes, source: str, stated: str | None = None, report: Report | None = None) -> str:
    """Turn a file's bytes into text, without its byte order mark.

    Args:
        content: the bytes.
        source: names the file in messages.
        stated: its encoding, where it has no byte order mark and is not UTF-8.
        report: hears which encoding was guessed, and of bytes that are no text.

    Raises:
        InputError: it is not text in the encoding stated.
        OptionError: there is no such encoding.
    """
    if stated is not None:
        _require(stated)
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _salvaged(content, encoding, report)
    if b"\0" not in content[:1000]:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if stated is not None:
        return _as_stated(content, source, stated)
    encoding, sure = _detect(content)
    if report:
        report(
            Repair(0, f"not UTF-8; read as {encoding}, a guess from its letters (confidence {sure:.2f}; --encoding)")
        )
    return _salvaged(content, encoding, report)


def _require(encoding: str) -> None:
    hint = "try cp1252 or utf-16"
    try:
        known = codecs.lookup(encoding)
        "".encode(known.name)  # refuses codecs that are not of text, such as base64
    except (LookupError, ValueError) as error:  # ValueError: a name with a NUL in it
        raise OptionError(f"there is no text encoding called {encoding!r}", hint=hint) from error


def _as_stated(content: bytes, source: str, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except (UnicodeDecodeError, ValueError) as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = content.count(b"\n", 0, start) + 1
        raise InputError(f"{source}, line {line}: this is not {encoding} text") from error


def _salvaged(content: bytes, encoding: str, report: Report | None) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        text = content.decode(encoding, errors="replace")
        if report:
            line = content[: error.start].decode(encoding, errors="replace").count("\n") + 1
            report(Repair(line, f"bytes that are not {encoding} text became U+FFFD"))
    return text.removeprefix("\ufeff")


def _detect(content: bytes) -> tuple[str, float]:
    """Name the likeliest encoding of text without a byte order mark, and how sure that is, 0 to 1."""
    head = content[:_LOOKED_AT]
    if b"\0" in head[:1000]:  # UTF-16 without its mark: half the bytes of most scripts are 0 in one place
        big = head[0:1000:2].count(0) >= head[1:1000:2].count(0)
        return ("utf-16-be" if big else "utf-16-le"), 1.0
    from chardet import EncodingEra, detect  # its tables take a while to load, and most files need none of them

    if len(head.translate(None, bytes(range(128)))) < _TELLING:
        return _LAST_RESORT, 0.0
    words = _WORDLESS.sub(b"", head.replace(b"\r", b"\n"))
    eras = EncodingEra.ALL & ~EncodingEra.MAINFRAME
    found = detect(words or head, encoding_era=eras, prefer_superset=True)
    try:
        return codecs.lookup(found["encoding"] or "").name, found["confidence"]
    except LookupError:
        return _LAST_RESORT, 0.0
