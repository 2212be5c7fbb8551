"""Times of day in subtitle files: `01:02:03,456` and its relatives."""

import re

_CLOCK = r"(?:(\d{1,9}):)?(\d{1,2}):(\d{1,2})(?:[,.:](\d{1,9}))?"
_ARROW = re.compile(rf"^\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s(.*))?$", re.DOTALL)
_ALONE = re.compile(rf"\s*{_CLOCK}\s*$")


def clock(ms: int, *, point: str, hours: bool) -> str:
    """Write milliseconds as a time of day; without `hours` they appear only from the first hour on."""
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    whole, minutes = divmod(minutes, 60)
    rest = f"{minutes:02}:{seconds:02}{point}{ms:03}"
    return f"{whole:02}:{rest}" if hours or whole else rest


def parse_arrow(line: str) -> tuple[int, int] | None:
    """Read `start --> end` in milliseconds; what follows the end is ignored. `None` when it is not such a line.

    Hours and the fraction may be missing; the fraction may follow a comma or a point.
    """
    match = _ARROW.match(line)
    if not match:
        return None
    parts = match.groups()
    return _ms(parts[:4]), _ms(parts[4:8])


def after_arrow(line: str) -> str:
    """What stands behind the end time of such a line."""
    match = _ARROW.match(line)
    return (match[9] or "").strip() if match else ""


def parse_clock(text: str) -> int | None:
    """Read one time of day, as in `parse_arrow`, in milliseconds; `None` when it is none."""
    match = _ALONE.match(text)
    return _ms(match.groups()) if match else None


def _ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0")[:3])
