"""Captions in the grids of broadcast: rows of so many cells with one letter each, of a set that lacks many letters."""

import unicodedata
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from subwhisper.subtitles.colours import NAMES
from subwhisper.subtitles.markup import Style
from subwhisper.subtitles.runs import decompose
from subwhisper.subtitles.track import Cue

_NEAREST = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2026": "...",
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
    "\u266a": "#", "\u266b": "\u266a", "\u2022": "-", "\u00ab": '"', "\u00bb": '"', "\u2039": "'", "\u203a": "'",
    "\u00df": "ss", "\u00e6": "ae", "\u00c6": "AE", "\u0153": "oe", "\u0152": "OE", "\u00f8": "o", "\u00d8": "O",
    "\u0142": "l", "\u0141": "L", "\u0111": "d", "\u0110": "D", "\u0131": "i", "\u20ac": "EUR",
}  # fmt: skip
"""What is written where a set lacks a letter; of these, the first that it has (see `spelled`)."""
UNKNOWN = "?"
_DARK = 0x50
"""Letters darker than that are not seen on the black ground of broadcast captions."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One letter of a row."""

    letter: str
    style: Style


Cells = list[Cell]


def rows_of(cue: Cue, letters: Container[str], width: int, most: int) -> list[Cells]:
    """The rows of a caption: its lines where they fit, else its words set anew.

    Args:
        cue: what is said.
        letters: that the format has; others become the nearest there are.
        width: cells in a row.
        most: rows in a caption; what does not fit is left out.
    """
    lines = [
        [Cell(letter, run.style) for run in runs for letter in spelled(run.text, letters)] for runs in decompose(cue)
    ]
    rows = [row for line in lines for row in _broken(line, width)]
    if len(rows) > most:
        whole = lines[0]
        for line in lines[1:]:
            whole = [*whole, Cell(" ", line[0].style), *line]
        rows = list(_broken(whole, width))
    return [row for row in rows if row][:most]


def _broken(cells: Cells, width: int) -> Iterator[Cells]:
    while len(cells) > width:
        stop = next((index for index in range(width, 0, -1) if cells[index].letter == " "), width)
        yield cells[:stop]
        cells = cells[stop + 1 if cells[stop].letter == " " else stop :]
    if cells:
        yield cells


def spelled(text: str, letters: Container[str]) -> str:
    """The text in the letters of a set, with `?` for what has no likeness in it."""
    parts = []
    for letter in unicodedata.normalize("NFC", text):
        bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
        near = _NEAREST.get(letter, "")
        ways = (letter, near, _NEAREST.get(near, near), bare)
        if any(ways[:3]) and unicodedata.category(letter) not in ("Mn", "Cf"):
            parts.append(next((way for way in ways if way and all(part in letters for part in way)), UNKNOWN))
    return "".join(parts)


def nearest_colour(colour: str, known: Sequence[str]) -> str:
    """Of the named colours that a format has, the one most like another."""
    wanted = _channels(colour)
    if max(wanted) < _DARK:
        return "white"

    def apart(name: str) -> int:
        return sum((one - other) ** 2 for one, other in zip(wanted, _channels(NAMES[name]), strict=True))

    return min(known, key=apart)


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
