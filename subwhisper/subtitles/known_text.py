"""The words of a text that is known, and cues put where their words are spoken."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from subwhisper.subtitles.edit import Retiming
from subwhisper.subtitles.script import split_spaceless
from subwhisper.subtitles.track import Cue, CueWord, Track, first_overlap, to_ms
from subwhisper.transcript import Word

_WRITTEN = re.compile(r"\S+")
ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|[♪♫#*]+")
"""What captions tell besides the words: sounds in brackets, notes around lyrics."""


@dataclass(frozen=True, slots=True)
class TextWord:
    """One word of a text and where it stands."""

    text: str
    """With a leading space if there is white space before it."""
    group: int
    """Line of a text, or cue of a track, from 0."""
    line: int
    """Line of the cue, from 0."""
    first: int
    """Index of its first character in that line."""
    stop: int
    spoken: bool
    """Whether it holds a letter or digit and is not part of an aside."""


def words_of_text(text: str) -> list[TextWord]:
    """The words of a plain text, line by line."""
    return [word for number, line in enumerate(text.splitlines()) for word in _words(line, number, 0, ())]


def words_of_cues(track: Track) -> list[TextWord]:
    """The words of every cue; sounds in brackets count as not spoken, also over several lines."""
    found: list[TextWord] = []
    for number, cue in enumerate(track.cues):
        asides = [match.span() for match in ASIDE.finditer("\n".join(cue.lines))]
        offset = 0
        for line_number, line in enumerate(cue.lines):
            here = [(start - offset, stop - offset) for start, stop in asides]
            found += _words(line, number, line_number, here)
            offset += len(line) + 1
    return found


def _words(line: str, group: int, line_number: int, asides: Sequence[tuple[int, int]]) -> Iterator[TextWord]:
    """The words of a line, and within a script without spaces its smallest parts."""
    for written in _WRITTEN.finditer(line):
        first, space = written.start(), " "
        for part in split_spaceless(written[0]):
            stop = first + len(part)
            is_aside = any(start < stop and first < end for start, end in asides)
            spoken = not is_aside and any(map(str.isalnum, part))
            yield TextWord(space + part, group, line_number, first, stop, spoken)
            first, space = stop, ""


def retimed_to_words(track: Track, words: Sequence[TextWord], timed: Sequence[Word | None]) -> Track:
    """Every cue where its words are spoken; its text and marks stay as they are.

    A cue begins with its first word and is shown as long as it was, but at least to the end of its last word and no
    longer than to the next cue. One of which no word is spoken moves with those around it.

    Args:
        track: whose cues the words are of.
        words: of `words_of_cues`.
        timed: one for each, in seconds; `None` where it is not spoken.
    """
    said: list[list[CueWord]] = [[] for _ in track.cues]
    for word, time in zip(words, timed, strict=True):
        if time is not None:
            start_ms = to_ms(time.start)
            place = CueWord(start_ms, max(to_ms(time.end), start_ms), word.line, word.first, word.stop)
            said[word.group].append(place)
    starts = _starts(track.cues, said)
    cues = []
    for index, (cue, own, start_ms) in enumerate(zip(track.cues, said, starts, strict=True)):
        following = starts[index + 1] if index + 1 < len(starts) else start_ms + cue.duration_ms
        spoken_until = own[-1].end_ms if own else start_ms
        end_ms = max(min(start_ms + cue.duration_ms, following), spoken_until, start_ms + 1)
        line = Retiming.through((cue.start_ms, start_ms), (cue.end_ms, end_ms))
        moved = cue.retimed(line)
        cues.append(replace(moved, words=tuple(own), highlighted=None) if own else moved)
    ordered = sorted(cues, key=lambda cue: cue.start_ms)
    return replace(track, cues=tuple(cues), overlapping=first_overlap(ordered) is not None)


def _starts(cues: Sequence[Cue], said: Sequence[Sequence[CueWord]]) -> list[int]:
    """When each cue begins: with its first word, or moved as the cue before it that has one (else the one after)."""
    moves = [own[0].start_ms - cue.start_ms if own else None for cue, own in zip(cues, said, strict=True)]
    move = next((ms for ms in moves if ms is not None), 0)
    starts: list[int] = []
    for cue, own_move in zip(cues, moves, strict=True):
        move = move if own_move is None else own_move
        starts.append(max(0, cue.start_ms + move))
    return starts
