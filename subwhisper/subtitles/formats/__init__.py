"""Subtitle files: one module per format, and the table of them.

To add a format: a module with `write(track) -> str` and, where it can be read, `read(text, source) -> Track`,
and its line in FORMATS. The JSON of a transcript is `Transcript.to_json`, not a format of tracks.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from subwhisper.errors import InputError, OptionError, OutputError
from subwhisper.subtitles.formats import ass, srt, tsv, txt, vtt
from subwhisper.subtitles.formats.clock import parse_arrow
from subwhisper.subtitles.formats.reading import file_lines, read_text
from subwhisper.subtitles.track import Track


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is written and, where it can be, read."""

    title: str
    write: Callable[[Track], str]
    read: Callable[[str, str], Track] | None = None


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "srt": Format("SubRip", srt.write, srt.read),
        "vtt": Format("WebVTT", vtt.write, vtt.read),
        "ass": Format("Advanced SubStation Alpha", ass.write, ass.read),
        "txt": Format("plain text", txt.write),
        "tsv": Format("tab-separated values", tsv.write, tsv.read),
    }
)
"""By file suffix, without its dot."""


def render(track: Track, format: str) -> str:
    """Write a track as the text of a file; a track without cues gives a well-formed file without cues.

    Raises:
        OptionError: there is no such format.
    """
    return _format(format).write(track)


def write_track(track: Track, path: Path | str) -> None:
    """Write a track to a file in UTF-8, in the format its suffix names; a file that is there is replaced whole.

    Raises:
        OptionError: no format has this suffix.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    text = render(track, path.suffix.removeprefix(".").lower())
    partial = path.with_name(f".{path.name[:60]}.{os.getpid()}.part")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def read_track(path: Path | str, *, encoding: str | None = None) -> Track:
    """Read a subtitle file: SubRip, WebVTT, SubStation or TSV, by its content first and its suffix second.

    Text is taken by its byte order mark, else as UTF-8, else as `encoding`. What can be put right is,
    with a logged warning naming file and line. Formatting is not kept.

    Raises:
        InputError: the file cannot be read, or is none of these.
    """
    path = Path(path)
    text = read_text(path, encoding)
    reader = FORMATS[_recognise(text, path)].read
    if reader is None:
        raise InputError(f"{path} has no times to read", hint=f"formats that have: {_names(readable=True)}")
    return reader(text, str(path))


def _recognise(text: str, path: Path) -> str:
    head = text[:1000].lstrip()
    if head.startswith("WEBVTT"):
        return "vtt"
    if head.lower().startswith("[script info]"):
        return "ass"
    suffix = path.suffix.removeprefix(".").lower()
    suffix = "ass" if suffix == "ssa" else suffix
    if suffix in FORMATS:
        return suffix
    if any(parse_arrow(line) for line in file_lines(text)):
        return "srt"
    raise InputError(f"{path} is not a subtitle file", hint=f"formats that can be read: {_names(readable=True)}")


def _format(name: str) -> Format:
    try:
        return FORMATS[name]
    except KeyError:
        close = get_close_matches(name.lower(), FORMATS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"formats: {_names(readable=False)}"
        raise OptionError(f"there is no subtitle format {name!r}", hint=hint) from None


def _names(*, readable: bool) -> str:
    return ", ".join(name for name, format in FORMATS.items() if format.read or not readable)
