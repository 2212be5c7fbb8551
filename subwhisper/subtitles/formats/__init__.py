"""Subtitle files: one module per format, and the table of them.

To add a format: a module with `write(track) -> str` and, where it can be read, `read(text, source, report) -> Track`,
and its line in FORMATS; the tests of tests/subtitles/formats pick it up. What a format cannot hold needs no list:
`losses.py` finds out by reading what was written.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from subwhisper.errors import InputError, OptionError, OutputError
from subwhisper.replacing import replacing
from subwhisper.subtitles.formats import (
    ass,
    classic,
    json_document,
    lrc,
    sbv,
    scc,
    scc_reader,
    spreadsheet,
    srt,
    stl,
    tsv,
    ttml,
    ttml_writer,
    txt,
    vtt,
)
from subwhisper.subtitles.formats.clock import parse_arrow
from subwhisper.subtitles.formats.encodings import Report, decode, read_bytes
from subwhisper.subtitles.formats.reading import Clerk, file_lines
from subwhisper.subtitles.formats.strangers import stranger
from subwhisper.subtitles.track import Track


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is written and read, where it can be."""

    title: str
    write: Callable[..., str] | None = None
    read: Callable[..., Track] | None = None
    """`(text, source, report)`"""
    write_bytes: Callable[..., bytes] | None = None
    read_bytes: Callable[..., Track] | None = None
    """The same two, for a file that is not text."""
    counts_frames: bool = False
    """Both take `fps` as well."""

    @property
    def is_read(self) -> bool:
        return bool(self.read or self.read_bytes)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "srt": Format("SubRip", srt.write, srt.read),
        "vtt": Format("WebVTT", vtt.write, vtt.read),
        "ass": Format("Advanced SubStation Alpha", ass.write, ass.read),
        "ssa": Format("SubStation Alpha v4", ass.write_v4, ass.read),
        "ttml": Format("TTML, IMSC", ttml_writer.write, ttml.read),
        "lrc": Format("lyrics", lrc.write, lrc.read),
        "sbv": Format("SubViewer of YouTube", sbv.write, sbv.read),
        "txt": Format("plain text", txt.write),
        "tsv": Format("tab-separated values", tsv.write, tsv.read),
        "csv": Format("comma-separated values", spreadsheet.write, spreadsheet.read),
        "json": Format("JSON", json_document.write, json_document.read),
        "sub": Format("MicroDVD", classic.write_microdvd, classic.read_microdvd, counts_frames=True),
        "mpl": Format("MPL2", classic.write_mpl2, classic.read_mpl2),
        "smi": Format("SAMI", classic.write_sami, classic.read_sami),
        "scc": Format("Scenarist closed captions", scc.write, scc_reader.read),
        "stl": Format("EBU STL", write_bytes=stl.write, read_bytes=stl.read, counts_frames=True),
    }
)
"""By file suffix, without its dot."""

CAPTION_FORMATS = frozenset(FORMATS) - {"txt", "tsv", "csv", "json"}
"""Formats that are looked at while the recording plays; the others are read."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "subrip": "srt", "webvtt": "vtt", "xml": "ttml", "dfxp": "ttml", "imsc": "ttml", "itt": "ttml",
        "microdvd": "sub", "mpl2": "mpl", "sami": "smi", "text": "txt", "ebu-stl": "stl",
    }
)  # fmt: skip
"""Other names and suffixes of formats."""

_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("vtt", re.compile(r"WEBVTT")),
    ("ass", re.compile(r"\[(?:script info|v4\+? styles|events)\]", re.IGNORECASE)),
    ("smi", re.compile(r"<sami\b", re.IGNORECASE)),
    ("scc", re.compile(r"Scenarist_SCC")),
    ("ttml", re.compile(r"(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:\w+:)?tt[\s>]", re.DOTALL)),
)
"""How files begin that cannot be anything else."""

_HABITS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("sub", re.compile(r"\s*\{\d{1,9}\}\s*\{\d{1,9}\}")),
    ("mpl", re.compile(r"\s*\[-?\d{1,9}\]\s*\[-?\d{1,9}\]")),
    ("lrc", re.compile(r"\s*\[\d{1,4}:\d{1,2}(?:\.\d{1,3})?\]")),
    ("sbv", sbv.HEAD),
)
"""What a line looks like in files that say what they are by nothing else."""


def render(track: Track, format: str, **options: Any) -> str:
    """Write a track as the text of a file; a track without cues gives a well-formed file without cues.

    Args:
        track: what is shown.
        format: its name, or another name it goes by.
        options: of that format's `write`.

    Raises:
        OptionError: there is no such format, or it is none of text.
    """
    found = FORMATS[format_name(format)]
    if found.write is None:
        raise OptionError(f"{found.title} is not text", hint="encode() gives its bytes")
    return found.write(track, **options)


def encode(track: Track, format: str, **options: Any) -> bytes:
    """Write a track as the bytes of a file; see `render`. Text is in UTF-8."""
    found = FORMATS[format_name(format)]
    return found.write_bytes(track, **options) if found.write_bytes else render(track, format, **options).encode()


def write_track(track: Track, path: Path | str) -> None:
    """Write a track to a file in UTF-8, in the format its suffix names; a file that is there is replaced whole.

    Raises:
        OptionError: no format has this suffix.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    content = encode(track, path.suffix.removeprefix("."))
    try:
        with replacing(path, is_durable=False) as file:
            file.write(content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def read_track(
    path: Path | str,
    *,
    encoding: str | None = None,
    fps: float | None = None,
    format: str | None = None,
    report: Report | None = None,
) -> Track:
    """Read a subtitle file of any format, by its content first and its suffix second, in any encoding.

    What can be put right is, and what cannot is left out.

    Args:
        path: of the file.
        encoding: of its text where it has no byte order mark and is not UTF-8; `None` detects it.
        fps: frames per second where the file counts frames and does not say.
        format: when it is known better than the file tells.
        report: hears of each repair with its line; the log does when there is none.

    Raises:
        InputError: the file cannot be read, or holds no captions.
        OptionError: there is no such encoding or format.
        MissingExtra: its format needs a package that is not installed.
    """
    path = Path(path)
    content = read_bytes(path)
    if told := stranger(content):
        what, hint = told
        raise InputError(f"{path} is {what}, no subtitles", hint=hint)
    kind = format_name(format) if format else _recognise_bytes(content, path)
    text = ""
    if kind is None or not FORMATS[kind].read_bytes:
        text = decode(content, str(path), encoding, Clerk(str(path), report).tell)
    found = FORMATS[kind or _recognise(text, path)]
    options = {"fps": fps} if found.counts_frames else {}
    if found.read_bytes:
        return found.read_bytes(content, str(path), report, **options)
    if found.read is None:
        raise InputError(f"{path} has no times to read", hint=f"formats that have: {_names(readable=True)}")
    return found.read(text, str(path), report, **options)


def _recognise_bytes(content: bytes, path: Path) -> str | None:
    if content[3:6] == b"STL" and path.suffix.lower() in (".stl", ""):
        return "stl"
    return None


def _recognise(text: str, path: Path) -> str:
    head = text[:4000].lstrip()
    for name, sign in _SIGNS:
        if sign.match(head):
            return name
    suffix = path.suffix.removeprefix(".").lower()
    suffix = ALIASES.get(suffix, suffix)
    if suffix in FORMATS and FORMATS[suffix].read:
        return suffix
    lines = file_lines(text)
    for name, habit in _HABITS:
        if any(habit.match(line) for line in lines[:50]):
            return name
    if any(parse_arrow(line) for line in lines):
        return "srt"
    if suffix in FORMATS:
        return suffix
    raise InputError(f"{path} is not a subtitle file", hint=f"formats that can be read: {_names(readable=True)}")


def format_name(name: str) -> str:
    """The name in FORMATS of a format, whatever it is called.

    Raises:
        OptionError: there is no such format.
    """
    lower = name.lower()
    known = ALIASES.get(lower, lower)
    if known in FORMATS:
        return known
    close = get_close_matches(lower, [*FORMATS, *ALIASES], n=2)
    hint = f"did you mean {' or '.join(close)}?" if close else f"formats: {_names(readable=False)}"
    raise OptionError(f"there is no subtitle format {name!r}", hint=hint)


def _names(*, readable: bool) -> str:
    return ", ".join(name for name, format in FORMATS.items() if format.is_read or not readable)
