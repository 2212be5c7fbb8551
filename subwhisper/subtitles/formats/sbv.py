"""SubViewer as YouTube writes it (.sbv): `0:00:01.000,0:00:02.000`, the text, a blank line. No markup."""

import re
from collections.abc import Iterator

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.clock import clock, parse_clock
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import GUARD, Clerk, Row, collect, file_lines, quoted
from subwhisper.subtitles.runs import Run
from subwhisper.subtitles.track import Cue, Track

HEAD = re.compile(r"\s*(\d{1,6}:\d{1,2}:\d{1,2}[.,]\d{1,3})\s*,\s*(\d{1,6}:\d{1,2}:\d{1,2}[.,]\d{1,3})\s*$")
_BREAK = re.compile(r"\[br\]", re.IGNORECASE)


def write(track: Track) -> str:
    """Write a track."""
    return "\n".join(_block(cue) for cue in track.cues)


def _block(cue: Cue) -> str:
    times = ",".join(_time(ms) for ms in (cue.start_ms, cue.end_ms))
    lines = (f"{GUARD}{line}" if HEAD.match(line) else line for line in cue.lines)
    return "\n".join([times, *lines, ""])


def _time(ms: int) -> str:
    text = clock(ms, point=".", hours=True)
    return text[1:] if text.startswith("0") else text


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it has text but no cue.
    """
    clerk = Clerk(source, report)
    lines = file_lines(text)
    heads = [index for index, line in enumerate(lines) if HEAD.match(line)]
    first = next((number for number, line in enumerate(lines, start=1) if line.strip()), None)
    if not heads and first:
        raise InputError(f"{source}, line {first}: found no cue; a time like 0:00:01.000,0:00:02.000 is expected")
    if first and heads and first <= heads[0]:
        clerk(first, f"left out text before the first cue, {quoted(lines[first - 1])}")
    return collect(_rows(lines, heads), clerk)


def _rows(lines: list[str], heads: list[int]) -> Iterator[Row]:
    for index, stop in zip(heads, [*heads[1:], len(lines)], strict=False):
        match = HEAD.match(lines[index])
        times = [parse_clock(time) or 0 for time in match.groups()] if match else [0, 0]
        body = _BREAK.sub("\n", "\n".join(line.removeprefix(GUARD) for line in lines[index + 1 : stop]))
        yield Row(index + 1, times[0], times[1], (Run(body),))
