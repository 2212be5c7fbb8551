"""When a cue appears and goes.

It appears with its first word. It stays until its last word ends, longer where that helps it to be
read, and makes way for the next cue with the minimum gap between. A gap that would be shorter
than half a second but longer than the minimum flickers, so it is closed to the minimum.
"""

from collections.abc import Sequence

from subwhisper.subtitles.layout.pieces import Piece
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.track import to_ms

FLICKER_MS = 500
"""Gaps below this are closed; Netflix: chaining (12 frames at 24 a second)."""


def time_cues(
    pieces: Sequence[Piece], cues: Sequence[tuple[int, int]], profile: Profile, language: str
) -> list[tuple[int, int]]:
    """Return start and end in milliseconds of each cue, given as first and last index of its pieces.

    Starts are those of the first pieces. Cues never overlap and always end after they start; none lasts
    longer than the maximum. The minimum duration and the gap give way where words follow too closely.
    """
    speed = profile.speed_for(language)
    shortest, longest = to_ms(profile.min_duration), to_ms(profile.max_duration)
    linger, gap = to_ms(profile.linger), to_ms(profile.min_gap)
    times = []
    for index, (first, last) in enumerate(cues):
        start, spoken = pieces[first].start_ms, pieces[last].end_ms
        readable = start + round(characters(pieces, first, last) / speed * 1000)
        end = max(spoken, start + shortest, min(readable, spoken + linger))
        if index + 1 < len(cues):
            following = pieces[cues[index + 1][0]].start_ms
            latest = following - min(gap, (following - start) // 2)  # crowded words: half the room, not none
            end = latest if following - end < FLICKER_MS else end
        times.append((start, max(min(end, start + longest), start + 1)))
    return times


def characters(pieces: Sequence[Piece], first: int, last: int) -> int:
    """Count characters as reading speed does: spaces count."""
    return sum(len(pieces[index].text) + pieces[index].spaced for index in range(first, last + 1))
