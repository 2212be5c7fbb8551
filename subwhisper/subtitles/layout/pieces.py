"""From a transcript to pieces: the unbreakable bits of text that the layout moves about.

A piece is a word in nearly every case. Words that may not be parted (a mark that the tokenizer
split off, `well` and `-known`) become one piece; text that has to be parted (a word with a space in it,
a Chinese sentence without word times) becomes several.

Whatever the recogniser says, pieces come out in the order of the words, with starts that
never run backwards and never lie before the word's own start.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from subwhisper.subtitles.script import (
    clean,
    clings,
    display_width,
    may_part,
    needs_space,
    split_spaceless,
    split_words,
)
from subwhisper.subtitles.track import to_ms
from subwhisper.transcript import Segment, Transcript

MS_PER_CHARACTER = 10
"""Nobody speaks a hundred characters a second: words crowded closer than that are spread out to it."""

LONGEST_CLUSTER = 100
"""Characters: a recogniser gone astray can pile up combining marks without end."""


@dataclass(slots=True)
class Piece:
    """Text that stays together on one line, and when it is said."""

    text: str
    start_ms: int
    end_ms: int
    spaced: bool
    """A space stands before it unless it begins a line."""
    width: int
    """Columns, without that space."""
    opens_segment: bool = False
    """It begins a segment of the recogniser, which is often where a phrase begins."""
    speaker: str | None = None
    turn: int = 0
    """How many times the speaker has changed before it."""


def cut_into_pieces(transcript: Transcript, max_width: int) -> list[Piece]:
    """Return the pieces of a transcript, in order.

    A segment without words has its time shared out over its text in proportion to the characters.
    Text wider than `max_width` is parted only where its script allows, so a long word stays whole.
    """
    pieces: list[Piece] = []
    for segment in transcript.segments:
        opens = True
        for piece in _pieces_of(segment, max_width):
            if opens:
                piece.opens_segment, opens = True, False
                piece.spaced = piece.spaced or not pieces or needs_space(pieces[-1].text, piece.text)
            if pieces and not piece.spaced and _belongs(pieces[-1], piece, max_width):
                _append(pieces[-1], piece)
            else:
                pieces.append(piece)
    _put_in_order(pieces)
    for before, piece in pairwise(pieces):
        piece.turn = before.turn + (before.speaker != piece.speaker)
    return pieces


def set_line(pieces: Sequence[Piece]) -> str:
    """Write pieces on one line."""
    rest = "".join(" " * piece.spaced + piece.text for piece in pieces[1:])
    return pieces[0].text + rest


def _pieces_of(segment: Segment, max_width: int) -> Iterator[Piece]:
    if not segment.words:
        parts = [part for word in split_words(clean(segment.text)) for part in split_spaceless(word)]
        yield from _share_out(parts, segment.start, segment.end)
        return
    spaced = False  # a word of nothing but space leaves its space to the next
    for word in segment.words:
        text = clean(word.text)
        bare = text.strip(" ")
        if not bare.strip():
            spaced = spaced or bool(text)
            continue
        if " " in bare or display_width(bare) > max_width:
            text = " " + bare if spaced or text[0] == " " else bare
            parts = [part for piece in split_words(text) for part in _fitted(piece, max_width)]
            for piece in _share_out(parts, word.start, word.end):
                piece.speaker = word.speaker
                yield piece
        else:
            yield _piece(bare, word.start, word.end, spaced=spaced or text[0] == " ", speaker=word.speaker)
        spaced = text[-1] == " "


def _fitted(word: str, max_width: int) -> list[str]:
    return [word] if display_width(word.strip()) <= max_width else split_spaceless(word)


def _share_out(parts: list[str], start: float, end: float) -> Iterator[Piece]:
    total = sum(len(part.strip()) for part in parts)
    rate = max(end - start, 0.0) / total if total else 0.0
    done = 0
    for part in parts:
        bare = part.strip()
        yield _piece(bare, start + done * rate, start + (done + len(bare)) * rate, spaced=part[0] == " ")
        done += len(bare)


def _piece(text: str, start: float, end: float, *, spaced: bool, speaker: str | None = None) -> Piece:
    return Piece(text, max(to_ms(start), 0), max(to_ms(end), 0), spaced, display_width(text), speaker=speaker)


def _belongs(before: Piece, after: Piece, max_width: int) -> bool:
    if clings(before.text, after.text):
        return len(before.text) < LONGEST_CLUSTER
    return not may_part(before.text, after.text) and before.width + after.width <= max_width


def _append(piece: Piece, after: Piece) -> None:
    piece.text += after.text
    piece.width = display_width(piece.text)
    piece.end_ms = max(piece.end_ms, after.end_ms)


def _put_in_order(pieces: list[Piece]) -> None:
    """Make starts rise and ends meet the next start at most; starts only ever move later."""
    earliest = 0
    for piece in pieces:
        piece.start_ms = max(piece.start_ms, earliest)
        earliest = piece.start_ms + MS_PER_CHARACTER * len(piece.text)
        piece.end_ms = max(piece.end_ms, earliest)
    for piece, following in pairwise(pieces):
        piece.end_ms = min(piece.end_ms, following.start_ms)
