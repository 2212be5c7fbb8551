"""The settings of a WebVTT cue, `align:start position:10%`, to and from its place in the picture."""

import re
from dataclasses import dataclass

from subwhisper.subtitles.markup import Placement, Row, Side

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%(?:,(\S*))?$")
_NUMBER = re.compile(r"(-?\d{1,4})(?:,(\S*))?$")
_SIDES: dict[str, Side] = {
    "start": "left",
    "left": "left",
    "center": "center",
    "middle": "center",  # of the drafts before 2015
    "end": "right",
    "right": "right",
    "line-left": "left",
    "line-right": "right",
}
_ROWS: dict[str, Row] = {"start": "top", "center": "middle", "end": "bottom"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What they say of the place, and the names of those that say something else."""

    placement: Placement | None
    unheld: tuple[str, ...] = ()


def parse_settings(text: str) -> Settings:
    """Understand what stands behind the times of a cue."""
    row: Row = "bottom"
    side: Side = "center"
    x: float | None = None
    y: float | None = None
    unheld = []
    said = dict(part.partition(":")[::2] for part in text.split() if ":" in part)
    if (align := said.pop("align", "")) in _SIDES:
        side = _SIDES[align]
    if match := _PERCENT.match(said.get("position", "")):
        del said["position"]
        x = float(match[1])
        if match[2] and _SIDES.get(match[2]) != side:
            unheld.append("position anchor")
    line = said.pop("line", "")
    if match := _PERCENT.match(line):
        row, y = _ROWS.get(match[2] or "start", "top"), float(match[1])
    elif match := _NUMBER.match(line):
        number = int(match[1])
        row = "top" if number >= 0 else "bottom"
        if number not in (0, -1):
            unheld.append("line number")
    unheld += [f"cue setting {name}" for name in said]
    if said.get("vertical") or (row, side, x, y) == ("bottom", "center", None, None):
        return Settings(None, tuple(unheld))
    return Settings(Placement(row, side, x, y), tuple(unheld))


def write_settings(placement: Placement | None) -> str:
    """Say where a cue stands."""
    if placement is None:
        return ""
    anchor = {"top": "start", "middle": "center", "bottom": "end"}[placement.row]
    y = placement.y if placement.y is not None else (50 if placement.row == "middle" else None)
    parts = []
    if y is not None:
        parts.append(f"line:{y:g}%" + ("" if anchor == "start" else f",{anchor}"))
    elif placement.row == "top":
        parts.append("line:0")
    if placement.x is not None:
        parts.append(f"position:{placement.x:g}%")
    if placement.side != "center":
        parts.append(f"align:{placement.side}")
    return " ".join(parts)
