"""Tab-separated values (.tsv) as openai-whisper writes them: start and end in whole milliseconds, text."""

from collections.abc import Iterator

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.reading import Row, collect, file_lines
from subwhisper.subtitles.track import Track

_HEADER = "start\tend\ttext"


def write(track: Track) -> str:
    """Write a track, one cue per row; its lines become one, tabs become spaces."""
    rows = [f"{cue.start_ms}\t{cue.end_ms}\t{cue.text.replace(chr(9), ' ')}" for cue in track.cues]
    return "\n".join([_HEADER, *rows, ""])


def read(text: str, source: str) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: the header is missing, or a row is not two whole numbers and a text.
    """
    return collect(_rows(file_lines(text), source), source)


def _rows(lines: list[str], source: str) -> Iterator[Row]:
    if lines[0].rstrip() != _HEADER:
        raise InputError(f"{source}, line 1: the columns start, end and text are expected")
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        start, _, rest = line.partition("\t")
        end, _, words = rest.partition("\t")
        if not (start.strip().isdecimal() and end.strip().isdecimal()):
            raise InputError(f"{source}, line {number}: start and end must be whole milliseconds")
        yield Row(number, int(start), int(end), words)
