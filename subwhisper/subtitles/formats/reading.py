"""What every reader needs: rows to a track, and what was put right told with file and line."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from subwhisper.subtitles.formats.encodings import Repair, Report
from subwhisper.subtitles.markup import Placement, Raw, RawBlock
from subwhisper.subtitles.runs import Run, compose
from subwhisper.subtitles.track import Cue, Track, first_overlap

logger = logging.getLogger(__name__)

GUARD = "\u2060"
"""Word joiner, invisible: stands where text would otherwise be read as something else."""

_MOST_LOGGED = 100
LONGEST_MS = 1000 * 3600 * 1000
"""A thousand hours: later times are slips of the pen, and some clocks cannot show them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One cue as a file has it, before anything is put right."""

    line: int
    """Line of the file where it begins, from 1."""
    start_ms: int
    end_ms: int
    runs: tuple[Run, ...]
    placement: Placement | None = None
    raw: Raw | None = None


class Clerk:
    """Tells what was put right, with file and line: to the log, or to whoever asked."""

    def __init__(self, source: str, report: Report | None) -> None:
        self.source = source
        self._report = report
        self._told = 0

    def __call__(self, line: int, what: str) -> None:
        self.tell(Repair(line, what))

    def tell(self, repair: Repair) -> None:
        """Pass a repair on."""
        self._told += 1
        if self._report:
            self._report(repair)
        elif self._told <= _MOST_LOGGED:
            at = f", line {repair.line}" if repair.line else ""
            logger.warning("%s%s: %s", self.source, at, repair.what)
        elif self._told == _MOST_LOGGED + 1:
            logger.warning("%s: more was put right than is worth listing", self.source)


def file_lines(text: str) -> list[str]:
    """Split a file into lines at CR, LF or CRLF only: other separators may stand in a caption."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def quoted(line: str) -> str:
    """A line of a file as it stands in a message."""
    return repr(line.strip()[:60])


def collect(rows: Iterable[Row], clerk: Clerk, *, raw: Iterable[RawBlock] = (), karaoke: bool = False) -> Track:
    """Make a track of rows. What cannot be shown is put right or left out, and the clerk is told.

    Rows that end before they start have the two swapped; rows without text or duration are left out.

    Args:
        rows: in any order.
        clerk: hears of what was put right.
        raw: what else the file holds.
        karaoke: the file shows the times of words.
    """
    cues = []
    for row in rows:
        start_ms, end_ms = row.start_ms, row.end_ms
        made = compose(row.runs)
        if not made.lines or start_ms == end_ms:
            clerk(row.line, f"left out a cue with no {'duration' if made.lines else 'text'}")
            continue
        if max(start_ms, end_ms) > LONGEST_MS:
            clerk(row.line, "left out a cue later than a thousand hours")
            continue
        if end_ms < start_ms:
            clerk(row.line, "the cue ends before it starts; swapped the two")
            start_ms, end_ms = end_ms, start_ms
        if start_ms < 0:
            clerk(row.line, "the cue starts before 0; starts it there")
        start_ms = max(start_ms, 0)
        end_ms = max(end_ms, start_ms + 1)
        cue = Cue(start_ms, end_ms, made.lines, made.words, spans=made.spans, placement=row.placement, raw=row.raw)
        cues.append(cue)
    cues.sort(key=lambda cue: cue.start_ms)
    overlapping = first_overlap(cues) is not None
    return Track(tuple(cues), overlapping=overlapping, karaoke=karaoke, raw=tuple(raw))


def sized_for(cue: Cue, format: str) -> Cue:
    """The cue without letter sizes from another format: 8 is tiny in one and large in the next."""
    if cue.raw is None or cue.raw.format == format or not any(span.style.size for span in cue.spans):
        return cue
    return replace(cue, spans=tuple(replace(span, style=replace(span.style, size=None)) for span in cue.spans))


@dataclass(frozen=True, slots=True)
class Marked:
    """Text whose markup has been understood."""

    runs: tuple[Run, ...]
    placement: Placement | None = None
    unheld: tuple[str, ...] = ()
    """Names of the marks that the neutral model has no words for."""


def unchanged(cue: Cue, marked: Marked, *, words: bool = False) -> bool:
    """Whether a cue still says what its file said, so that the file's own words can be written again."""
    made = compose(marked.runs)
    return (made.lines, made.spans) == (cue.lines, cue.spans) and (not words or made.words == cue.words)
