"""Lyrics (.lrc): `[mm:ss.xx]` before each line, and `<mm:ss.xx>` before each word in the enhanced form.

A line ends where the next begins. Where a cue ends earlier, a time without text says so, as players expect.
"""

import re
from collections.abc import Iterator

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import GUARD, Clerk, Row, collect, file_lines, quoted
from subwhisper.subtitles.markup import RawBlock
from subwhisper.subtitles.runs import Run, decompose
from subwhisper.subtitles.track import Cue, Track

FORMAT = "lrc"
_TIME = r"(?:\d{1,4}:)?\d{1,5}:\d{1,2}(?:\.\d{1,3})?"
_STAMP = re.compile(rf"\s*\[({_TIME})\]")
_WORD = re.compile(rf"<({_TIME})>")
_TAG = re.compile(r"\s*\[([a-zA-Z#]{1,20}):([^\]]*)\]\s*$")
_MOST_TIMES = 50
"""Of one line: a refrain is sung that often at most."""
LAST_MS = 4000
"""How long the last line is shown, which the format does not say."""


def write(track: Track) -> str:
    """Write a track; the lines of a cue become one."""
    rows = [block.text for block in track.raw if block.format == FORMAT]
    for cue, after in zip(track.cues, [*track.cues[1:], None], strict=False):
        rows.append(f"[{_time(cue.start_ms)}]{_text(cue, karaoke=track.karaoke)}")
        if after is None or after.start_ms - cue.end_ms >= 10:
            rows.append(f"[{_time(cue.end_ms)}]")
    return "".join(f"{row}\n" for row in rows)


def _time(ms: int) -> str:
    minutes, ms = divmod(round(ms, -1), 60_000)
    return f"{minutes:02}:{ms // 1000:02}.{ms % 1000 // 10:02}"


def _text(cue: Cue, *, karaoke: bool) -> str:
    if not (karaoke and cue.words):
        return _harmless(cue.text)
    parts: list[str] = []
    for number, runs in enumerate(decompose(cue, words=True)):
        parts.append(" " if number else "")
        said = None
        for run in runs:
            if run.said and run.said != said:
                parts.append(f"<{_time(run.said[0])}>")
            said = run.said or said
            parts.append(_harmless(run.text))
    return "".join(parts)


def _harmless(text: str) -> str:
    """Keep text from being read as a time."""
    text = _WORD.sub(rf"<{GUARD}\1>", text)
    return f"{GUARD}{text}" if _STAMP.match(text) else text


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it has text but no time.
    """
    clerk = Clerk(source, report)
    blocks: list[RawBlock] = []
    stamped: list[tuple[int, int, str]] = []
    offset = 0
    lines = file_lines(text)
    for number, line in enumerate(lines, start=1):
        times, rest = _stamps(line)
        if len(times) > _MOST_TIMES:
            clerk(number, f"a line with {len(times)} times; took the first {_MOST_TIMES}")
            times = times[:_MOST_TIMES]
        stamped += [(ms, number, rest) for ms in times]
        if times or not line.strip():
            continue
        if match := _TAG.match(line):
            offset = _offset(match, offset)
            blocks.append(RawBlock(FORMAT, "tag", line))
        else:
            clerk(number, f"left out a line without a time, {quoted(line)}")
    if not stamped and (first := next((line for line in lines if line.strip()), None)) and not blocks:
        raise InputError(f"{source}, line 1: found no time like [00:01.00], but {quoted(first)}")
    blocks = [block for block in blocks if not block.text.lower().lstrip().startswith("[offset:")]
    rows = list(_rows(sorted(stamped, key=lambda one: one[0]), offset))
    return collect(rows, clerk, raw=blocks, karaoke=any(run.said for row in rows for run in row.runs))


def _stamps(line: str) -> tuple[list[int], str]:
    """The times before a line, which may be several, and its text."""
    times = []
    while match := _STAMP.match(line):
        times.append(_ms(match[1]))
        line = line[match.end() :]
    return times, line


def _offset(match: re.Match[str], offset: int) -> int:
    if match[1].lower() != "offset" or not re.fullmatch(r"\s*[+-]?\d{1,9}\s*", match[2]):
        return offset
    return int(match[2])


def _ms(text: str) -> int:
    whole, _, fraction = text.partition(".")
    seconds = 0
    for part in whole.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000 + int(fraction.ljust(3, "0"))


def _rows(stamped: list[tuple[int, int, str]], offset: int) -> Iterator[Row]:
    stop: int | None = None
    rows = []
    for index in reversed(range(len(stamped))):
        ms, number, text = stamped[index]
        if index + 1 < len(stamped) and stamped[index + 1][0] > ms:
            stop = stamped[index + 1][0]
        if text.strip():
            start, end = (max(time - offset, 0) for time in (ms, ms + LAST_MS if stop is None else stop))
            rows.append(Row(number, start, end, tuple(_runs(text, start, end, offset))))
    return reversed(rows)


def _runs(text: str, start: int, end: int, offset: int) -> Iterator[Run]:
    parts = [part.replace(f"<{GUARD}", "<") for part in _WORD.split(text.lstrip().removeprefix(GUARD))]
    if len(parts) == 1:
        yield Run(parts[0])
        return
    times = [max(_ms(time) - offset, 0) for time in parts[1::2]]
    if parts[0].strip():
        yield Run(parts[0], said=(start, max(times[0], start)))
    for words, begin, stop in zip(parts[2::2], times, [*times[1:], end], strict=True):
        yield Run(words, said=(begin, max(stop, begin)))
