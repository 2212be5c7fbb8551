"""When a cue appears and goes.

It appears with its first word, on the first frame that is not before the sound; where a shot begins a third of a
second later or less, with the shot. Netflix also wants a cue that would appear up to half a second after a shot change
to appear on it, and one that would appear less than half a second before one to appear half a second before. That shows
words before they are said, so it is done by `Profile.shot_lead` only, and never into the words before.

It stays until its last word ends, longer where that helps it to be
read, and makes way for the next cue with the minimum gap between. A gap that would be longer than the minimum
but shorter than `Profile.chain_below` flickers, so it is closed. An end near a shot change is moved to two frames
before it, or else well past it.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import ceil

from subwhisper.subtitles.layout.frames import NEVER_COMES, NO_PICTURE, Clock, Limits, Picture, Shots
from subwhisper.subtitles.layout.pieces import Piece
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.script import reading_length

CUT_INTO = 3
"""Frames of the last word that may be lost to end a cue with its shot."""


class Timing:
    """Start and end of any cue of the pieces it was made for, in ticks of `clock`."""

    def __init__(self, pieces: Sequence[Piece], profile: Profile, language: str, picture: Picture = NO_PICTURE) -> None:
        self.clock = clock = Clock(picture.frame_rate)
        self.limits = limits = Limits.of(profile, clock)
        self.shots = Shots(picture.shots, limits, clock)
        self.begins = [clock.at_or_after(piece.start_ms) for piece in pieces]
        self.spoken = [
            max(clock.at_or_after(piece.end_ms), begin + 1) for piece, begin in zip(pieces, self.begins, strict=True)
        ]
        self._cut_into = clock.frames(CUT_INTO)
        self.starts = list(self._with_shots()) if self.shots else list(self.begins)
        self.starts.append(NEVER_COMES)
        lengths = [reading_length(piece.text, language) for piece in pieces]
        space = reading_length(" ", language)
        self._spaces = [space * piece.spaced for piece in pieces]
        self._characters = list(
            accumulate((length + gap for length, gap in zip(lengths, self._spaces, strict=True)), initial=0.0)
        )
        self._words = list(accumulate((piece.spaced for piece in pieces), initial=0))
        self._spaced = [piece.spaced for piece in pieces]
        self._per_character = clock.per_second / profile.reading_speed if profile.reading_speed else 0.0
        self._per_word = clock.per_second * 60 / profile.words_per_minute if profile.words_per_minute else 0.0
        self._turns = [piece.turn for piece in pieces]
        self._dashes = sum(reading_length(profile.dash(line), language) for line in range(2))

    def characters(self, first: int, last: int) -> float:
        """Count what is read, spaces and the dashes of two speakers included."""
        read = self._characters[last + 1] - self._characters[first] - self._spaces[first]
        return read if self._turns[first] == self._turns[last] else read + self._dashes

    def reading_time(self, first: int, last: int) -> float:
        """Return the ticks it takes to read these pieces at the profile's speed; 0 without a limit."""
        needed = self._per_character * self.characters(first, last) if self._per_character else 0.0
        if not self._per_word:
            return needed
        words = self._words[last + 1] - self._words[first] + (not self._spaced[first])
        return max(needed, self._per_word * words)

    def end(self, start: int, last: int, following: int, needed: float) -> int:
        """Return when a cue goes.

        Args:
            start: when it appears.
            last: its last piece.
            following: when the next one appears, which is later.
            needed: ticks it takes to read.
        """
        limits, spoken, readable = self.limits, self.spoken[last], start + needed
        end = max(spoken, start + limits.shortest)
        if readable > end:
            end = max(end, min(ceil(readable), spoken + limits.linger))
        longest = start + limits.longest
        latest = min(following - min(limits.gap, (following - start) // 2), longest)  # crowded words: half the room
        if end > latest or following - end < limits.chain:
            end = latest
        if self.shots:
            end = self._near_shot(start, end, spoken, latest, following, readable)
        return max(end, start + 1)

    def _with_shots(self) -> Iterator[int]:
        """When a cue that begins with each piece appears."""
        start = 0
        for begin, silent_from in zip(self.begins, [0, *self.spoken], strict=False):
            earliest = max(begin - self.limits.lead, silent_from - self._cut_into, start + 1)
            start = self._with_shot(begin, min(earliest, begin))
            yield start

    def _with_shot(self, begin: int, earliest: int) -> int:
        following, cut = self.shots.next_after(begin), self.shots.last_until(begin)
        if following - begin <= self.limits.margin * 2 // 3:
            return following
        if cut >= earliest:
            return cut
        away = following - self.limits.margin
        return away if earliest <= away < begin else begin

    def _near_shot(self, start: int, end: int, spoken: int, latest: int, following: int, readable: float) -> int:
        """Move an end that is near a shot change to where it belongs, where words and reading allow."""
        shots = self.shots
        for cut in shots.around(start, end, following):
            before, after = cut - shots.out, cut + shots.margin
            choices = []
            if spoken <= cut + self._cut_into and start < before <= latest:
                choices.append(before)
            if after <= latest and after <= spoken + max(self.limits.linger, shots.margin):
                choices.append(latest if following - after < self.limits.chain else after)
            wanted = min(max(start + self.limits.shortest, readable), end)  # do not make worse what is bad
            if good := [choice for choice in choices if choice >= wanted]:
                return good[0]
        return end


def time_cues(timing: Timing, cues: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return start and end in milliseconds of each cue, given as first and last index of its pieces.

    Cues never overlap and always end after they start; none lasts longer than the maximum, none starts before
    its first piece. The minimum duration and the gap give way where words follow too closely.
    """
    starts: list[int] = []
    earliest = 0
    for index, (first, _) in enumerate(cues):
        start = timing.starts[first]
        if index + 1 < len(cues) and timing.starts[cues[index + 1][0]] <= start:
            start = timing.begins[first]  # it cannot wait for its shot
        starts.append(max(start, earliest))
        earliest = starts[-1] + 1
    starts.append(NEVER_COMES)
    ms = timing.clock.ms
    return [
        (ms(start), ms(timing.end(start, last, following, timing.reading_time(first, last))))
        for (first, last), (start, following) in zip(cues, pairwise(starts), strict=True)
    ]
