"""Captions that are there already, as words to lay out anew."""

from collections.abc import Iterator, Sequence

from subwhisper.subtitles.script import join, needs_space, split_spaceless, split_words
from subwhisper.subtitles.track import Cue, Track
from subwhisper.transcript import Segment, Transcript, Word

_DASHES = "-–—‐ "


def as_transcript(track: Track, language: str) -> Transcript:
    """Turn captions back into what is said, and when.

    Words keep their times where the track has them; else the time of a cue is shared out over its text in proportion
    to the characters. Voices are kept as speakers, and the dashes before their lines go. Lines, styles and places are
    given up: new ones are what a new layout is for.
    """
    return Transcript(tuple(_segment(cue) for cue in track.cues), language)


def _segment(cue: Cue) -> Segment:
    start, end = cue.start_ms / 1000, cue.end_ms / 1000
    words = tuple(_timed(cue))
    lines = [line[_dash(cue, line) :] for line in cue.lines]
    if not _is_whole(words, lines):
        words = tuple(_shared_out(cue)) if cue.voices else ()
    return Segment(start, end, f" {join(lines)}", words=words)


def _dash(cue: Cue, line: str) -> int:
    """Count the characters of the dash before a line of one of several speakers."""
    bare = line.lstrip(_DASHES) if len(cue.voices) > 1 else line
    return len(line) - len(bare) if bare else 0


def _timed(cue: Cue) -> Iterator[Word]:
    for word in cue.words:
        line = cue.lines[word.line]
        begins = _begins(cue, word.line) if word.first <= _dash(cue, line) else line[word.first - 1] == " "
        text = " " * begins + line[word.first : word.stop]
        yield Word(text, word.start_ms / 1000, word.end_ms / 1000, speaker=_voice(cue, word.line, word.first))


def _shared_out(cue: Cue) -> Iterator[Word]:
    """The words of a cue with a voice, which have no times of their own."""
    rate = cue.duration_ms / sum(map(len, cue.lines)) / 1000
    clock = cue.start_ms / 1000
    for number, line in enumerate(cue.lines):
        at = _dash(cue, line)
        voice = _voice(cue, number, at)
        text = " " * _begins(cue, number) + line[at:]
        for part in (part for word in split_words(text) for part in split_spaceless(word)):
            end = clock + len(part) * rate
            yield Word(part, clock, end, speaker=voice)
            clock = end


def _begins(cue: Cue, line: int) -> bool:
    """Whether running text has a space before a line."""
    return line == 0 or needs_space(cue.lines[line - 1], cue.lines[line])


def _voice(cue: Cue, line: int, at: int) -> str | None:
    """Who says what stands at one place of a cue."""
    return next((span.voice for span in cue.spans if span.line == line and span.first <= at < span.stop), None)


def _is_whole(words: Sequence[Word], lines: Sequence[str]) -> bool:
    """Whether the words are all of the text: a file may time only some of it."""
    said, shown = "".join(word.text for word in words), "".join(lines)
    return bool(words) and said.replace(" ", "") == shown.replace(" ", "")
