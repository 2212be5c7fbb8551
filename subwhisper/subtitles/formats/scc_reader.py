"""Scenarist closed captions (.scc, CEA-608), read through ttconv, the `broadcast` extra.

ttconv knows TTML, which is the bridge to our own cues. Every caption of these is white on black in a grid; the ground
and the column are left out, and of the row only remains whether it is above, in the middle, or where captions
usually stand.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from subwhisper.errors import InputError, MissingExtra
from subwhisper.subtitles.formats import ttml
from subwhisper.subtitles.formats.encodings import Repair, Report
from subwhisper.subtitles.markup import PLAIN, Placement, Row
from subwhisper.subtitles.track import Cue, Track

_EXTRA = "broadcast"
_AS_DRAWN = str.maketrans("\u2501\u028c\u2503", "\u2014^\u00a6")
"""What ttconv takes three letters for, and what CEA-608 calls them."""


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it is no SCC file.
        MissingExtra: ttconv is not installed.
    """
    reader = _module("ttconv.scc.reader")
    if not text.lstrip().startswith("Scenarist_SCC"):
        raise InputError(f"{source}, line 1: an SCC file must begin with Scenarist_SCC V1.0")
    try:
        with _warnings(report):
            tree = _module("ttconv.imsc.writer").from_model(reader.to_model(text))
    except Exception as error:  # a library's edge: it raises what comes, and any of it means the same
        raise InputError(f"{source}: this cannot be read as SCC: {error or type(error).__name__}") from error
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
    lines = tuple(line.translate(_AS_DRAWN) for line in cue.lines)
    return replace(cue, lines=lines, spans=tuple(spans), placement=placement, raw=None)


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
