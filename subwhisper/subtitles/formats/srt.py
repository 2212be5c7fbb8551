r"""SubRip (.srt): numbered blocks, comma decimals, no header, no escaping.

Read tolerantly: missing or wrong numbers, missing hours or fractions, points for commas, blank lines
inside a cue. Formatting tags and `{\an8}` are dropped; other text in angle brackets is kept.
"""

import re
from collections.abc import Iterator

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.clock import clock, parse_arrow
from subwhisper.subtitles.formats.reading import Row, collect, file_lines
from subwhisper.subtitles.track import Cue, Track

_TAG = re.compile(r"</?(?:b|i|u|s|font|c|v)(?:[\s=.][^<>]{0,200})?/?>|\{\\[^{}]{0,200}\}|\{/?[biu]\}", re.IGNORECASE)
_ARROW = re.compile("-{2,}>")


def write(track: Track) -> str:
    """Write a track; `-->` within text becomes `->`, since a reader would take it for a time."""
    return "\n".join(_block(number, cue) for number, cue in enumerate(track.cues, start=1))


def _block(number: int, cue: Cue) -> str:
    times = " --> ".join(clock(ms, point=",", hours=True) for ms in (cue.start_ms, cue.end_ms))
    return "\n".join([str(number), times, *_lines(cue), ""])


def _lines(cue: Cue) -> Iterator[str]:
    for index, line in enumerate(cue.lines):
        word = cue.highlighted
        if word and word.line == index:
            parts = (line[: word.first], line[word.first : word.stop], line[word.stop :])
            before, now, after = (_ARROW.sub("->", part) for part in parts)
            line = f"{before}<u>{now}</u>{after}"
        yield _ARROW.sub("->", line)


def read(text: str, source: str) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it has text but no cue, or a cue's time cannot be read.
    """
    return collect(_rows(file_lines(text), source), source)


def _rows(lines: list[str], source: str) -> Iterator[Row]:
    arrows = [(index, times) for index, line in enumerate(lines) if "-->" in line and (times := parse_arrow(line))]
    _refuse_broken_times(lines, source)
    if not arrows and (first := next((line for line in enumerate(lines, start=1) if line[1].strip()), None)):
        raise InputError(
            f"{source}, line {first[0]}: found no cue; a time like 00:00:01,000 --> 00:00:02,000 is expected"
        )
    stops = [index for index, _ in arrows[1:]] + [len(lines)]
    for (index, (start_ms, end_ms)), stop in zip(arrows, stops, strict=False):
        body = lines[index + 1 : stop]
        if stop < len(lines):
            body = _without_number(body)
        yield Row(index + 1, start_ms, end_ms, _TAG.sub("", "\n".join(body)))


def _without_number(body: list[str]) -> list[str]:
    """Drop the number of the cue that follows: the last line, alone or after a blank one."""
    if body and body[-1].strip().isdigit() and (len(body) == 1 or not body[-2].strip()):
        return body[:-1]
    return body


def _refuse_broken_times(lines: list[str], source: str) -> None:
    for index, line in enumerate(lines):
        if "-->" in line and line.lstrip()[:1].isdigit() and not parse_arrow(line):
            numbered = index > 0 and lines[index - 1].strip().isdigit() and (index == 1 or not lines[index - 2].strip())
            if numbered or index == 0 or not lines[index - 1].strip():
                raise InputError(f"{source}, line {index + 1}: cannot read the time {line.strip()[:60]!r}")
