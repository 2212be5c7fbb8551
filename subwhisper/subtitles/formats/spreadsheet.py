"""Comma-separated values (.csv) for spreadsheets (RFC 4180): start and end in whole milliseconds, text, speaker.

whisper.cpp's columns `start,end,text` are read as well, and semicolons as some spreadsheets write them.
"""

import csv
import io
from collections.abc import Iterator

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import Clerk, Row, collect, quoted
from subwhisper.subtitles.formats.tsv import is_whole
from subwhisper.subtitles.runs import Run
from subwhisper.subtitles.track import Cue, Track

_NEEDED = ("start", "end", "text")


def write(track: Track) -> str:
    """Write a track, one cue per row; a column of speakers is there when anyone has a name."""
    speaks = any(cue.voices for cue in track.cues)
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([*_NEEDED, *(["speaker"] if speaks else [])])
    for cue in track.cues:
        rows.writerow([cue.start_ms, cue.end_ms, "\n".join(cue.lines), *([_speakers(cue)] if speaks else [])])
    return out.getvalue()


def _speakers(cue: Cue) -> str:
    return " & ".join(cue.voices)


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: a column is missing.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    clerk = Clerk(source, report)
    try:
        columns = [name.strip().lower() for name in next(rows, [])]
    except csv.Error as error:
        raise InputError(f"{source}, line 1: this is no table: {error}") from error
    if missing := [name for name in _NEEDED if name not in columns]:
        raise InputError(f"{source}, line 1: the column {missing[0]} is missing; start, end and text are expected")
    return collect(_rows(rows, columns, clerk), clerk)


def _rows(rows: Iterator[list[str]], columns: list[str], clerk: Clerk) -> Iterator[Row]:
    line = 2
    while True:
        try:
            values = next(rows, None)
        except csv.Error as error:  # a field longer than any caption
            clerk(line, f"left out a row: {error}")
            continue
        if values is None:
            return
        row = dict(zip(columns, values, strict=False))
        height = sum(value.count("\n") for value in values) + 1
        if is_whole(row.get("start", "")) and is_whole(row.get("end", "")):
            voice = row.get("speaker", "").strip() or None
            yield Row(line, int(row["start"]), int(row["end"]), (Run(row.get("text", ""), voice=voice),))
        elif any(value.strip() for value in values):
            clerk(line, f"left out a row whose start and end are not whole milliseconds, {quoted(','.join(values))}")
        line += height
