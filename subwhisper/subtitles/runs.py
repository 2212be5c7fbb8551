"""Marked text in one row, as markup languages have it, to and from the lines and spans of a cue.

Readers collect runs and `compose` them; writers `decompose` a cue line by line.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Generic, TypeVar

from subwhisper.subtitles.markup import PLAIN, CueSpan, Style
from subwhisper.subtitles.script import clean
from subwhisper.subtitles.track import Cue, CueWord

Stretch = TypeVar("Stretch", bound=CueSpan | CueWord)


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text with the same marks throughout."""

    text: str
    """May hold line feeds while it is being collected."""
    style: Style = PLAIN
    voice: str | None = None
    ruby: str | None = None
    language: str | None = None
    said: tuple[int, int] | None = None
    """When, in milliseconds."""

    @property
    def is_marked(self) -> bool:
        return self.style != PLAIN or bool(self.voice or self.ruby or self.language)

    def alike(self, other: "Run") -> bool:
        """Whether both have the same marks, times aside."""
        return (self.style, self.voice, self.ruby, self.language) == (
            other.style,
            other.voice,
            other.ruby,
            other.language,
        )


@dataclass(frozen=True, slots=True)
class Composed:
    """What a cue is made of."""

    lines: tuple[str, ...]
    spans: tuple[CueSpan, ...] = ()
    words: tuple[CueWord, ...] = ()


def compose(runs: Iterable[Run]) -> Composed:
    """Set runs in lines: white space becomes single spaces, none at the ends of a line, and blank lines go."""
    lines: list[str] = []
    spans: list[CueSpan] = []
    words: list[CueWord] = []
    for row in _rows(runs):
        text, pieces = _row(row)
        left, right = len(text) - len(text.lstrip()), len(text.rstrip())
        if left >= right:
            continue
        cut = [(run, max(first, left) - left, min(stop, right) - left) for run, first, stop in pieces]
        cut = [(run, first, stop) for run, first, stop in cut if first < stop]
        line = text[left:right]
        spans += _spans(cut, len(lines))
        words += _words(cut, len(lines), line)
        lines.append(line)
    return Composed(tuple(lines), tuple(spans), tuple(words))


def _rows(runs: Iterable[Run]) -> Iterator[list[Run]]:
    row: list[Run] = []
    for run in runs:
        first, *others = run.text.split("\n")
        row.append(replace(run, text=first))
        for text in others:
            yield row
            row = [replace(run, text=text)]
    yield row


def _row(row: Iterable[Run]) -> tuple[str, list[tuple[Run, int, int]]]:
    """The text of one line, not yet stripped, and where in it each run stands."""
    parts: list[str] = []
    pieces: list[tuple[Run, int, int]] = []
    length, spaced = 0, True
    for run in row:
        text = clean(run.text)
        if spaced:
            text = text.removeprefix(" ")
        if text:
            parts.append(text)
            pieces.append((run, length, length + len(text)))
            length += len(text)
            spaced = text.endswith(" ")
    return "".join(parts), pieces


def _spans(cut: Iterable[tuple[Run, int, int]], line: int) -> list[CueSpan]:
    spans: list[tuple[Run, CueSpan]] = []
    for run, first, stop in cut:
        if not run.is_marked:
            continue
        if spans and spans[-1][1].stop == first and run.ruby is None and spans[-1][0].alike(run):
            before, span = spans.pop()
            spans.append((before, replace(span, stop=stop)))
        else:
            span = CueSpan(line, first, stop, run.style, run.voice, run.ruby, run.language)
            spans.append((run, span))
    return [span for _, span in spans]


def _words(cut: Iterable[tuple[Run, int, int]], line: int, text: str) -> Iterator[CueWord]:
    """The timed stretches; runs that follow one another with the same time are one."""
    said: tuple[int, int] | None = None
    begin = end = 0
    for run, first, stop in [*cut, (Run(""), len(text), len(text))]:
        if said is not None and run.said != said:
            begin += len(text[begin:end]) - len(text[begin:end].lstrip())
            end = begin + len(text[begin:end].rstrip())
            if begin < end:
                yield CueWord(*said, line, begin, end)
            said = None
        if run.said is not None and said is None:
            said, begin = run.said, first
        end = stop


def decompose(cue: Cue, *, words: bool = False) -> list[list[Run]]:
    """The runs of each line; with `words`, cut and timed by word. The highlighted word is underlined."""
    return [list(_line(cue, index, words)) for index in range(len(cue.lines))]


def _line(cue: Cue, index: int, words: bool) -> Iterator[Run]:
    text = cue.lines[index]
    spans = [span for span in cue.spans if span.line == index]
    timed = sorted((word for word in cue.words if word.line == index), key=lambda word: word.first) if words else []
    mark = cue.highlighted if cue.highlighted and cue.highlighted.line == index else None
    stretches: list[CueSpan | CueWord] = [*spans, *timed, *([mark] if mark else [])]
    edges = {0, len(text)}.union(*((stretch.first, stretch.stop) for stretch in stretches))
    ordered = sorted(edge for edge in edges if 0 <= edge <= len(text))
    span_at, word_at = _Cursor(spans), _Cursor(timed)
    for first, stop in pairwise(ordered):
        span = span_at(first) or CueSpan(index, first, stop)
        word = word_at(first)
        style = span.style
        if mark and mark.first <= first < mark.stop:
            style = replace(style, underline=True)
        said = (word.start_ms, word.end_ms) if word else None
        yield Run(text[first:stop], style, span.voice, span.ruby, span.language, said)


class _Cursor(Generic[Stretch]):
    """Which of the stretches, in order, a position lies in; positions are asked for in order."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = stretches
        self._next = 0

    def __call__(self, position: int) -> Stretch | None:
        while self._next < len(self._stretches) and self._stretches[self._next].stop <= position:
            self._next += 1
        if self._next == len(self._stretches) or position < self._stretches[self._next].first:
            return None
        return self._stretches[self._next]
