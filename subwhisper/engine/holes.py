"""Stretches of speech without words: where they are, the windows laid over them, and what of a window is theirs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from subwhisper.audio import Span
from subwhisper.engine.batched import LONGEST_STRETCH, pack
from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.windows import Window
from subwhisper.transcript import Segment

SHORTEST_HOLE = 1.5
"""Seconds of speech without words that are worth a second look."""
REACH = 0.5
"""Seconds around a word that count as covered by it: times are no better, and people breathe."""
WIDE, CLOSE = (1.0, 1.0), (0.3, 0.5)
"""Seconds before and after a hole at which a window begins and ends, the first time and the second."""
_STEP = 20  # frames by which edges must differ


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said somewhere, and the same in English where both are asked for."""

    segments: tuple[Segment, ...] = ()
    translation: tuple[Segment, ...] = ()

    def within(self, hole: Span) -> Self:
        """What is said in a hole: words around it have been heard before."""
        return replace(self, segments=within(self.segments, hole), translation=within(self.translation, hole))


def in_order(heard: Iterable[Heard]) -> Heard:
    """Everything that was heard, in the order in which it is said."""
    several = list(heard)
    texts = ([one.segments for one in several], [one.translation for one in several])
    return Heard(*(tuple(sorted((s for part in text for s in part), key=lambda s: s.start)) for text in texts))


def holes(speech: SpeechMap, covered: Sequence[Span], bounds: Span, longest: float) -> list[Span]:
    """Stretches of speech without words, from the first of them to the last.

    Args:
        speech: a map that misses little.
        covered: where there are words.
        bounds: where to look.
        longest: seconds; a longer hole counts as several.
    """
    bare = [part for span in speech.within(bounds) for part in _without(span, covered)]
    found = [hole for hole in SpeechMap(bare).joined(REACH) if hole.duration >= SHORTEST_HOLE]
    return [part for hole in found for part in _parts(hole, longest)]


def covered_by(segment: Segment) -> list[Span]:
    """Where a segment has words, or would have them."""
    stretches = [(word.start, word.end) for word in segment.words] or [(segment.start, segment.end)]
    return [Span(max(0.0, start - REACH), max(start, end) + REACH) for start, end in stretches]


def neighbours(found: Iterable[Span]) -> Iterator[list[Span]]:
    """Holes that lie so close together that their sound can be kept at hand."""
    near: list[Span] = []
    for hole in found:
        if near and hole.end - near[0].start > LONGEST_STRETCH:
            yield near
            near = []
        near.append(hole)
    if near:
        yield near


def window_over(hole: Span, clip: Span, longest: int, *, unlike: Window | None = None) -> Window:
    """A window for one hole alone.

    Args:
        hole: shorter than a window.
        clip: the window does not leave it.
        longest: frames of a window.
        unlike: begin and end elsewhere than this one.
    """
    before, after = WIDE if unlike is None else CLOSE
    wider = Span(max(0.0, hole.start - before), hole.end + after).clipped(clip)
    first, end = (round(time * FRAMES_PER_SECOND) for time in (wider.start, wider.end))
    if unlike is not None and end - first > 4 * _STEP:  # at the edges of a clip there may be no room outside
        first += _STEP if first == unlike.first else 0
        end -= _STEP if end == unlike.end_frame else 0
    return Window(first, min(longest, max(1, end - first)))


def windows_over(found: Sequence[Span], clip: Span, longest: int) -> dict[Window, tuple[Span, ...]]:
    """As few windows as possible for holes that are neighbours, and which holes each is for."""
    edges = (round(clip.start * FRAMES_PER_SECOND), round(clip.end * FRAMES_PER_SECOND))
    wider = [Span(max(0.0, hole.start - WIDE[0]), hole.end + WIDE[1]) for hole in found]
    laid: dict[Window, tuple[Span, ...]] = {}
    waiting = list(found)
    for window in pack(wider, [edges], longest):
        inside = [hole for hole in waiting if hole.end * FRAMES_PER_SECOND <= window.end_frame + 1]
        waiting = waiting[len(inside) :]
        if inside:
            laid[window] = tuple(inside)
    return laid


def within(segments: Iterable[Segment], hole: Span) -> tuple[Segment, ...]:
    """The part of segments that is said in a hole."""
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


def _parts(hole: Span, longest: float) -> list[Span]:
    n_parts = int(hole.duration // longest) + 1
    edges = [hole.start + hole.duration * at / n_parts for at in range(n_parts + 1)]
    return [Span(first, end) for first, end in pairwise(edges)]


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
