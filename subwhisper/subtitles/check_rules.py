"""The rules captions are checked by, one function each: which cues break it, how, and why where that is known.

Cues that the layout made know when their words are said. A rule that those words made impossible to keep is
still broken, but its finding names the cause and what was chosen instead.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from subwhisper.subtitles.check_frames import RATES
from subwhisper.subtitles.layout.cohesion import BAD, Boundary, boundary, tie
from subwhisper.subtitles.layout.frames import NEVER_COMES, Clock, Limits, Picture, Shots
from subwhisper.subtitles.layout.phrases import has_phrases, inside_phrase
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.script import display_width, is_spaceless, join, reading_length, split_spaceless
from subwhisper.subtitles.track import Cue, Track

ORPHAN = 5
"""A line is an orphan below this share of the width, beside longer ones."""
TOP_HEAVY = 2
"""A first line is too long at so many times the length of the last."""
RUNNING_ON_MS = 500
"""Between two cues with less silence than this, the sentence runs on."""


_DASHES = ("-", "–", "—")
"""Of speakers; they are no words."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One cue that breaks a rule."""

    index: int
    """Of the cue, from 0."""
    what: str
    cause: str | None = None
    """Why it could not be kept, and what was chosen; `None` when that is not known."""


class Context:
    """What the rules look at: a track, with its times in ticks of the picture."""

    def __init__(self, track: Track, profile: Profile, picture: Picture, language: str) -> None:
        self.cues: Sequence[Cue] = track.cues
        self.profile, self.language = profile, language
        self.clock = clock = Clock(picture.frame_rate)
        self.limits = Limits.of(profile, clock)
        self.shots = Shots(picture.shots, self.limits, clock)
        self.gaps_allowed = _gaps_allowed(profile, picture, self.limits)
        self.starts = [clock.nearest(cue.start_ms / 1000) for cue in track.cues]
        self.ends = [clock.nearest(cue.end_ms / 1000) for cue in track.cues]

    def gaps(self) -> Iterator[tuple[int, int]]:
        """Every cue but the last, with the ticks from its end to the next cue."""
        for index, (end, start) in enumerate(zip(self.ends, self.starts[1:], strict=False)):
            yield index, start - end

    def seconds(self, ticks: int) -> str:
        frames = "" if self.clock.per_frame != 1 else f" ({ticks} frames)"
        return f"{ticks / self.clock.per_second:.3f} s{frames}"


def _gaps_allowed(profile: Profile, picture: Picture, limits: Limits) -> tuple[int, int]:
    """The smallest gap and the longest that counts as that, in ticks.

    They differ where the gap is so many frames of an unknown length.
    """
    if profile.gap_frames is None or picture.frame_rate:
        return limits.gap, limits.gap
    return profile.gap_frames * 1000 // round(RATES[-1]), -(-profile.gap_frames * 1000 // int(RATES[0]))


@dataclass(frozen=True, slots=True)
class Rule:
    """What captions must keep, or should."""

    name: str
    title: str
    limit: Callable[[Context], str | None]
    """In words; `None` when the profile does not have it."""
    breaches: Callable[[Context], Iterator[Breach]]
    required: bool = True
    """Advice does not decide whether the captions pass."""


def _line_count(at: Context) -> Iterator[Breach]:
    for index, cue in enumerate(at.cues):
        if len(cue.lines) > at.profile.max_lines:
            yield Breach(index, f"{len(cue.lines)} lines")


def _line_width(at: Context) -> Iterator[Breach]:
    for index, cue in enumerate(at.cues):
        widest = max(cue.lines, key=display_width)
        if (width := display_width(widest)) > at.profile.max_line_width:
            yield Breach(index, f"{width} columns", _one_word(widest))


def _one_word(line: str) -> str | None:
    return "it is one word, kept whole" if " " not in line and len(split_spaceless(line)) == 1 else None


def _words_per_line(at: Context) -> Iterator[Breach]:
    limit = at.profile.max_words_per_line or 0
    for index, cue in enumerate(at.cues):
        placed = [sum(word.line == number for word in cue.words) for number in range(len(cue.lines))]
        most = max(placed if cue.words else (len(line.split()) for line in cue.lines))
        if most > limit:
            yield Breach(index, f"{most} words on a line")


def _reading_speed(at: Context) -> Iterator[Breach]:
    for index, cue in enumerate(at.cues):
        length = reading_length(join(cue.lines), at.language)
        if speed := _too_fast(at, index, length, at.profile.reading_speed or 0):
            yield Breach(index, f"{speed:.1f} characters a second", _haste(at, index, length, "characters a second"))


def _words_per_minute(at: Context) -> Iterator[Breach]:
    for index, cue in enumerate(at.cues):
        words = sum(word not in _DASHES for word in cue.text.split())
        if speed := _too_fast(at, index, words, (at.profile.words_per_minute or 0) / 60):
            yield Breach(index, f"{speed * 60:.0f} words a minute", _haste(at, index, words * 60, "words a minute"))


def _too_fast(at: Context, index: int, amount: float, limit: float) -> float | None:
    """The speed, if it is above the limit by more than the rounding of the times."""
    cue = at.cues[index]
    shown = (cue.duration_ms + 1) / 1000
    return amount * 1000 / cue.duration_ms if amount > shown * limit + 1e-6 else None


def _haste(at: Context, index: int, amount: float, unit: str) -> str | None:
    cue = at.cues[index]
    if not cue.words:
        return None
    spoken = max(cue.words[-1].end_ms - cue.words[0].start_ms, 1) / 1000
    return f"said at {amount / spoken:.0f} {unit}; the words are kept, and {_until(at, index)}"


def _until(at: Context, index: int) -> str:
    if index + 1 == len(at.cues):
        return "shown as long after the last word as may be"
    after = at.cues[index + 1].start_ms - at.cues[index].end_ms
    if after <= round(at.profile.chain_below * 1000):
        return "shown until the next words come"
    return "shown as long after the last word as may be"


def _min_duration(at: Context) -> Iterator[Breach]:
    for index in range(len(at.cues)):
        shown = at.ends[index] - at.starts[index]
        if shown < at.limits.shortest:
            yield Breach(index, f"{at.seconds(shown)} on screen", _crowd(at, index))


def _max_duration(at: Context) -> Iterator[Breach]:
    for index in range(len(at.cues)):
        shown = at.ends[index] - at.starts[index]
        if shown > at.limits.longest:
            yield Breach(index, f"{at.seconds(shown)} on screen")


def _gap(at: Context) -> Iterator[Breach]:
    for index, gap in at.gaps():
        if 0 <= gap < at.gaps_allowed[0]:
            yield Breach(index, f"{at.seconds(gap)} before the next", _crowd(at, index))


def _crowd(at: Context, index: int) -> str | None:
    if index + 1 == len(at.cues) or not at.cues[index].words:
        return None
    room = at.cues[index + 1].start_ms - at.cues[index].start_ms
    return f"the next words, which do not fit in, come {room / 1000:.3f} s after its own"


def _overlap(at: Context) -> Iterator[Breach]:
    for index, (cue, following) in enumerate(pairwise(at.cues)):
        if (ms := cue.end_ms - following.start_ms) > 0:
            yield Breach(index, f"still shown for {ms / 1000:.3f} s when the next begins")


def _flicker(at: Context) -> Iterator[Breach]:
    for index, gap in at.gaps():
        if at.gaps_allowed[1] < gap < at.limits.chain and not at.shots.crossed(
            at.ends[index] - 1, at.starts[index + 1] + 1
        ):
            yield Breach(
                index, f"{at.seconds(gap)} before the next: too short to be seen as a gap", _cannot_chain(at, index)
            )


def _cannot_chain(at: Context, index: int) -> str | None:
    if at.cues[index].words and at.ends[index] - at.starts[index] >= at.limits.longest:
        return "it is on screen as long as may be"
    return None


def _shot_changes(at: Context) -> Iterator[Breach]:
    starts = [*at.starts, NEVER_COMES]
    for index, (start, end) in enumerate(zip(at.starts, at.ends, strict=True)):
        said = bool(at.cues[index].words)
        if at.shots.begins_badly(start):
            ahead = at.shots.next_after(start) - start
            cause = "its words begin there" if said else None
            yield Breach(index, f"begins {at.seconds(ahead)} before a shot change", cause)
        elif cuts := at.shots.around(start, end, starts[index + 1]):
            distance = end - cuts[0]
            where = "after" if distance > 0 else "before"
            cause = "speech goes on across the change, or there is no time to read it" if said else None
            yield Breach(index, f"ends {at.seconds(abs(distance))} {where} a shot change", cause)


def _late_starts(at: Context) -> Iterator[Breach]:
    for index, start in enumerate(at.starts):
        if at.shots.begins_late(start):
            behind = start - at.shots.last_until(start)
            cause = "its words begin there" if at.cues[index].words else None
            yield Breach(index, f"begins {at.seconds(behind)} after a shot change", cause)


def _line_breaks(at: Context) -> Iterator[Breach]:
    for index, cue in enumerate(at.cues):
        for above, below in pairwise(cue.lines):
            if reason := _parted(above, below, at.language):
                yield Breach(index, f"a line ends {reason}: {above.split()[-1]} | {below.split()[0]}")
                break


def _cue_breaks(at: Context) -> Iterator[Breach]:
    for index, (cue, following) in enumerate(pairwise(at.cues)):
        if following.start_ms - cue.end_ms >= RUNNING_ON_MS:
            continue
        if reason := _parted(cue.lines[-1], following.lines[0], at.language):
            yield Breach(index, f"it ends {reason}: {cue.lines[-1].split()[-1]} | {following.lines[0].split()[0]}")


def _parted(above: str, below: str, language: str) -> str | None:
    """What belongs together and stands on both sides of a break."""
    before, after = above.split()[-1], below.split()[0]
    if boundary(before, after) is not Boundary.NOTHING:
        return None
    if is_spaceless(before[-1]) and is_spaceless(after[0]) and has_phrases(language):
        return "within a phrase" if inside_phrase([before, after], language)[1] else None
    bond = tie(before, after, language.split("-")[0].lower())
    return bond.reason if bond.cost >= BAD else None


def _shape(at: Context) -> Iterator[Breach]:
    for index, cue in enumerate(at.cues):
        widths = [display_width(line) for line in cue.lines]
        if len(widths) < 2 or _is_dialogue(cue):
            continue
        if min(widths) * ORPHAN < at.profile.max_line_width and max(widths) * 2 > at.profile.max_line_width:
            yield Breach(index, f"a line of {min(widths)} columns stands beside one of {max(widths)}")
        elif widths[0] > widths[-1] * TOP_HEAVY:
            yield Breach(index, f"the first line is {widths[0]} columns, the last {widths[-1]}")


def _is_dialogue(cue: Cue) -> bool:
    """Whether each line is of another speaker."""
    return len(cue.voices) > 1 or (len(cue.lines) > 1 and cue.lines[-1].startswith(_DASHES))


def _sentences(at: Context) -> Iterator[Breach]:
    for index, cue in enumerate(at.cues):
        words = cue.text.split()
        inside = sum(boundary(before, after) is Boundary.SENTENCE for before, after in pairwise(words))
        if inside:
            yield Breach(index, f"{inside + 1} sentences")


def _at_most(value: float | None, unit: str) -> str | None:
    return None if value is None else f"at most {value:g} {unit}"


def _at_least(value: float, what: str = "") -> str | None:
    return f"at least {value:.4g} s{what}" if value > 0 else None


def _gap_limit(at: Context) -> str | None:
    frames, (shortest, longest) = at.profile.gap_frames, at.gaps_allowed
    seconds = shortest / at.clock.per_second
    if frames is None:
        return _at_least(seconds)
    unknown = " at 60 a second: how long one is here is not known" if shortest < longest else ""
    return f"at least {frames} frames ({seconds:.3f} s{unknown})"


RULES = (
    Rule("overlap", "One cue at a time", lambda at: "no overlap", _overlap),
    Rule("line-count", "Lines", lambda at: _at_most(at.profile.max_lines, "lines"), _line_count),
    Rule("line-width", "Line length", lambda at: _at_most(at.profile.max_line_width, "columns"), _line_width),
    Rule(
        "words-per-line",
        "Words on a line",
        lambda at: _at_most(at.profile.max_words_per_line, "words"),
        _words_per_line,
    ),
    Rule(
        "reading-speed",
        "Reading speed",
        lambda at: _at_most(at.profile.reading_speed, "characters a second"),
        _reading_speed,
    ),
    Rule(
        "words-per-minute",
        "Reading speed",
        lambda at: _at_most(at.profile.words_per_minute, "words a minute"),
        _words_per_minute,
    ),
    Rule("min-duration", "Shortest time", lambda at: _at_least(at.profile.min_duration), _min_duration),
    Rule("max-duration", "Longest time", lambda at: _at_most(at.profile.max_duration, "s"), _max_duration),
    Rule("gap", "Gap", _gap_limit, _gap),
    Rule(
        "flicker",
        "Short gaps closed",
        lambda at: f"none up to {at.profile.chain_below:g} s" if at.limits.chain > at.limits.gap else None,
        _flicker,
    ),
    Rule(
        "shots",
        "Shot changes",
        lambda at: f"kept, or {at.profile.shot_margin:g} s away" if at.shots else None,
        _shot_changes,
    ),
    Rule(
        "late-starts",
        "Starts with the shot",
        lambda at: f"on a shot change, or more than {at.profile.shot_margin:g} s after it" if at.shots else None,
        _late_starts,
        required=False,
    ),
    Rule("line-breaks", "Line breaks", lambda at: "what belongs together stays together", _line_breaks, required=False),
    Rule(
        "cue-breaks",
        "Breaks between cues",
        lambda at: "what belongs together stays together",
        _cue_breaks,
        required=False,
    ),
    Rule(
        "shape",
        "Shape",
        lambda at: "no orphans, no heavy tops" if at.profile.max_lines > 1 else None,
        _shape,
        required=False,
    ),
    Rule(
        "sentences",
        "Sentences",
        lambda at: "one in each cue" if at.profile.one_sentence else None,
        _sentences,
        required=False,
    ),
)
