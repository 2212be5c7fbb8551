"""Where in a recording someone speaks, and how to ask for it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from subwhisper.audio import Span


class SpeechMap:
    """Spans in order, none of which overlaps another."""

    def __init__(self, spans: Iterable[Span]) -> None:
        """Take them as a detector gives them."""
        self.spans = tuple(spans)
        self._starts = [span.start for span in self.spans]
        self._ends = [span.end for span in self.spans]

    def within(self, bounds: Span) -> Iterator[Span]:
        """The parts of spans that lie in `bounds`."""
        for span in self.spans[bisect_right(self._ends, bounds.start) : bisect_left(self._starts, bounds.end)]:
            yield span.clipped(bounds)

    def seconds_in(self, bounds: Span) -> float:
        """How much speech there is in `bounds`."""
        return sum(span.duration for span in self.within(bounds))

    def joined(self, longest_pause: float) -> "SpeechMap":
        """The same with pauses of up to so many seconds filled in."""
        joined: list[Span] = []
        for span in self.spans:
            if joined and span.start - joined[-1].end <= longest_pause:
                joined[-1] = Span(joined[-1].start, span.end)
            else:
                joined.append(span)
        return SpeechMap(joined)
