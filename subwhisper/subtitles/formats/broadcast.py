"""Scenarist closed captions (.scc, CEA-608) and EBU STL (.stl, Tech 3264), through ttconv, the `broadcast` extra.

ttconv understands these and knows TTML, so TTML is the bridge to our own cues and back. Written: SCC only.
Every caption of these is white on black in a grid of its own; read, the ground and the column are left out, and
of the row only remains whether it is above, in the middle, or where captions usually stand.
"""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from subwhisper.errors import InputError, MissingExtra, OutputError
from subwhisper.subtitles.formats import ttml, ttml_writer
from subwhisper.subtitles.formats.encodings import Repair, Report
from subwhisper.subtitles.markup import PLAIN, Placement, Row
from subwhisper.subtitles.track import Cue, Track

if TYPE_CHECKING:
    from ttconv.model import ContentDocument

_EXTRA = "broadcast"
_FRAME_MS = 1001 / 30
_FRAMES_BEFORE = 14
"""What a caption needs to be loaded with beside two letters a frame."""


def read_scc(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it is no SCC file.
        MissingExtra: ttconv is not installed.
    """
    reader = _module("ttconv.scc.reader")
    if not text.lstrip().startswith("Scenarist_SCC"):
        raise InputError(f"{source}, line 1: an SCC file must begin with Scenarist_SCC V1.0")
    return _read(lambda: reader.to_model(text), source, report, "SCC")


def read_stl(content: bytes, source: str, report: Report | None = None) -> Track:
    """Read a file's bytes; `source` names it in messages.

    Raises:
        InputError: it is no EBU STL file.
        MissingExtra: ttconv is not installed.
    """
    reader = _module("ttconv.stl.reader")
    config = _module("ttconv.stl.config").STLReaderConfiguration(program_start_tc="TCP")
    return _read(lambda: reader.to_model(io.BytesIO(content), config), source, report, "EBU STL")


def write_scc(track: Track) -> str:
    """Write a track as pop-on captions; lines longer than 32 characters are broken anew.

    A caption at the very beginning comes as late as its letters take to be sent.

    Raises:
        MissingExtra: ttconv is not installed.
        OutputError: the captions cannot be said in CEA-608.
    """
    reader, writer = _module("ttconv.imsc.reader"), _module("ttconv.scc.writer")
    if not track.cues:
        return "Scenarist_SCC V1.0\n"
    config = _module("ttconv.scc.config").SccWriterConfiguration(force_popon=True)
    bridge = ttml_writer.write(replace(track, cues=tuple(map(_loadable, track.cues))))
    tree = ElementTree.ElementTree(ElementTree.fromstring(bridge.encode("utf-8")))
    try:
        with _warnings(None):
            return str(writer.from_model(reader.to_model(tree), config)).rstrip("\n") + "\n"
    except Exception as error:  # a library's edge: it raises what comes, and any of it means the same
        hint = None
        if "earlier" in str(error):
            hint = "SCC sends two letters a frame before a caption shows: show the first ones later, or shorten them"
        raise OutputError(f"these captions cannot be written as SCC: {error}", hint=hint) from error


def _read(read: Callable[[], "ContentDocument"], source: str, report: Report | None, title: str) -> Track:
    writer = _module("ttconv.imsc.writer")
    try:
        with _warnings(report):
            document = read()
            tree = writer.from_model(document)
    except Exception as error:  # a library's edge: it raises what comes, and any of it means the same
        raise InputError(f"{source}: this cannot be read as {title}: {error or type(error).__name__}") from error
    track = ttml.read(ElementTree.tostring(tree.getroot(), encoding="unicode"), source, report)
    return replace(track, cues=tuple(_ungridded(cue) for cue in track.cues), raw=(), language=None)


def _ungridded(cue: Cue) -> Cue:
    """Without the ground and the grid that every caption of these formats has."""
    spans = []
    for span in cue.spans:
        colour = None if span.style.colour == "#ffffff" else span.style.colour
        style = replace(span.style, background=None, colour=colour, font=None, size=None)
        if style != PLAIN:
            spans.append(replace(span, style=style))
    y = cue.placement.y if cue.placement else None
    row: Row = "top" if y is not None and y < 100 / 3 else "middle" if y is not None and y < 200 / 3 else "bottom"
    placement = None if row == "bottom" else Placement(row)
    return replace(cue, spans=tuple(spans), placement=placement, raw=None)


def _loadable(cue: Cue) -> Cue:
    needs = round((len(cue.text) / 2 + _FRAMES_BEFORE) * _FRAME_MS)
    return replace(cue, start_ms=needs) if cue.start_ms < needs < cue.end_ms else cue


def _module(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra("ttconv", _EXTRA) from error


@contextmanager
def _warnings(report: Report | None) -> Iterator[None]:
    """What the library logs becomes repairs, and not lines on the user's screen."""
    log = logging.getLogger("ttconv")
    handler = _Teller(report)
    before = log.propagate
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = before


class _Teller(logging.Handler):
    def __init__(self, report: Report | None) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        if self._report:
            self._report(Repair(0, record.getMessage()))
