"""A rule of the profile is broken only where the words leave no other way."""

from random import Random

import pytest
from word_streams import random_picture, random_transcript

from subwhisper.subtitles.check import check as certify
from subwhisper.subtitles.layout import Picture, Profile, load_profile, set_cue
from subwhisper.subtitles.layout.cohesion import Boundary
from subwhisper.subtitles.layout.joints import joints_of
from subwhisper.subtitles.layout.lines import LineBreaker
from subwhisper.subtitles.layout.pieces import cut_into_pieces
from subwhisper.subtitles.layout.segment import segment
from subwhisper.subtitles.layout.standards import profile_names
from subwhisper.subtitles.layout.timing import Timing, time_cues
from subwhisper.subtitles.track import Track
from subwhisper.transcript import Segment, Transcript, Word

WINDOW = 12
"""Words around a breach among which every other layout is tried."""


def fluent(dice: Random) -> Transcript:
    """Speech as it is: words of all lengths, now hurried, now slow, sentences with pauses between."""
    clock, words = 1.0, []
    for _ in range(dice.randrange(2, 9)):
        pace, length = dice.uniform(11, 26), dice.randrange(1, 16)  # characters a second, words
        for index in range(length):
            text = "".join(dice.choice("aeinorst") for _ in range(min(int(dice.expovariate(0.25)) + 1, 14)))
            text += "." if index == length - 1 else "," if dice.random() < 0.1 else ""
            end = clock + (len(text) + 1) / pace
            words.append(Word(f" {text}", clock, end))
            clock = end + (dice.choice([0.0, 0.2, 0.5, 1.0, 1.9]) if text[-1] in ".," else 0.0)
    return Transcript((Segment(0.0, clock, "", words=tuple(words)),), dice.choice(["en", "fr", "hi"]))


class Bench:
    """The parts of `lay_out`, so that other ways of cutting the same words can be tried."""

    def __init__(self, transcript: Transcript, profile: Profile, picture: Picture) -> None:
        self.limits = profile.in_language(transcript.language)
        self.language, self.picture = transcript.language, picture
        # The layout counts frames at 24 where the film's are not known; the check lets any frame rate pass there.
        self.rules = self.limits if picture.frame_rate else self.limits.changed(min_gap=self.limits.gap_seconds())
        self.pieces = cut_into_pieces(transcript, self.limits.max_line_width)
        self.joints = joints_of(self.pieces, self.language)
        self.breaker = LineBreaker(self.pieces, self.joints, self.limits)
        self.timing = Timing(self.pieces, self.limits, self.language, picture)
        self.cues = segment(self.pieces, self.joints, self.breaker, self.timing, self.limits)

    def fits(self, first: int, last: int) -> bool:
        """Whether these pieces may be one cue: as wide, as long and as connected as the profile wants."""
        turns = self.pieces[last].turn - self.pieces[first].turn
        if turns and not (turns == 1 and self.is_exchange(first, last)):
            return False
        silence = max((joint.pause_ms for joint in self.joints[first:last]), default=0)
        spoken = self.timing.spoken[last] - self.timing.starts[first]
        return first == last or (
            self.breaker.cost(first, last) < float("inf")
            and silence <= self.limits.max_pause * 1000
            and spoken <= self.timing.limits.longest
        )

    def is_exchange(self, first: int, last: int) -> bool:
        """Whether the speakers of these pieces are known and say nothing but whole sentences."""
        known = self.pieces[first].speaker and self.pieces[last].speaker
        marks = [Boundary.SENTENCE, *(joint.mark for joint in self.joints), Boundary.SENTENCE]
        whole = marks[first] is marks[last + 1] is Boundary.SENTENCE
        return bool(known and whole and self.limits.speaker_dash is not None)

    def broken(self, cues: list[tuple[int, int]], first: int, last: int) -> bool:
        """Whether a cue between two pieces breaks a required rule, if everything is cut so."""
        near = [cue for cue in cues if cue[1] >= first - 1 and cue[0] <= last + 1]  # with the cues on both sides
        times = time_cues(self.timing, near)
        rows = [[self.pieces[begin:end] for begin, end in self.breaker.lines(*cue)] for cue in near]
        shown = [set_cue(lines, self.limits, *time) for lines, time in zip(rows, times, strict=True)]
        certificate = certify(Track(tuple(shown)), self.rules, self.picture, language=self.language)
        inside = {number for number, cue in enumerate(near, start=1) if first <= cue[0] and cue[1] <= last}
        return bool(inside & {*certificate.broken})


def way_to_cut(bench: Bench, low: int, high: int) -> list[tuple[int, int]] | None:
    """Another way to cut the words of some cues, by number, that breaks no rule; `None` if there is none.

    When a cue comes and goes hangs on its own words and on where the next one begins, so every way of cutting is tried
    cue by cue.
    """
    first, last = bench.cues[low][0], bench.cues[high][1]
    begun: dict[int, list[tuple[int, int]]] = {first: []}  # where a cue may begin, and the cues before it
    for begin in range(first, last + 1):
        for end in range(begin, last + 1):
            if begin in begun and end + 1 not in begun and bench.fits(begin, end):
                following = bench.cues[high + 1 : high + 2] if end == last else [(end + 1, end + 1)]
                if not bench.broken([(begin, end), *following], begin, end):
                    begun[end + 1] = [*begun[begin], (begin, end)]
    cut = begun.get(last + 1)
    if cut is None or bench.broken(bench.cues[:low] + cut + bench.cues[high + 1 :], first, last):
        return None
    return cut


def window(cues: list[tuple[int, int]], index: int) -> tuple[int, int] | None:
    """The whole cues around one, as many as hold no more than so many pieces."""
    low = high = index
    while True:
        wider = [(low - 1, high), (low, high + 1)]
        wider = [(a, b) for a, b in wider if a >= 0 and b < len(cues) and cues[b][1] - cues[a][0] < WINDOW]
        if not wider:
            break
        low, high = wider[0]
    first, last = cues[low][0], cues[high][1]
    return (low, high) if last - first < WINDOW else None


def unjustified(bench: Bench) -> list[tuple[int, int]] | None:
    """Another way of cutting the words around a broken rule that breaks none; `None` if there is none."""
    for index, cue in enumerate(bench.cues):
        around = window(bench.cues, index) if bench.broken(bench.cues, *cue) else None
        if around and (cut := way_to_cut(bench, *around)):
            return cut
    return None


@pytest.mark.parametrize("seeds", [range(60), pytest.param(range(60, 600), marks=pytest.mark.exhaustive, id="many")])
def test_no_rule_is_broken_that_the_words_allow_to_keep(seeds: range) -> None:
    for seed in seeds:
        dice = Random(seed)
        transcript = dice.choice([random_transcript, fluent, fluent])(dice)
        picture = random_picture(dice)
        profile = load_profile(dice.choice([name for name in profile_names() if name not in {"one-word", "plain"}]))
        bench = Bench(transcript, profile, picture)
        assert unjustified(bench) is None, f"seed {seed}, {profile.name}"
