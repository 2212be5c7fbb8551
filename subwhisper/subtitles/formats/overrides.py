r"""The text of SubStation events, with its `{\i1}` override codes; players know many of them in SubRip, too.

Understood: bold, italic, underline, strikeout, first colour, font, size, alignment, `\pos`, karaoke, `\r`.
Drawings are no text. The rest is named in `Marked.unheld`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from subwhisper.subtitles.colours import ass_alpha, ass_colour, parse_ass_colour
from subwhisper.subtitles.formats.reading import GUARD, Marked
from subwhisper.subtitles.markup import PLAIN, Placement, Row, Side, Style
from subwhisper.subtitles.runs import Run

_TOKEN = re.compile(rf"\\[Nnh]|\\{GUARD}|\\[{{}}]|\{{[^{{}}]*\}}")
_CODE = re.compile(
    r"\\(alpha|[1-4]c|[1-4]a|an|a|pos|move|org|iclip|clip|fade|fad|fscx|fscy|fsp|fs|fn|fe|frx|fry|frz|fr|fax|fay"
    r"|blur|be|xbord|ybord|bord|xshad|yshad|shad|kf|ko|kt|k|K|r|t|pbo|p|q|b|i|u|s|c)"
    r"(\((?:[^()]|\([^()]*\))*\)?|[^\\]*)"
)
_POINT = re.compile(r"\(\s*(-?\d{1,6}(?:\.\d{1,6})?)\s*,\s*(-?\d{1,6}(?:\.\d{1,6})?)\s*\)?$")
_ROWS: tuple[Row, ...] = ("bottom", "middle", "top")
_SIDES: tuple[Side, ...] = ("left", "center", "right")
_ESCAPED = {"\\N": "\n", "\\n": "\n", "\\h": "\u00a0", "\\{": "{", "\\}": "}", "\\" + GUARD: "\\"}
_FLAGS = {"b": "bold", "i": "italic", "u": "underline", "s": "strikeout"}


@dataclass(frozen=True, slots=True)
class Page:
    """What the codes of an event refer to."""

    width: float = 384
    """Of the script's own coordinates; the default is SubStation's."""
    height: float = 288
    styles: Mapping[str, tuple[Style, int]] = field(default_factory=dict)
    """Name -> look, where it differs from the usual, and alignment."""


def placement_of(alignment: int) -> Placement | None:
    """The place of an alignment as on the number keys; `None` for the usual one or no such key."""
    if alignment == 2 or not 1 <= alignment <= 9:
        return None
    return Placement(_ROWS[(alignment - 1) // 3], _SIDES[(alignment - 1) % 3])


def alignment_of(placement: Placement) -> int:
    """The number key of a place."""
    return 3 * _ROWS.index(placement.row) + _SIDES.index(placement.side) + 1


def from_v4_alignment(alignment: int) -> int:
    r"""The number key for an alignment of SSA v4 and of `\a`: 1-3 below, 5-7 above, 9-11 in the middle."""
    base, row = alignment & 3, {0: 0, 4: 6, 8: 3}.get(alignment & 12, 0)
    return row + base if base else 2


def escape(text: str) -> str:
    """Make text harmless: no backslash begins a code, no brace an override."""
    text = text.replace("\\", "\\" + GUARD)
    return text.replace("{", "\\{").replace("}", "\\}")


def parse(text: str, *, page: Page = Page(), style: str = "", start_ms: int = 0, voice: str | None = None) -> Marked:
    """Understand the text of an event.

    Args:
        text: with its codes.
        page: what they refer to.
        style: name of the event's style.
        start_ms: of the event; karaoke counts from there.
        voice: who speaks.
    """
    reader = _Reader(page, style, start_ms, voice)
    position = 0
    for match in _TOKEN.finditer(text):
        reader.say(text[position : match.start()])
        position = match.end()
        token = match[0]
        if token.startswith("{"):
            reader.obey(token[1:-1])
        else:
            reader.say(_ESCAPED[token])
    reader.say(text[position:])
    return reader.marked()


class _Reader:
    def __init__(self, page: Page, style: str, start_ms: int, voice: str | None) -> None:
        self._page = page
        self._base, self._alignment = page.styles.get(style, (PLAIN, 2))
        self._style = self._base
        self._point: tuple[float, float] | None = None
        self._clock, self._said = start_ms, cast("tuple[int, int] | None", None)
        self._voice = voice
        self._drawing = False
        self._runs: list[Run] = []
        self._unheld: dict[str, None] = {}

    def say(self, text: str) -> None:
        if text and not self._drawing:
            self._runs.append(Run(text, self._style, self._voice, said=self._said))

    def obey(self, block: str) -> None:
        codes = _CODE.findall(block)
        if not codes and block.strip():
            self._unheld["comment"] = None
        for name, value in codes:
            if not self._style_code(name, value.strip()) and not self._other_code(name, value.strip()):
                self._unheld["\\" + name] = None

    def _style_code(self, name: str, value: str) -> bool:
        if name in _FLAGS:
            wanted = getattr(self._base, _FLAGS[name]) if not value else value not in ("0", "400")
            self._style = self._style.flagged(_FLAGS[name], wanted)
        elif name in ("c", "1c"):
            self._style = replace(self._style, colour=parse_ass_colour(value) if value else self._base.colour)
        elif name == "fn":
            self._style = replace(self._style, font=value or self._base.font)
        elif name == "fs":
            self._style = replace(self._style, size=value or self._base.size)
        elif name == "r":
            self._style = self._page.styles.get(value, (self._base, 2))[0] if value else self._base
        else:
            return False
        return True

    def _other_code(self, name: str, value: str) -> bool:
        if name in ("an", "a") and value.isdecimal():
            number = int(value[:3])
            self._alignment = number if name == "an" else from_v4_alignment(number)
        elif name == "pos" and (match := _POINT.match(value)):
            self._point = float(match[1]), float(match[2])
        elif name in ("k", "K", "kf", "ko") and value.isdecimal():
            self._said = self._clock, self._clock + 10 * int(value[:7])
            self._clock = self._said[1]
            if name != "k":
                self._unheld["\\" + name] = None
        elif name == "p":
            self._drawing = value not in ("", "0")
            self._unheld["drawing"] = None
        else:
            return False
        return True

    def marked(self) -> Marked:
        placement = placement_of(self._alignment)
        if self._point:
            x, y = self._point
            placement = replace(
                placement or Placement(),
                x=round(100 * x / self._page.width, 2),
                y=round(100 * y / self._page.height, 2),
            )
        return Marked(tuple(self._runs), placement, tuple(self._unheld))


def codes(placement: Placement | None, page: Page, *, usual: int = 2) -> str:
    """The block that puts an event in its place; empty where that is where its style has it anyway."""
    alignment = alignment_of(placement) if placement else 2
    written = f"\\an{alignment}" if alignment != usual else ""
    if placement and placement.x is not None and placement.y is not None:
        written += f"\\pos({placement.x * page.width / 100:g},{placement.y * page.height / 100:g})"
    return f"{{{written}}}" if written else ""


def write_line(runs: Iterable[Run], style: Style, base: Style) -> tuple[str, Style]:
    """Write one line of an event.

    Args:
        runs: what it is made of.
        style: in force where the line begins.
        base: of the event, which what is not said of a run falls back to.

    Returns:
        The text, and the style in force at its end.
    """
    parts = []
    for run in runs:
        parts.append(_change(style, run.style, base) + escape(run.text))
        style = run.style
    return "".join(parts), style


def close(style: Style, base: Style) -> str:
    """The block that returns to the event's own style."""
    return _change(style, base, base)


_Flag = Literal["b", "i", "u", "s"]


def _change(before: Style, after: Style, base: Style) -> str:
    said = [
        f"\\{code}{int(getattr(after, name))}"
        for code, name in _FLAGS.items()
        if getattr(before, name) != getattr(after, name)
    ]
    if before.colour != after.colour:
        colour = after.colour or base.colour
        said.append(f"\\c{ass_colour(colour) if colour else ''}")
        if colour and len(colour) > 7:
            said.append(f"\\1a{ass_alpha(colour)}")
    if before.font != after.font:
        said.append(f"\\fn{after.font or ''}")
    if before.size != after.size:
        said.append(f"\\fs{after.size or ''}")
    return f"{{{''.join(said)}}}" if said else ""
