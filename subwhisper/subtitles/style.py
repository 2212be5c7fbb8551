"""How captions look when they are drawn: letters, colours, box, place, word highlighting; and presets of it.

Only values: `formats/ass.py` writes them for libass, which draws.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from subwhisper.errors import OptionError
from subwhisper.subtitles.colours import parse_colour
from subwhisper.subtitles.markup import Row, Side

FONT = "FiraGO"
"""The family that burning supplies on any machine."""

SPEAKER_COLOURS = ("#ffffff", "#ffff00", "#00ffff", "#00ff00")
"""White, yellow, cyan, green: the order in which broadcasters give them out."""


@dataclass(frozen=True, kw_only=True)
class CaptionStyle:
    """How captions are drawn; sizes are pixels of a picture whose shorter side has 1080, and scale with it."""

    font: str = FONT
    size: float = 58
    bold: bool = False
    italic: bool = False
    colour: str = "#ffffff"
    """`#rrggbb`, or `#rrggbbaa` to let the picture shine through."""
    outline: float = 3
    outline_colour: str = "#000000"
    shadow: float = 1
    box: str | None = None
    """Colour of a box behind the letters, instead of an outline."""
    row: Row = "bottom"
    side: Side = "center"
    margin: float = 6
    """Safe area above and below, in percent of the picture's height."""
    side_margin: float = 5
    """Safe area left and right, in percent of the picture's width."""
    speakers: bool = False
    """A colour for each speaker."""
    second_colour: str = "#ffe680"
    """Of the second language of a bilingual track."""
    second_size: float = 46
    spoken: str = "#ffffff"
    """Colour of words already said, where words are highlighted."""
    now: str = "#ffd700"
    """Colour of the word being said."""
    unspoken: str = "#ffffff"
    """Colour of words yet to come."""
    now_scale: float = 100
    """Size of the word being said, in percent."""


PRESETS: Mapping[str, CaptionStyle] = MappingProxyType(
    {
        "classic": CaptionStyle(),
        "box": CaptionStyle(box="#000000b3", outline=8, shadow=0, now="#ffff00"),
        "yellow": CaptionStyle(
            colour="#ffff00", spoken="#ffff00", unspoken="#ffff00", now="#ffffff", second_colour="#ffffff"
        ),
        "broadcast": CaptionStyle(
            box="#000000", outline=8, shadow=0, size=54, margin=10, side_margin=10, speakers=True
        ),
        "large": CaptionStyle(size=84, outline=5, bold=True),
        "top": CaptionStyle(row="top"),
        "shorts": CaptionStyle(
            size=92, bold=True, outline=7, shadow=0, margin=28, side_margin=8, now="#ffe600", now_scale=112
        ),
        "karaoke": CaptionStyle(size=72, bold=True, outline=4, spoken="#ffd700", now="#ff8800", unspoken="#ffffff"),
    }
)  # fmt: skip
"""Ready-made looks, by name."""

_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,3})?%?$")
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def parse_style(text: str) -> CaptionStyle:
    """Read a look: a preset, values of its own, or both: `box,colour=yellow,size=64`.

    Raises:
        OptionError: a preset, a name or a value is unknown.
    """
    style = CaptionStyle()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            style = _preset(name)
            continue
        known = {field.name.replace("_", "-"): field.name for field in fields(CaptionStyle)}
        known |= {name.replace("colour", "color"): field for name, field in known.items()}
        name = name.lower().replace("_", "-")
        if name not in known:
            raise _unknown(f"there is no style property {name!r}", name, sorted({*known}))
        style = replace(style, **{known[name]: _value(known[name], name, value)})
    return style


def _preset(name: str) -> CaptionStyle:
    if name.lower() not in PRESETS:
        raise _unknown(f"there is no caption style {name!r}", name, list(PRESETS))
    return PRESETS[name.lower()]


def _unknown(message: str, name: str, known: list[str]) -> OptionError:
    close = get_close_matches(name.lower(), known, n=1)
    return OptionError(message, hint=f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}")


def _value(field: str, name: str, text: str) -> Any:
    before = getattr(CaptionStyle, field)
    if field in ("row", "side"):
        allowed = ("top", "middle", "bottom") if field == "row" else ("left", "center", "right")
        if text.lower() in allowed:
            return text.lower()
        raise OptionError(f"style: {name} cannot be {text!r}", hint=f"one of {', '.join(allowed)}")
    if isinstance(before, bool):
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        raise OptionError(f"style: {name} cannot be {text!r}", hint="yes or no")
    if isinstance(before, (int, float)):
        if _NUMBER.match(text):
            return float(text.removesuffix("%"))
        raise OptionError(f"style: {name} cannot be {text!r}", hint="a number")
    if field == "font":
        return re.sub(r"[,{}\\\r\n]", " ", text).strip() or FONT
    if field == "box" and text.lower() in ("none", "no"):
        return None
    colour = parse_colour(text)
    if colour is None:
        raise OptionError(f"style: {name} cannot be {text!r}", hint="a colour such as yellow or #ffcc00")
    return colour
