"""WebVTT (.vtt): a header, point decimals, `&` and `<` escaped (W3C Candidate Recommendation, WebVTT 1).

Read: tags, voices, cue settings, identifiers, NOTE, STYLE and REGION blocks are dropped; the text stays.
"""

import html
import re
from collections.abc import Iterator

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.clock import clock, parse_arrow
from subwhisper.subtitles.formats.reading import Row, collect, file_lines
from subwhisper.subtitles.track import Cue, Track

_TAG = re.compile("<[^<>]*>")


def write(track: Track) -> str:
    """Write a track; hours appear only when there are any."""
    return "\n".join(["WEBVTT\n", *(_block(cue) for cue in track.cues)])


def _block(cue: Cue) -> str:
    times = " --> ".join(clock(ms, point=".", hours=False) for ms in (cue.start_ms, cue.end_ms))
    return "\n".join([times, *_lines(cue), ""])


def _lines(cue: Cue) -> Iterator[str]:
    for index, line in enumerate(cue.lines):
        word = cue.highlighted
        if word and word.line == index:
            before, now, after = line[: word.first], line[word.first : word.stop], line[word.stop :]
            yield f"{escape(before)}<u>{escape(now)}</u>{escape(after)}"
        else:
            yield escape(line)


def escape(text: str) -> str:
    """Escape what WebVTT would take for an entity, a tag, or (`-->`) a time."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def read(text: str, source: str) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: the header is missing, or a cue's time cannot be read.
    """
    lines = file_lines(text)
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        raise InputError(f"{source}, line 1: a WebVTT file must begin with WEBVTT")
    return collect(_rows(lines, source), source)


def _rows(lines: list[str], source: str) -> Iterator[Row]:
    index = 1
    while index < len(lines):
        end = index
        while end < len(lines) and lines[end].strip():
            end += 1
        yield from _cue(lines, index, end, source, header=index == 1)
        index = end + 1


def _cue(lines: list[str], first: int, end: int, source: str, *, header: bool) -> Iterator[Row]:
    """Read the block of lines from `first` up to `end`; the time is its first or (after an identifier) second line."""
    if first < end and lines[first].split()[0] in ("NOTE", "STYLE", "REGION"):
        return
    for index in range(first, min(first + 2, end)):
        if times := parse_arrow(lines[index]):
            body = "\n".join(lines[index + 1 : end])
            yield Row(index + 1, *times, html.unescape(_TAG.sub("", body)))
            return
        if "-->" in lines[index] and not header:
            raise InputError(f"{source}, line {index + 1}: cannot read the time {lines[index].strip()[:60]!r}")
