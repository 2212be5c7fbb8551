"""Tab-separated values (.tsv) as openai-whisper writes them: start and end in whole milliseconds, text."""

from collections.abc import Iterator

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import Clerk, Row, collect, file_lines, quoted
from subwhisper.subtitles.runs import Run
from subwhisper.subtitles.track import Track

_HEADER = "start\tend\ttext"


def write(track: Track) -> str:
    """Write a track, one cue per row; its lines become one, tabs become spaces."""
    rows = [f"{cue.start_ms}\t{cue.end_ms}\t{cue.text.replace(chr(9), ' ')}" for cue in track.cues]
    return "\n".join([_HEADER, *rows, ""])


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: the header is missing.
    """
    lines = file_lines(text)
    if lines[0].rstrip() != _HEADER:
        raise InputError(f"{source}, line 1: the columns start, end and text are expected")
    clerk = Clerk(source, report)
    return collect(_rows(lines, clerk), clerk)


def _rows(lines: list[str], clerk: Clerk) -> Iterator[Row]:
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        start, _, rest = line.partition("\t")
        end, _, words = rest.partition("\t")
        if is_whole(start) and is_whole(end):
            yield Row(number, int(start), int(end), (Run(words),))
        else:
            clerk(number, f"left out a row whose start and end are not whole milliseconds, {quoted(line)}")


def is_whole(text: str) -> bool:
    """Whether it is a number of milliseconds; one of more digits than any film has is not."""
    return text.strip().isdecimal() and len(text.strip()) < 15
