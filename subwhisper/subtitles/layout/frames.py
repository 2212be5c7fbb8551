"""Time as the layout counts it: frames of the video where their rate is known, else milliseconds.

A cue shown at frame n must be written with a time at which a player has reached that frame and not the one
before: the time of the frame rounded down to the millisecond.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from subwhisper.errors import OptionError
from subwhisper.subtitles.layout.profile import FRAME_RATE, Profile
from subwhisper.subtitles.track import to_ms

_NTSC = 1001
"""The largest denominator of a frame rate in use: 23.976 is 24000 / 1001."""
_ROUNDING = 1e-6
OUT = 2
"""Frames before a shot change at which a cue ends."""
NEVER_COMES = 1 << 60


@dataclass(frozen=True, slots=True)
class Picture:
    """What captions must know of the video they stand in; by default nothing.

    Raises:
        OptionError: a value cannot be.
    """

    frame_rate: float | None = None
    """Frames per second; `None` when unknown or not constant: gaps are then counted at 24."""
    shots: tuple[float, ...] = ()
    """Seconds at which a new shot begins."""

    def __post_init__(self) -> None:
        if self.frame_rate is not None and not 1 <= self.frame_rate <= 1000:
            raise OptionError(f"the frame rate must be from 1 to 1000 a second, got {self.frame_rate}")
        if not all(math.isfinite(shot) and shot >= 0 for shot in self.shots):
            raise OptionError("a shot must begin at a number of seconds, 0 or more")


NO_PICTURE = Picture()


class Clock:
    """Milliseconds to ticks and back; a tick is a frame, or a millisecond without a frame rate."""

    def __init__(self, frame_rate: float | None) -> None:
        rate = Fraction(frame_rate).limit_denominator(_NTSC) if frame_rate else Fraction(1000)
        self._up, self._down = rate.numerator, rate.denominator * 1000
        self.per_second = float(rate)
        self.per_frame = 1.0 if frame_rate else 1000 / FRAME_RATE
        self._is_exact = frame_rate is None

    def at_or_after(self, ms: int) -> int:
        """Return the first tick that is not before a time."""
        return ms if self._is_exact else -(-ms * self._up // self._down)

    def ms(self, tick: int) -> int:
        """Return when a tick begins, rounded down."""
        return tick * self._down // self._up

    def nearest(self, seconds: float) -> int:
        return round(seconds * self.per_second)

    def lasting(self, seconds: float) -> int:
        """Return the ticks that take at least so long."""
        return to_ms(seconds) if self._is_exact else math.ceil(seconds * self.per_second - _ROUNDING)

    def frames(self, n: float) -> int:
        return round(n * self.per_frame)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a profile, in ticks."""

    shortest: int
    longest: int
    gap: int
    chain: int
    """Gaps below this are closed."""
    linger: int
    margin: int
    """Around a shot change."""
    lead: int
    """Before its first word, for a cue that comes with its shot."""

    @classmethod
    def of(cls, profile: Profile, clock: Clock) -> "Limits":
        gap = clock.frames(profile.gap_frames) if profile.gap_frames is not None else clock.lasting(profile.min_gap)
        return cls(
            shortest=clock.lasting(profile.min_duration),
            longest=max(clock.nearest(profile.max_duration), 1),
            gap=gap,
            chain=max(clock.nearest(profile.chain_below), gap),
            linger=clock.nearest(profile.linger),
            margin=clock.nearest(profile.shot_margin),
            lead=clock.nearest(profile.shot_lead),
        )


class Shots:
    """Where shots begin, in ticks, and what a cue must keep from them.

    A cue should not begin shortly before a shot change, nor end shortly before or after one: its end belongs
    two frames before the change. (Netflix's timed text guide; half a second is 12 frames at 24.)
    """

    def __init__(self, shots: Iterable[float], limits: Limits, clock: Clock) -> None:
        self.margin = limits.margin
        self.out = clock.frames(OUT)
        """Ticks before a change at which a cue ends."""
        self._slack = clock.frames(0.49)  # without frames, times are told apart by half a frame
        self._cuts = sorted({clock.nearest(shot) for shot in shots if shot > 0}) if limits.margin else []

    def __bool__(self) -> bool:
        return bool(self._cuts)

    def next_after(self, tick: int) -> int:
        """Return the first change later than a tick; one that never comes if there is none."""
        index = bisect_right(self._cuts, tick)
        return self._cuts[index] if index < len(self._cuts) else NEVER_COMES

    def last_until(self, tick: int) -> int:
        """Return the last change at or before a tick; -1 if there is none."""
        index = bisect_right(self._cuts, tick)
        return self._cuts[index - 1] if index else -1

    def around(self, start: int, end: int, following: int) -> list[int]:
        """Return the changes that the end of a cue is too near to, if the next cue begins at `following`."""
        low = bisect_right(self._cuts, max(end - self.margin, start))
        high = bisect_left(self._cuts, min(end + self.margin, following + 1))
        return [cut for cut in self._cuts[low:high] if abs(cut - self.out - end) > self._slack]

    def begins_badly(self, start: int) -> bool:
        """Whether a change comes so soon after the start that the cue should have waited for it."""
        return self._slack < self.next_after(start) - start < self.margin

    def begins_late(self, start: int) -> bool:
        """Whether a cue begins so soon after a change that it should have come with it, were its words said then."""
        cut = self.last_until(start)
        return cut >= 0 and self._slack < start - cut <= self.margin

    def crossed(self, start: int, end: int) -> int:
        """Count the changes that happen while a cue is shown."""
        return max(bisect_left(self._cuts, end) - bisect_right(self._cuts, start), 0)
