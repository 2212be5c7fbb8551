"""WebVTT (.vtt): a header, blocks, point decimals (W3C Candidate Recommendation, WebVTT 1).

Blocks are found here and not by webvtt-py, which leaves out a block it cannot read without a word and knows no
line numbers; the tests let it read what is written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from subwhisper.errors import InputError
from subwhisper.subtitles.colours import parse_colour
from subwhisper.subtitles.formats import vtt_text
from subwhisper.subtitles.formats.clock import after_arrow, clock, parse_arrow
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import Clerk, Row, collect, file_lines, quoted, unchanged
from subwhisper.subtitles.formats.vtt_settings import parse_settings, write_settings
from subwhisper.subtitles.markup import Raw, RawBlock, Style
from subwhisper.subtitles.runs import decompose
from subwhisper.subtitles.track import Cue, Track

FORMAT = "vtt"
_HEADER, _NOTE, _STYLE, _REGION = "header", "comment", "style sheet", "region"
_BLOCKS = {"NOTE": _NOTE, "STYLE": _STYLE, "REGION": _REGION}
_RULE = re.compile(r"::cue\(\s*(?:[a-z]{1,10})?\.([^\s.(){}]{1,100})\s*\)\s*\{([^{}]{0,2000})\}")


def write(track: Track) -> str:
    """Write a track; hours appear only when there are any."""
    blocks = [block for block in track.raw if block.format == FORMAT]
    header = next((block.text for block in blocks if block.kind == _HEADER), "")
    sheet = _sheet(blocks)
    parts = [f"WEBVTT{header}\n"]
    if rules := _missing_rules(track, blocks):
        parts.append("\n".join(["STYLE", *rules, ""]))
    waiting = [block for block in blocks if block.kind != _HEADER]
    for index, cue in enumerate(track.cues):
        while waiting and waiting[0].before <= index:
            parts.append(waiting.pop(0).text + "\n")
        parts.append(_block(cue, sheet, karaoke=track.karaoke))
    return "\n".join([*parts, *(block.text + "\n" for block in waiting)])


def _missing_rules(track: Track, blocks: list[RawBlock]) -> list[str]:
    """The rules that colours need and that the file does not have yet."""
    there = "\n".join(block.text for block in blocks if block.kind == _STYLE)
    styles = {span.style for cue in track.cues for span in cue.spans}
    return [rule for rule in vtt_text.sheet_for(styles) if rule not in there]


def _block(cue: Cue, sheet: Mapping[str, Style], *, karaoke: bool) -> str:
    times = " --> ".join(clock(ms, point=".", hours=False) for ms in (cue.start_ms, cue.end_ms))
    raw = cue.raw if cue.raw and cue.raw.format == FORMAT else None
    settings = raw.settings if raw and parse_settings(raw.settings).placement == cue.placement else ""
    settings = settings or write_settings(cue.placement)
    name = [raw.name] if raw and raw.name else []
    return "\n".join([*name, f"{times} {settings}".rstrip(), _text(cue, raw, sheet, karaoke=karaoke), ""])


def _text(cue: Cue, raw: Raw | None, sheet: Mapping[str, Style], *, karaoke: bool) -> str:
    if raw and not cue.highlighted:
        marked = vtt_text.parse(raw.text, cue.start_ms, cue.end_ms, sheet=sheet)
        if unchanged(cue, marked, words=karaoke):
            return raw.text
    earliest = cue.start_ms if karaoke else None
    lines = []
    for runs in decompose(cue, words=karaoke):
        lines.append(vtt_text.write_line(runs, from_ms=earliest))
        if karaoke:
            earliest = max([earliest or 0, *(run.said[0] for run in runs if run.said)])
    return "\n".join(lines)


@dataclass
class _Document:
    """What the file's blocks have told so far."""

    clerk: Clerk
    rows: list[Row] = field(default_factory=list)
    blocks: list[RawBlock] = field(default_factory=list)
    sheet: Mapping[str, Style] = field(default_factory=dict)


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: the header is missing.
    """
    lines = file_lines(text)
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        raise InputError(f"{source}, line 1: a WebVTT file must begin with WEBVTT")
    document = _Document(Clerk(source, report))
    first = 1
    while first < len(lines) and lines[first].strip() and "-->" not in lines[first]:
        first += 1
    header = "\n".join([lines[0].removeprefix("WEBVTT"), *lines[1:first]])
    if header.strip():
        document.blocks.append(RawBlock(FORMAT, _HEADER, header.rstrip()))
    for begin, end in _spans(lines, first):
        _take(document, lines, begin, end)
    karaoke = any(run.said for row in document.rows for run in row.runs)
    return collect(document.rows, document.clerk, raw=document.blocks, karaoke=karaoke)


def _spans(lines: list[str], first: int) -> Iterator[tuple[int, int]]:
    """Where blocks begin and end: at blank lines, and before a time that no blank line precedes."""
    begin, seen = first, False
    for index in range(first, len(lines)):
        line = lines[index]
        is_head = "-->" in line and (not seen or parse_arrow(line) is not None)
        if not line.strip() or (is_head and seen):
            if begin < index:
                yield begin, index
            begin, seen = index if line.strip() else index + 1, False
        seen = seen or is_head
    if begin < len(lines):
        yield begin, len(lines)


def _take(document: _Document, lines: list[str], begin: int, end: int) -> None:
    block = [line for line in lines[begin:end] if line.strip()]
    if not block:
        return
    word = block[0].split()[0]
    kind = _BLOCKS.get(word)
    if kind and not any(parse_arrow(line) for line in block[:2]):
        document.blocks.append(RawBlock(FORMAT, kind, "\n".join(block), len(document.rows)))
        if kind == _STYLE:
            document.sheet = _sheet(document.blocks)
        return
    for index in range(begin, min(begin + 2, end)):
        if times := parse_arrow(lines[index]):
            name = lines[begin] if index > begin else ""
            document.rows.append(_row(index + 1, times, lines[index], name, lines[index + 1 : end], document.sheet))
            return
    told = "whose time cannot be read" if any("-->" in line for line in block) else "without a time"
    document.clerk(begin + 1, f"left out a block {told}, {quoted(' '.join(block))}")


def _row(number: int, times: tuple[int, int], head: str, name: str, body: list[str], sheet: Mapping[str, Style]) -> Row:
    text = "\n".join(body)
    marked = vtt_text.parse(text, *times, sheet=sheet)
    settings = after_arrow(head)
    placed = parse_settings(settings)
    raw = Raw(FORMAT, text, settings, name, (*placed.unheld, *marked.unheld))
    return Row(number, *times, marked.runs, placed.placement, raw)


def _sheet(blocks: list[RawBlock]) -> dict[str, Style]:
    """The looks of classes, as far as we know the words."""
    looks: dict[str, Style] = {}
    for block in blocks:
        if block.kind == _STYLE:
            for name, body in _RULE.findall(block.text):
                looks[name] = _look(body)
    return looks


def _look(body: str) -> Style:
    said = {}
    for declaration in body.split(";"):
        name, _, value = declaration.partition(":")
        said[name.strip().lower()] = value.strip().lower()
    return Style(
        bold=said.get("font-weight") in ("bold", "700"),
        italic=said.get("font-style") == "italic",
        underline="underline" in said.get("text-decoration", ""),
        colour=parse_colour(said.get("color", "")),
        background=parse_colour(said.get("background-color", said.get("background", ""))),
    )
