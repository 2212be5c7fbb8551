"""How the text of a cue is marked: style, voice, ruby, place, and what its file said in words of its own.

Marks stand beside the text, not in it: a cue's lines stay plain, and a mark names a line and a stretch of it.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

Row = Literal["top", "middle", "bottom"]
Side = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a stretch of text looks where it differs from the rest."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    strikeout: bool = False
    colour: str | None = None
    """`#rrggbb`, or `#rrggbbaa` where it is not opaque; `None` is the colour of the rest."""
    background: str | None = None
    font: str | None = None
    """Family."""
    size: str | None = None
    """In the words and the unit of the file it comes from: no other format understands it."""
    classes: tuple[str, ...] = ()
    """Names that a style sheet gives a look to."""

    def flagged(self, flag: str, on: bool = True) -> "Style":
        """The style with `bold`, `italic`, `underline` or `strikeout` set or taken away."""
        change: dict[str, Any] = {flag: on}
        return replace(self, **change)


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class CueSpan:
    """What is special about one stretch of one line."""

    line: int
    """Which line of the cue, from 0."""
    first: int
    """Index of its first character in that line."""
    stop: int
    """Index just past its last character."""
    style: Style = PLAIN
    voice: str | None = None
    """Who says it."""
    ruby: str | None = None
    """A reading or gloss shown small above it, as furigana is."""
    language: str | None = None
    """Where it is not the track's."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a cue stands in the picture; the default is where captions stand."""

    row: Row = "bottom"
    side: Side = "center"
    x: float | None = None
    """Where its `side` is held, in percent of the picture's width from the left; `None` is the usual margin."""
    y: float | None = None
    """Where its `row` is held, in percent of the picture's height from the top; `None` is the usual margin."""


@dataclass(frozen=True, slots=True)
class Raw:
    """What a file said about one cue in its own words, which only its own format can say again.

    Writers use it where it still says what the cue does, so that a file comes back as it was.
    """

    format: str
    text: str = ""
    """The text with its markup."""
    settings: str = ""
    """All that stood beside the times."""
    name: str = ""
    """Identifier of the cue."""
    unheld: tuple[str, ...] = ()
    """What the neutral model has no words for, one name each: `size`, `\\fad` …"""


@dataclass(frozen=True, slots=True)
class RawBlock:
    """A part of a file that is no cue: header, style sheet, comment, drawing; only its own format has a use for it."""

    format: str
    kind: str
    text: str
    before: int = 0
    """Index of the cue that it stands before."""
    times: tuple[int, int] | None = None
    """Milliseconds, for a part that is shown or spoken of at a time."""
