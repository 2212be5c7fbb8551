"""How long a frame is in captions whose video is not at hand: their times tell, where they are those of frames."""

from math import gcd

from subwhisper.subtitles.track import Track

RATES = (24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60000 / 1001, 60.0)
"""Frames a second that video is made in, from the slowest to the fastest."""
_ENOUGH = 12
"""Times it takes: by chance so many lie on frames once in a thousand million."""


def frame_rate_of(track: Track) -> float | None:
    """Find the frame rate on whose frames all cues begin and end.

    Returns:
        The slowest that fits; `None` when none does, when there are too few times to tell, or when they were written
        in steps longer than a frame, such as tenths of a second.
    """
    times = {ms for cue in track.cues for ms in (cue.start_ms, cue.end_ms)}
    if len(times) < _ENOUGH:
        return None
    step = gcd(*times)
    return next(
        (rate for rate in RATES if step <= 1000 / rate + 1 and all(_is_on_frame(ms, rate) for ms in times)), None
    )


def _is_on_frame(ms: int, rate: float) -> bool:
    """Whether a frame begins in this millisecond or within one of it, whichever way it was rounded."""
    return abs(ms - round(ms * rate / 1000) * 1000 / rate) < 1
