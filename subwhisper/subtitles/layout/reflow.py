"""Captions that are there already, as words to lay out anew."""

from subwhisper.subtitles.track import Track
from subwhisper.transcript import Segment, Transcript, Word


def as_transcript(track: Track, language: str) -> Transcript:
    """Turn captions back into what is said, and when.

    Words keep their times where the track has them; else the time of a cue is shared out over its text in proportion
    to the characters. Lines, styles and places are given up: new ones are what a new layout is for.
    """
    segments = []
    for cue in track.cues:
        words = tuple(
            Word(_spaced(cue.lines[word.line], word.first, word.stop), word.start_ms / 1000, word.end_ms / 1000)
            for word in cue.words
        )
        start, end = cue.start_ms / 1000, cue.end_ms / 1000
        segments.append(Segment(start, end, f" {cue.text}", words=words if _is_whole(words, cue.text) else ()))
    return Transcript(tuple(segments), language)


def _spaced(line: str, first: int, stop: int) -> str:
    begins = first == 0 or line[first - 1] == " "
    return " " * begins + line[first:stop]


def _is_whole(words: tuple[Word, ...], text: str) -> bool:
    """Whether the words are all of the text: a file may time only some of it."""
    return "".join(word.text for word in words).replace(" ", "") == text.replace(" ", "")
