"""Time codes of broadcast: hours, minutes, seconds and frames (SMPTE ST 12)."""

from fractions import Fraction

from subwhisper.errors import OutputError

PAL = Fraction(25)
NTSC = Fraction(30000, 1001)
"""Counted as 30 a second; where two numbers are left out nine minutes in ten, the clock keeps up (drop frame)."""
_DROPPED, _PER_MINUTE, _PER_TEN = 2, 1798, 17982

TimeCode = tuple[int, int, int, int]


def frame_at(ms: int, rate: Fraction) -> int:
    """The frame whose start is nearest to a time."""
    return round(ms * rate / 1000)


def time_code(frame: int, rate: Fraction) -> TimeCode:
    """What the clock shows at a frame.

    Raises:
        OutputError: it is later than a clock of two digits for hours goes.
    """
    if rate == NTSC:
        tens, rest = divmod(frame, _PER_TEN)
        frame += _DROPPED * (9 * tens + max(0, (rest - _DROPPED) // _PER_MINUTE))
    seconds, frames = divmod(frame, _nominal(rate))
    if seconds >= 100 * 3600:
        raise OutputError("a time code ends after 99 hours", hint="split the captions, or shift them")
    return seconds // 3600, seconds // 60 % 60, seconds % 60, frames


def time_of(code: TimeCode, rate: Fraction) -> int:
    """The milliseconds at which a clock shows that."""
    hours, minutes, seconds, frames = code
    frame = ((hours * 60 + minutes) * 60 + seconds) * _nominal(rate) + frames
    if rate == NTSC:
        whole = hours * 60 + minutes
        frame -= _DROPPED * (whole - whole // 10)
    return round(frame * 1000 / rate)


def _nominal(rate: Fraction) -> int:
    return -(-rate.numerator // rate.denominator)
