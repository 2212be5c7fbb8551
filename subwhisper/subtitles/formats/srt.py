r"""SubRip (.srt): numbered blocks, comma decimals, no header, no escaping.

Read tolerantly: missing or wrong numbers, missing hours or fractions, points for commas, blank lines
inside a cue. Text in angle brackets that is no known tag is kept.
"""

import re
from collections.abc import Iterator

from subwhisper.errors import InputError
from subwhisper.subtitles.formats import overrides, tags
from subwhisper.subtitles.formats.clock import after_arrow, clock, parse_arrow
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import Clerk, Row, collect, file_lines, quoted, sized_for, unchanged
from subwhisper.subtitles.markup import Raw
from subwhisper.subtitles.runs import decompose
from subwhisper.subtitles.track import Cue, Track

FORMAT = "srt"
_ARROW = re.compile("-{2,}>")


def write(track: Track) -> str:
    """Write a track; `-->` within text becomes `->`, since a reader would take it for a time."""
    return "\n".join(_block(number, cue) for number, cue in enumerate(track.cues, start=1))


def _block(number: int, cue: Cue) -> str:
    times = " --> ".join(clock(ms, point=",", hours=True) for ms in (cue.start_ms, cue.end_ms))
    raw = cue.raw if cue.raw and cue.raw.format == FORMAT else None
    if raw and raw.settings:
        times += f"  {raw.settings}"
    return "\n".join([str(number), times, _text(cue, raw), ""])


def _text(cue: Cue, raw: Raw | None) -> str:
    if raw and not cue.highlighted:
        marked = tags.parse(raw.text)
        if marked.placement == cue.placement and unchanged(cue, marked):
            return raw.text
    lines = ("".join(_ARROW.sub("->", tags.write(run)) for run in line) for line in decompose(sized_for(cue, FORMAT)))
    place = overrides.codes(cue.placement, overrides.Page()) if cue.placement else ""
    return place + _ARROW.sub("->", "\n".join(lines))


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it has text but no cue.
    """
    clerk = Clerk(source, report)
    lines = file_lines(text)
    track = collect(_rows(lines, clerk), clerk)
    if not track.cues and not any(parse_arrow(line) for line in lines):
        first = next((line for line in enumerate(lines, start=1) if line[1].strip()), None)
        if first:
            raise InputError(
                f"{source}, line {first[0]}: found no cue; a time like 00:00:01,000 --> 00:00:02,000 is expected"
            )
    return track


def _rows(lines: list[str], clerk: Clerk) -> Iterator[Row]:
    heads = [index for index, line in enumerate(lines) if "-->" in line and _is_head(lines, index)]
    if heads and (lost := [line for line in lines[: heads[0]] if line.strip() and not line.strip().isdigit()]):
        clerk(1, f"left out text before the first cue, {quoted(lost[0])}")
    for index, stop in zip(heads, [*heads[1:], len(lines)], strict=False):
        body = lines[index + 1 : stop]
        if stop < len(lines):
            body = _without_number(body)
        times = parse_arrow(lines[index])
        if times is None:
            clerk(
                index + 1, f"left out a cue whose time cannot be read, {quoted(lines[index])}: {quoted(' '.join(body))}"
            )
            continue
        yield _row(index + 1, times, lines[index], body, clerk)


def _row(number: int, times: tuple[int, int], head: str, body: list[str], clerk: Clerk) -> Row:
    while body and not body[-1].strip():
        body = body[:-1]
    while body and not body[0].strip():
        body = body[1:]
    kept = [line for line in body if line.strip()]
    if len(kept) < len(body):
        clerk(number, "left out a blank line inside a cue")
    text = "\n".join(kept)
    marked = tags.parse(text)
    settings = after_arrow(head)
    unheld = (*marked.unheld, *(["coordinates"] if settings else []))
    return Row(number, *times, marked.runs, marked.placement, Raw(FORMAT, text, settings, unheld=unheld))


def _is_head(lines: list[str], index: int) -> bool:
    """Whether the line is a cue's time, or was meant to be one: where a cue begins, and beginning with a digit."""
    line = lines[index]
    if parse_arrow(line):
        return True
    if not line.lstrip()[:1].isdigit():
        return False
    before = lines[index - 1].strip() if index else ""
    numbered = before.isdigit() and (index == 1 or not lines[index - 2].strip())
    return numbered or not before


def _without_number(body: list[str]) -> list[str]:
    """Drop the number of the cue that follows: the last line, alone or after a blank one."""
    if body and body[-1].strip().isdigit() and (len(body) == 1 or not body[-2].strip()):
        return body[:-1]
    return body
