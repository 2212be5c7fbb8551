"""What the viewer sees: cues, and the track they make up.

Subtitle formats hold whole milliseconds, so cues hold `int`; seconds end at `to_ms`.
A cue is plain text in lines; styles, voices, ruby and word times are marks that stand beside it (`markup.py`).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from subwhisper.subtitles.markup import PLAIN, CueSpan, Placement, Raw, RawBlock, Style
from subwhisper.subtitles.script import join


def to_ms(seconds: float) -> int:
    """Turn seconds into the nearest whole millisecond: the one place where this happens.

    Raises:
        ValueError: `seconds` is not a finite number.
    """
    if not math.isfinite(seconds):
        raise ValueError(f"a time must be a finite number of seconds, got {seconds}")
    return round(seconds * 1000)


@dataclass(frozen=True, slots=True)
class CueWord:
    """Where and when one word, or syllable, of a cue is said: what highlighting needs."""

    start_ms: int
    end_ms: int
    line: int
    """Which line of the cue, from 0."""
    first: int
    """Index of its first character in that line."""
    stop: int
    """Index just past its last character."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle on screen.

    Raises:
        ValueError: it does not end after it starts, starts before 0, a line is blank or holds a line break,
            or spans are out of order, overlap, or leave their line.
    """

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    words: tuple[CueWord, ...] = ()
    """In the order said; empty when the words' times are not known."""
    highlighted: CueWord | None = None
    """The word to underline; formats without underlines leave it plain."""
    spans: tuple[CueSpan, ...] = ()
    """What is special about stretches of the text, in order and without overlap; the rest is plain."""
    placement: Placement | None = None
    """`None` is where captions usually stand."""
    raw: Raw | None = field(default=None, compare=False)
    """The words of the file it comes from."""

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms < self.end_ms:
            raise ValueError(f"a cue must start at 0 or later and end after that, got {self.start_ms}-{self.end_ms} ms")
        if not self.lines:
            raise ValueError("a cue needs at least one line")
        for line in self.lines:
            if not line.strip() or len(line.splitlines()) != 1:
                raise ValueError(f"a line of a cue must be one line of text, got {line!r}")
        self._check_spans()

    def _check_spans(self) -> None:
        edge = (0, 0)
        for span in self.spans:
            fits = span.line < len(self.lines) and 0 <= span.first < span.stop <= len(self.lines[span.line])
            if not fits or (span.line, span.first) < edge:
                raise ValueError(f"a span must lie within its line and after the one before it, got {span}")
            edge = (span.line, span.stop)

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def text(self) -> str:
        """All lines as one, with spaces where the script has them."""
        return join(self.lines)

    @property
    def voices(self) -> tuple[str, ...]:
        """Who speaks, in order of their first word."""
        return tuple(dict.fromkeys(span.voice for span in self.spans if span.voice))

    def marked(self, style: Style | None = None, *, voice: str | None = None) -> "Cue":
        """The whole text in one style or voice; the other marks it had are kept."""
        spans: list[CueSpan] = []
        for index, line in enumerate(self.lines):
            edge = 0
            for span in (span for span in self.spans if span.line == index):
                if edge < span.first:
                    spans.append(CueSpan(index, edge, span.first, style or PLAIN, voice))
                spans.append(replace(span, style=style or span.style, voice=voice or span.voice))
                edge = span.stop
            if edge < len(line):
                spans.append(CueSpan(index, edge, len(line), style or PLAIN, voice))
        return replace(self, spans=tuple(spans))

    def retimed(self, at: Callable[[int], int]) -> "Cue":
        """The cue with every time it holds, its words' too, put where `at` (milliseconds) says."""
        words = {word: replace(word, start_ms=at(word.start_ms), end_ms=at(word.end_ms)) for word in self.words}
        return replace(
            self,
            start_ms=at(self.start_ms),
            end_ms=at(self.end_ms),
            words=tuple(words.values()),
            highlighted=words.get(self.highlighted, self.highlighted) if self.highlighted else None,
        )


@dataclass(frozen=True, slots=True)
class Track:
    """A list of cues in order of start; any order may be given.

    Raises:
        ValueError: cues overlap although `overlapping` is not set.
    """

    cues: tuple[Cue, ...]
    language: str | None = None
    """Code of the language of the text; `None` when unknown."""
    overlapping: bool = False
    """Cues may be on screen together, as in some files made by others."""
    karaoke: bool = False
    """Write the words' times in formats that show them: WebVTT, ASS, LRC, TTML."""
    raw: tuple[RawBlock, ...] = field(default=(), compare=False)
    """What else the file held: header, style sheets, comments."""

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.cues, key=lambda cue: cue.start_ms))
        object.__setattr__(self, "cues", ordered)
        if not self.overlapping and (pair := first_overlap(ordered)):
            before, after = pair
            raise ValueError(f"the cue at {after.start_ms} ms starts before the one at {before.start_ms} ms ends")

    @property
    def text(self) -> str:
        return join(cue.text for cue in self.cues)


def first_overlap(ordered: Iterable[Cue]) -> tuple[Cue, Cue] | None:
    """Return the first two cues, given in order of start, that are on screen together."""
    longest: Cue | None = None
    for cue in ordered:
        if longest and cue.start_ms < longest.end_ms:
            return longest, cue
        if longest is None or cue.end_ms > longest.end_ms:
            longest = cue
    return None
