"""How an old subtitle file must be moved and stretched to fit its sound, or another file: arrays in, numbers out.

One straight line from old times to new ones is looked for (`sync_line.py`); where several in a row place clearly more
cues, because breaks were put into the recording or parts cut out, these are taken (`sync_pieces.py`). Either is
believed if chance would hardly have found one as good among all that were tried (`sync_evidence.py`): the number of
cues that start with an onset of speech is compared with the binomial tail of doing so at a random place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Any

import numpy as np

from subwhisper.errors import InputError
from subwhisper.subtitles.edit import Retiming, exact_rate
from subwhisper.subtitles.sync_evidence import PLACE, Evidence, evidence
from subwhisper.subtitles.sync_line import Line, best_line
from subwhisper.subtitles.sync_pieces import best_stretches, without_a_place

FRAME_RATES = (23.976, 24.0, 25.0, 29.97, 30.0)
"""Frames per second of film, PAL and NTSC: a film transferred from one to another runs at their ratio."""
_CLEARLY_BETTER = 0.1  # share of the cues that pieces must bring into place beyond those of one line
_CLEARLY_MORE = 4  # cues, at least
_SURE = 0.99  # of each piece


@dataclass(frozen=True, slots=True)
class Piece:
    """Cues that move together."""

    first: int
    """Index of its first cue."""
    retiming: Retiming
    evidence: Evidence

    @property
    def offset(self) -> float:
        """Seconds."""
        return self.retiming.offset_ms / 1000


@dataclass(frozen=True, slots=True)
class Fit:
    """From old times to new ones, and how far to trust it."""

    pieces: tuple[Piece, ...]
    """In order; usually one. All have the same factor."""
    left_out: frozenset[int] = frozenset()
    """Cues, by index, in parts that the recording does not have."""

    @property
    def confidence(self) -> float:
        """Probability, 0 to 1, that chance would not have found so good a fit: of the least sure piece."""
        return min(piece.evidence.confidence for piece in self.pieces)

    @property
    def n_cues(self) -> int:
        """Cues that it was judged by: those that come to lie in the recording."""
        return sum(piece.evidence.n_cues for piece in self.pieces)

    @property
    def n_matched(self) -> int:
        """Of them, those that start within 100 ms of an onset of speech."""
        return sum(piece.evidence.n_matched for piece in self.pieces)

    @property
    def ratio(self) -> float:
        return self.pieces[0].retiming.factor

    @property
    def offset(self) -> float:
        """Seconds, of the first piece."""
        return self.pieces[0].offset

    def to_dict(self) -> dict[str, Any]:
        """A machine-readable report; new time = factor * old time + offset, in seconds."""
        return {
            "factor": self.ratio,
            "offset": self.offset,
            "confidence": self.confidence,
            "cues": self.n_cues,
            "cues_with_speech": self.n_matched,
            "cues_left_out": len(self.left_out),
            "pieces": [
                {"first_cue": piece.first + 1, "offset": piece.offset, "confidence": piece.evidence.confidence}
                for piece in self.pieces
            ],
        }


def usual_ratios() -> tuple[float, ...]:
    """1 and the ratios of every two usual frame rates, nearest to 1 first."""
    rates = [exact_rate(rate) for rate in FRAME_RATES]
    return tuple(sorted({float(a / b) for a, b in product(rates, rates)}, key=lambda ratio: abs(log(ratio))))


def fit(
    cues: Sequence[tuple[float, float]],
    speech: Sequence[tuple[float, float]],
    *,
    furthest: float = 120.0,
    ratios: Iterable[float] | None = None,
    most_breaks: int = 0,
) -> Fit:
    """Find where cues belong.

    Args:
        cues: start and end of each, in seconds, in order of start.
        speech: start and end of each stretch in which someone speaks (or of each cue of a file that fits), in
            seconds, in order; with no margins added.
        furthest: seconds that a cue may be from its place, beyond what stretching explains.
        ratios: tried for the factor; `usual_ratios` when not given.
        most_breaks: times that the offset may change on the way; it only does where that is clearly better.

    Raises:
        InputError: there is nothing to compare.
    """
    shown, heard = (np.asarray(spans, np.float64).reshape(-1, 2) for spans in (cues, speech))
    if len(shown) < 2 or len(heard) < 2:
        raise InputError("there is too little to compare: at least two cues and two stretches of speech are needed")
    tried = tuple(ratios) if ratios is not None else usual_ratios()
    furthest = min(furthest, max(tried) * float(shown.max()) + float(heard.max()))  # beyond, nothing meets
    starts = shown[:, 0]
    line = best_line(shown, heard, tried, furthest)
    judged = evidence(line(starts), heard, len(tried) * max(1.0, 2 * furthest / PLACE))
    gain = max(_CLEARLY_MORE, _CLEARLY_BETTER * len(starts))
    if most_breaks and judged.n_matched + gain <= len(starts):
        found = best_stretches(shown, heard, tried, furthest, most_breaks=most_breaks, min_confidence=_SURE)
        if sum(stretch.evidence.n_matched for stretch in found) >= judged.n_matched + gain:
            pieces = tuple(Piece(stretch.first, _retiming(stretch.line), stretch.evidence) for stretch in found)
            return Fit(pieces, frozenset(without_a_place(starts, heard, found)))
    return Fit((Piece(0, _retiming(line), judged),))


def _retiming(line: Line) -> Retiming:
    return Retiming(line.ratio, line.offset * 1000)
