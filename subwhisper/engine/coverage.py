"""Is all speech in the text? What seems to be missing is listened to again.

The map that says so is not the one which laid the windows (energy where that was Silero, and the other way
round), so speech that the first overlooked is found as well as speech that the decoder skipped. It believes too much,
music for instance; so where it stands alone, a text is taken only if two windows that begin and end at different
moments agree on it, word for word or nearly.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from subwhisper.audio import Span
from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.options import DetectorName, VadOptions
from subwhisper.engine.phrases import plain
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.windows import Window
from subwhisper.transcript import Segment

SHORTEST_HOLE = 1.5
"""Seconds of speech without words that are worth a second look."""
REACH = 0.5
"""Seconds around a word that count as covered by it: times are no better, and people breathe."""
MARGINS = ((1.0, 1.0), (0.3, 0.5))
"""Seconds before and after a hole at which the two windows begin and end."""
AGREEMENT = 0.6
"""Share of words that two windows must have in common."""
SUREST_SILENCE = 0.5
"""Probability of no speech up to which a text is taken on the word of the second map alone."""

ReadAgain = Callable[[Sequence[Window], SpeechMap], list[tuple[Segment, ...]]]
"""Reads windows without context and without sampling; text outside this map of speech is not believed."""


def second_opinion(first: DetectorName) -> VadOptions:
    """The other map: fine-grained, and rather too much than too little."""
    return VadOptions(
        detector="silero" if first == "energy" else "energy",
        threshold=0.35 if first == "energy" else 0.5,
        min_speech_duration_ms=250,
        min_silence_duration_ms=300,
        speech_pad_ms=0,
    )


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the speech has words."""

    speech: float = 0.0
    """Seconds."""
    missing: float = 0.0
    """Seconds of it in holes that stayed open."""
    n_repaired: int = 0
    n_open: int = 0

    @property
    def share(self) -> float:
        """Of the speech that has words, 0 to 1; 1 where nobody speaks."""
        return 1.0 - self.missing / self.speech if self.speech else 1.0

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "speech_seconds": round(self.speech, 2),
            "covered": round(self.share, 4),
            "holes_repaired": self.n_repaired,
            "holes_open": self.n_open,
        }


class Audit:
    """Follows the reading of a recording, and fills the holes behind it."""

    def __init__(
        self, speech: SpeechMap, second: SpeechMap, clips: Iterable[Span], window_frames: int, read_again: ReadAgain
    ) -> None:
        """Begin a recording.

        Args:
            speech: the map that laid the windows.
            second: the map that checks it.
            clips: the parts that are read.
            window_frames: frames of the longest window.
            read_again: how holes are read.
        """
        self._speech, self._second, self._clips = speech, second, tuple(clips)
        self._window_frames, self._read_again = window_frames, read_again
        self._until = 0.0
        self._before: tuple[Segment, ...] = ()
        self.coverage = Coverage()

    def checked(self, segments: Sequence[Segment], until: float) -> list[Segment]:
        """Add to the segments of a stretch, which ends at this second, what was missing in it."""
        bounds = Span(self._until, max(self._until, until))
        covered = [span for segment in (*self._before, *segments) for span in _covered_by(segment)]
        found = list(segments)
        for clip in self._clips:
            inside = clip.clipped(bounds)
            self._count(sum(self._second.seconds_in(span) for span in self._speech.within(inside)))
            for hole in holes(self._second, covered, inside):
                found += self._filled(hole, clip)
        self._until, self._before = bounds.end, tuple(segments[-3:])
        return sorted(found, key=lambda segment: segment.start)

    def _filled(self, hole: Span, clip: Span) -> tuple[Segment, ...]:
        """What is said in a hole, and the books kept of it."""
        is_known = self._speech.seconds_in(hole) > hole.duration / 2
        words = tuple(segment for part in self._parts(hole) for segment in self._heard_in(part, clip, is_known))
        if words:
            self._count(0.0 if is_known else hole.duration, n_repaired=1)
        elif is_known:
            self._count(missing=hole.duration, n_open=1)
        return words

    def _parts(self, hole: Span) -> list[Span]:
        longest = self._window_frames / FRAMES_PER_SECOND - sum(MARGINS[0])
        n_parts = int(hole.duration // longest) + 1
        edges = [hole.start + hole.duration * at / n_parts for at in range(n_parts + 1)]
        return [Span(first, end) for first, end in pairwise(edges)]

    def _heard_in(self, hole: Span, clip: Span, is_known: bool) -> tuple[Segment, ...]:
        windows = [_window(hole, margins, clip, self._window_frames) for margins in MARGINS]
        evidence = self._speech if is_known else self._second
        first, second = (within(segments, hole) for segments in self._read_again(windows, evidence))
        if is_known:
            return _noted(filter(_is_believable, first or second), hole)
        return _noted(first, hole) if agree(first, second) and all(map(_is_sure, first)) else ()

    def _count(self, speech: float = 0.0, *, missing: float = 0.0, n_repaired: int = 0, n_open: int = 0) -> None:
        so_far = self.coverage
        self.coverage = Coverage(
            so_far.speech + speech,
            so_far.missing + missing,
            so_far.n_repaired + n_repaired,
            so_far.n_open + n_open,
        )


def holes(speech: SpeechMap, covered: Sequence[Span], bounds: Span) -> list[Span]:
    """Stretches of speech without words, from the first of them to the last."""
    bare = [part for span in speech.within(bounds) for part in _without(span, covered)]
    return [hole for hole in SpeechMap(bare).joined(REACH).spans if hole.duration >= SHORTEST_HOLE]


def within(segments: Iterable[Segment], hole: Span) -> tuple[Segment, ...]:
    """What is said in a hole: words around it have been heard before."""
    inside = []
    for segment in segments:
        if not segment.words:
            if hole.start <= (segment.start + segment.end) / 2 <= hole.end:
                inside.append(segment)
            continue
        words = tuple(word for word in segment.words if hole.start <= (word.start + word.end) / 2 <= hole.end)
        if words:
            text = "".join(word.text for word in words)
            tokens = segment.tokens if words == segment.words else ()
            start, end = words[0].start, words[-1].end
            inside.append(replace(segment, start=start, end=end, text=text, tokens=tokens, words=words))
    return tuple(inside)


def agree(first: Sequence[Segment], second: Sequence[Segment]) -> bool:
    """Decide whether two hearings of a hole say the same, and more than a word."""
    one, other = ([plain(word) for segment in heard for word in segment.text.split()] for heard in (first, second))
    return min(len(one), len(other)) > 1 and SequenceMatcher(None, one, other, autojunk=False).ratio() >= AGREEMENT


def _is_sure(segment: Segment) -> bool:
    quality = segment.quality
    return quality is not None and quality.no_speech_prob < SUREST_SILENCE and quality.avg_logprob > -0.7


def _is_believable(segment: Segment) -> bool:
    quality = segment.quality
    return quality is not None and quality.avg_logprob > -1.0 and quality.compression_ratio <= 2.4


def _covered_by(segment: Segment) -> list[Span]:
    stretches = [(word.start, word.end) for word in segment.words] or [(segment.start, segment.end)]
    return [Span(max(0.0, start - REACH), max(start, end) + REACH) for start, end in stretches]


def _without(span: Span, covered: Sequence[Span]) -> list[Span]:
    """The parts of a span that lie in none of the others."""
    parts, start = [], span.start
    for other in sorted(covered):
        if other.end <= start or other.start >= span.end:
            continue
        if other.start > start:
            parts.append(Span(start, other.start))
        start = other.end
    return [*parts, Span(start, span.end)] if start < span.end else parts


def _window(hole: Span, margins: tuple[float, float], clip: Span, longest: int) -> Window:
    wider = Span(max(0.0, hole.start - margins[0]), hole.end + margins[1]).clipped(clip)
    first, end = (round(time * FRAMES_PER_SECOND) for time in (wider.start, wider.end))
    return Window(first, min(longest, max(1, end - first)))


def _noted(segments: Iterable[Segment], hole: Span) -> tuple[Segment, ...]:
    note = f"found by listening again to {hole.duration:.1f} s without words"
    return tuple(
        replace(segment, quality=replace(segment.quality, notes=(*segment.quality.notes, note)))
        if segment.quality
        else segment
        for segment in segments
    )
