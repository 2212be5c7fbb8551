"""From words to captions: `lay_out`.

pieces.py    transcript → unbreakable pieces of text with times
joints.py    what is between them   (cohesion.py: what belongs together, by the words of lexicon.py; phrases.py: where
             no spaces are written)
segment.py   where one cue ends and the next begins   (uses lines.py and timing.py for every cue it considers)
lines.py     where a cue breaks into lines
timing.py    when it appears and goes   (frames.py: frames, shots)
profile.py   the limits   (standards.py: those with a name)
"""

from collections.abc import Sequence

from subwhisper.subtitles.layout.frames import NO_PICTURE, Picture
from subwhisper.subtitles.layout.joints import joints_of
from subwhisper.subtitles.layout.lines import LineBreaker
from subwhisper.subtitles.layout.pieces import Piece, cut_into_pieces
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.segment import segment
from subwhisper.subtitles.layout.standards import load_profile
from subwhisper.subtitles.layout.timing import Timing, time_cues
from subwhisper.subtitles.markup import CueSpan
from subwhisper.subtitles.track import Cue, CueWord, Track
from subwhisper.transcript import Transcript

__all__ = ["Picture", "Profile", "lay_out", "load_profile"]


def lay_out(transcript: Transcript, profile: Profile | None = None, picture: Picture = NO_PICTURE) -> Track:
    """Lay the words of a transcript out as captions.

    Every cue has at most `max_lines` lines of at most `max_line_width` columns (a single longer word is kept
    whole on a line of its own), none overlap, none appears before its first word (but by `Profile.shot_lead`), every
    word is there and in order, whatever the words' times are. The same words give the same captions. Text is kept in
    its logical order, whichever way it is written. A segment without words has its time shared out over its text in
    proportion to the characters.

    Args:
        transcript: what was said; two of its speakers share a cue only as a dialogue, with a line each.
        profile: the limits; Netflix's in the language of the text when not given.
        picture: frame rate and shot changes of the video.
    """
    limits = (profile or load_profile()).in_language(transcript.language)
    pieces = cut_into_pieces(transcript, limits.max_line_width)
    joints = joints_of(pieces, transcript.language)
    breaker = LineBreaker(pieces, joints, limits)
    timing = Timing(pieces, limits, transcript.language, picture)
    cues = segment(pieces, joints, breaker, timing, limits)
    times = time_cues(timing, cues)
    return Track(
        cues=tuple(
            set_cue([pieces[begin:end] for begin, end in breaker.lines(*cue)], limits, *time)
            for cue, time in zip(cues, times, strict=True)
        ),
        language=transcript.language,
    )


def set_cue(rows: Sequence[Sequence[Piece]], profile: Profile, start_ms: int, end_ms: int) -> Cue:
    """Set the pieces of each line as text, with the times of the words and the voices."""
    is_dialogue = rows[0][0].turn != rows[-1][0].turn
    lines: list[str] = []
    words: list[CueWord] = []
    spans: list[CueSpan] = []
    for number, row in enumerate(rows):
        line = profile.dash(number) if is_dialogue else ""
        for index, piece in enumerate(row):
            line += " " if index and piece.spaced else ""
            words.append(CueWord(piece.start_ms, piece.end_ms, number, len(line), len(line) + len(piece.text)))
            line += piece.text
        lines.append(line)
        if speaker := row[0].speaker:
            spans.append(CueSpan(number, 0, len(line), voice=speaker))
    return Cue(start_ms, end_ms, tuple(lines), tuple(words), spans=tuple(spans))
