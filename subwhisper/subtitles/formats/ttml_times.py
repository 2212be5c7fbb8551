"""Time expressions of TTML (W3C, TTML2, section 12.3): clock times and offsets, in frames and ticks too."""

import re
from dataclasses import dataclass

_CLOCK = re.compile(r"(\d{1,6}):(\d{2}):(\d{2})(?:\.(\d{1,9})|:(\d{2,6})(?:\.\d{1,6})?)?$")
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)$")
_BARE = re.compile(r"(?:(\d{1,4}):)?(?:(\d{1,4}):)?(\d{1,9}(?:\.\d{1,9})?)$")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, slots=True)
class TimeBase:
    """What frames and ticks of a document are worth."""

    frames_per_second: float = 30.0
    ticks_per_second: float = 1.0


def time_base(parameters: dict[str, str]) -> TimeBase:
    """Read `frameRate`, `frameRateMultiplier` and `tickRate`."""
    rate = _number(parameters.get("frameRate")) or 30.0
    over = [_number(part) for part in re.split(r"[\s:]+", parameters.get("frameRateMultiplier", "").strip())]
    numbers = [part for part in over if part]
    scale = numbers[0] / numbers[1] if len(numbers) == 2 else 1.0
    ticks = _number(parameters.get("tickRate")) or (rate if "frameRate" in parameters else 1.0)
    return TimeBase(rate * scale, ticks)


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", text) else None


def parse_time(text: str, base: TimeBase) -> int | None:
    """Read a time in milliseconds; `None` when it is none.

    Apple's lyrics write bare seconds and `3:58.640`, which the standard does not know.
    """
    text = text.strip()
    if match := _CLOCK.match(text):
        hours, minutes, seconds = (int(part) for part in match.group(1, 2, 3))
        whole = (hours * 3600 + minutes * 60 + seconds) * 1000
        if match[5]:
            return whole + round(int(match[5]) * 1000 / base.frames_per_second)
        return whole + round(float(f"0.{match[4] or 0}") * 1000)
    if match := _OFFSET.match(text):
        amount, unit = float(match[1]), match[2]
        if unit == "f":
            return round(amount * 1000 / base.frames_per_second)
        return round(amount * 1000 * (1 / base.ticks_per_second if unit == "t" else _SECONDS[unit]))
    if match := _BARE.match(text):
        minutes = int(match[1] or 0) * 60 + int(match[2]) if match[2] else int(match[1] or 0)
        return round((minutes * 60 + float(match[3])) * 1000)
    return None
