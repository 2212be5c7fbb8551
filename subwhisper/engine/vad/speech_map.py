"""Where in a recording someone speaks, and how to ask for it."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from subwhisper.audio import Span


class SpeechMap:
    """Spans in order, none of which overlaps another; kept as bare numbers, since a long day has tens of thousands."""

    def __init__(self, spans: Iterable[Span]) -> None:
        """Take them as a detector gives them."""
        self._starts, self._ends = array("d"), array("d")
        for span in spans:
            self._starts.append(span.start)
            self._ends.append(span.end)

    def __iter__(self) -> Iterator[Span]:
        return map(Span, self._starts, self._ends)

    def within(self, bounds: Span) -> Iterator[Span]:
        """The parts of spans that lie in `bounds`."""
        first, stop = bisect_right(self._ends, bounds.start), bisect_left(self._starts, bounds.end)
        for start, end in zip(self._starts[first:stop], self._ends[first:stop], strict=True):
            yield Span(start, end).clipped(bounds)

    def seconds_in(self, bounds: Span) -> float:
        """How much speech there is in `bounds`."""
        return sum(span.duration for span in self.within(bounds))

    def joined(self, longest_pause: float) -> "SpeechMap":
        """The same with pauses of up to so many seconds filled in."""
        joined: list[Span] = []
        for span in self:
            if joined and span.start - joined[-1].end <= longest_pause:
                joined[-1] = Span(joined[-1].start, span.end)
            else:
                joined.append(span)
        return SpeechMap(joined)
