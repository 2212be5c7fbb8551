"""What there is between each piece and the next: everything that decides whether they may be parted."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from subwhisper.subtitles.layout.cohesion import FREE, Boundary, Tie, boundary, opening, tie, wider_ties
from subwhisper.subtitles.layout.phrases import has_phrases, inside_phrase
from subwhisper.subtitles.layout.pieces import Piece
from subwhisper.subtitles.script import is_spaceless

INSIDE_PHRASE = Tie(120.0, "within a phrase")


class Joint(NamedTuple):
    """The place between two neighbouring pieces."""

    mark: Boundary
    tie: Tie
    opening: float
    """How well what follows begins a line or cue: 1 for a conjunction, 0 for most words."""
    pause_ms: int
    new_speaker: bool
    are_known: bool
    """It is known who says what stands on both sides."""
    opens_segment: bool
    """The recogniser began a segment here."""
    strands: bool
    """A word that begins a clause stands before it, or one that ends a clause after it: `cruel: Thou | that art`."""


def joints_of(pieces: Sequence[Piece], language: str) -> list[Joint]:
    """Return what is between the pieces: one joint fewer than pieces.

    Args:
        pieces: in order.
        language: code of the text's language; phrases may depend on the region (`zh-TW`).
    """
    code = language.split("-")[0].lower()
    inside = _inside(pieces, language) if has_phrases(language) else None
    wider = wider_ties([piece.text for piece in pieces], code)
    marks = [_mark(before, after) for before, after in pairwise(pieces)]
    around = zip([Boundary.SENTENCE, *marks], [*marks[1:], Boundary.SENTENCE], strict=False)
    joints = []
    places = zip(pairwise(pieces), marks, around, strict=False)
    for index, ((before, after), mark, beside) in enumerate(places, start=1):
        if mark is not Boundary.NOTHING:
            bond = FREE
        elif inside and inside[index]:
            bond = INSIDE_PHRASE
        else:
            bond = wider.get(index) or tie(before.text, after.text, code)
        joints.append(
            Joint(
                mark,
                bond,
                0.0 if bond.cost and index in wider else opening(after.text, code),
                max(after.start_ms - before.end_ms, 0),
                before.turn != after.turn,
                bool(before.speaker and after.speaker),
                after.opens_segment,
                mark is Boundary.NOTHING and any(beside),
            )
        )
    return joints


def _mark(before: Piece, after: Piece) -> Boundary:
    return Boundary.SENTENCE if before.turn != after.turn else boundary(before.text, after.text)


def turns_of(joints: Sequence[Joint]) -> list[int]:
    """Return, for each piece, the first of those that its speaker says in a row."""
    turns = [0]
    for index, joint in enumerate(joints, start=1):
        turns.append(index if joint.new_speaker else turns[-1])
    return turns


def _inside(pieces: Sequence[Piece], language: str) -> list[bool]:
    """Whether each piece goes on with a phrase, by runs of pieces without spaces between them."""
    inside: list[bool] = []
    run: list[str] = []
    for piece in pieces:
        if run and (piece.spaced or not is_spaceless(piece.text[0])):
            inside += inside_phrase(run, language)
            run = []
        run.append(piece.text)
    return inside + inside_phrase(run, language)
