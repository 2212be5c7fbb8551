"""From words to captions: `lay_out`.

pieces.py    transcript → unbreakable pieces of text with times
segment.py   where one cue ends and the next begins   (uses lines.py for every cue it considers)
lines.py     where a cue breaks into lines
timing.py    when it appears and goes
cohesion.py  what belongs together in a sentence
profile.py   the limits
"""

from collections.abc import Sequence

from subwhisper.subtitles.layout.lines import LineBreaker
from subwhisper.subtitles.layout.pieces import Piece, cut_into_pieces
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.segment import segment
from subwhisper.subtitles.layout.timing import time_cues
from subwhisper.subtitles.track import Cue, CueWord, Track
from subwhisper.transcript import Transcript

__all__ = ["Profile", "lay_out"]


def lay_out(transcript: Transcript, profile: Profile = Profile()) -> Track:  # noqa: B008 - frozen
    """Lay the words of a transcript out as captions.

    Every cue has at most `max_lines` lines of at most `max_line_width` columns (a single longer word is kept
    whole on a line of its own), none overlap, none appears before its first word, every word is there and
    in order, whatever the words' times are. The same words give the same captions.
    A segment without words has its time shared out over its text in proportion to the characters.
    """
    pieces = cut_into_pieces(transcript, profile.max_line_width)
    language = transcript.language.split("-")[0].lower()
    breaker = LineBreaker(pieces, profile, language)
    cues = segment(pieces, breaker, profile, language)
    times = time_cues(pieces, cues, profile, language)
    return Track(
        cues=tuple(
            _cue(pieces, first, breaker.ends(first, last), *time)
            for (first, last), time in zip(cues, times, strict=True)
        ),
        language=transcript.language,
    )


def _cue(pieces: Sequence[Piece], first: int, line_ends: list[int], start_ms: int, end_ms: int) -> Cue:
    lines: list[str] = []
    words: list[CueWord] = []
    for end in line_ends:
        line = ""
        for piece in pieces[first : end + 1]:
            line += " " if line and piece.spaced else ""
            words.append(CueWord(piece.start_ms, piece.end_ms, len(lines), len(line), len(line) + len(piece.text)))
            line += piece.text
        lines.append(line)
        first = end + 1
    return Cue(start_ms, end_ms, tuple(lines), tuple(words))
