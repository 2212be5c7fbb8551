"""Looks and places of TTML: `tts:` attributes, style sheets, regions."""

import re
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from subwhisper.subtitles.colours import parse_colour
from subwhisper.subtitles.markup import PLAIN, Placement, Row, Side, Style

XML = "{http://www.w3.org/XML/1998/namespace}"
_STYLING = re.compile(r"\{http://www\.w3\.org/(?:ns/ttml|2006/(?:04|10)/ttaf1)#(?:styling|style-extension)\}(\w+)$")
INHERITED = frozenset(
    {"color", "fontStyle", "fontWeight", "textDecoration", "fontFamily", "fontSize", "textAlign", "direction"}
)
_SIDES: dict[str, Side] = {"left": "left", "start": "left", "right": "right", "end": "right", "center": "center"}
_ROWS: dict[str, Row] = {"before": "top", "center": "middle", "after": "bottom"}
_SIDES_ORDER: tuple[Side, ...] = ("left", "center", "right")
_ROWS_ORDER: tuple[Row, ...] = ("top", "middle", "bottom")
_USUAL_X: dict[Side, float] = {"left": 10.0, "center": 50.0, "right": 90.0}
_USUAL_Y: dict[Row, float] = {"top": 10.0, "middle": 50.0, "bottom": 90.0}
_PAIR = re.compile(r"(-?\d{1,5}(?:\.\d{1,6})?)%\s+(-?\d{1,5}(?:\.\d{1,6})?)%$")
_DEEPEST = 20

Look = dict[str, str]
"""`tts:` attributes by local name."""


def local(name: object) -> str:
    """The name of an element or attribute without its namespace."""
    return name.rpartition("}")[2] if isinstance(name, str) else ""


def inline(element: Element) -> Look:
    """The `tts:` attributes on an element itself."""
    return {match[1]: value for name, value in element.attrib.items() if (match := _STYLING.match(name))}


class Sheet:
    """The style sheet and the regions of a document."""

    def __init__(self, head: Element | None) -> None:
        elements = list(head.iter()) if head is not None else []
        self._styles = {e.get(f"{XML}id", ""): e for e in elements if local(e.tag) == "style"}
        self._regions = {e.get(f"{XML}id", ""): e for e in elements if local(e.tag) == "region"}
        self._known: dict[str, Look] = {}

    def named(self, reference: str | None, depth: int = 0) -> Look:
        """The looks a `style` attribute refers to, the later over the earlier."""
        look: Look = {}
        for name in (reference or "").split():
            if name in self._styles and depth < _DEEPEST:
                if name not in self._known:
                    element = self._styles[name]
                    self._known[name] = self.named(element.get("style"), depth + 1) | inline(element)
                look |= self._known[name]
        return look

    def own(self, element: Element) -> Look:
        """What an element says of its look, by reference and by itself."""
        return self.named(element.get("style")) | inline(element)

    def region(self, name: str | None) -> Look:
        element = self._regions.get(name or "")
        if element is None:
            return {}
        look = self.own(element)
        for child in element:
            if local(child.tag) == "style":
                look |= self.named(child.get("style")) | inline(child)
        return look


def style_of(look: Mapping[str, str], usual: Mapping[str, str]) -> Style:
    """What is special in a look, beside the usual one of the document."""
    special = {name: value for name, value in look.items() if usual.get(name) != value}
    decoration = special.get("textDecoration", "").split()
    colour = parse_colour(special.get("color", ""), alpha_is_byte=True)
    style = Style(
        bold=special.get("fontWeight") == "bold",
        italic=special.get("fontStyle") in ("italic", "oblique"),
        underline="underline" in decoration,
        strikeout="lineThrough" in decoration,
        colour=None if colour == "#ffffff" else colour,
        background=parse_colour(special.get("backgroundColor", ""), alpha_is_byte=True),
        font=special.get("fontFamily") or None,
        size=special.get("fontSize") or None,
    )
    return PLAIN if style == PLAIN else style


def placement_of(look: Mapping[str, str], region: Mapping[str, str]) -> Placement | None:
    """Where a paragraph of that look stands in a region of that look."""
    row = _ROWS.get(region.get("displayAlign", "after" if not region else "before"), "bottom")
    side = _SIDES.get(look.get("textAlign", "center" if not region else "start"), "center")
    placement = Placement(row, side)
    origin, extent = _PAIR.match(region.get("origin", "").strip()), _PAIR.match(region.get("extent", "").strip())
    if origin and extent:
        left, top, width, height = (float(part) for part in (*origin.groups(), *extent.groups()))
        x = left + {"left": 0, "center": width / 2, "right": width}[side]
        y = top + {"top": 0, "middle": height / 2, "bottom": height}[row]
        placement = Placement(
            row,
            side,
            None if round(x, 2) == _USUAL_X[side] else round(x, 2),
            None if round(y, 2) == _USUAL_Y[row] else round(y, 2),
        )
    return None if placement == Placement() else placement


def decorated(style: Style) -> dict[str, str]:
    """The `tts:` attributes of a look, by local name."""
    decoration = [word for word, wanted in (("underline", style.underline), ("lineThrough", style.strikeout)) if wanted]
    said = {
        "fontWeight": "bold" if style.bold else None,
        "fontStyle": "italic" if style.italic else None,
        "textDecoration": " ".join(decoration) or None,
        "color": style.colour,
        "backgroundColor": style.background,
        "fontFamily": style.font,
        "fontSize": style.size,
    }
    return {name: value for name, value in said.items() if value}


def region_of(placement: Placement) -> dict[str, str]:
    """The `tts:` attributes of a region that puts captions there; 10 % of the picture around it stay free."""
    align = {row: word for word, row in _ROWS.items()}[placement.row]
    left, width = _room(placement.x, _SIDES_ORDER.index(placement.side))
    top, height = _room(placement.y, _ROWS_ORDER.index(placement.row))
    return {"origin": f"{left:g}% {top:g}%", "extent": f"{width:g}% {height:g}%", "displayAlign": align}


def _room(held: float | None, edge: int) -> tuple[float, float]:
    """Where the room for a caption begins and how long it is, in percent, when it is held at one of three edges."""
    if held is None:
        return 10.0, 80.0
    size = (100 - held, 2 * min(held, 100 - held), held)[edge]
    return held - (0, size / 2, size)[edge], size


def usual_look(looks: Iterable[Look]) -> Look:
    """The letters that all paragraphs have in common: nobody means these to be special."""
    usual: Look | None = None
    for look in looks:
        usual = dict(look) if usual is None else {n: v for n, v in usual.items() if look.get(n) == v}
    common = usual or {}
    return {name: common[name] for name in ("fontFamily", "fontSize") if name in common}
