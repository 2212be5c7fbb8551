"""When the words of a known text are said: the best path of its speech sounds through the encoder's classifier.

Recordings come with words but without times. The classifier of speech sounds that training keeps beside the encoder
scores every position; the text gives the order of sounds, with a pause allowed between words; Viterbi's algorithm
(1967) finds the times. Better times make a better classifier, which makes better times: hard expectation
maximisation, as hidden Markov recognisers have been started for decades (Rabiner 1989).

Shapes: A positions of 20 ms, C classes, N sounds, S states.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from subwhisper.training.windows import POSITIONS_PER_SECOND


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """Where the sounds of a recording begin, in positions; a recording that does not fit its text has none."""

    starts: npt.NDArray[np.int32]
    """(N,) first position of each sound, words in order."""
    ends: npt.NDArray[np.int32]
    """(N,) position after the last."""
    score: float
    """Mean log-probability ratio along the path; low where text and sound disagree."""


def best_path(scores: npt.NDArray[np.float32], words: Sequence[Sequence[int]]) -> Timing | None:
    """Place sounds in time.

    Args:
        scores: (A, C) log-scores; class 0 is silence.
        words: classes of each word's sounds, in order; a pause may stand before each word and at the end.

    Returns:
        `None` if there are more sounds than positions.
    """
    classes, is_pause, may_skip = _states(words)
    n_states, n_positions = len(classes), len(scores)
    if n_positions < sum(map(len, words)):
        return None
    emitted = scores[:, classes]  # (A, S)
    blocked = np.float32(-1e30)
    best = np.full(n_states, blocked, np.float32)
    best[0] = emitted[0, 0]
    best[1] = emitted[0, 1]
    moves = np.zeros((n_positions, n_states), np.int8)
    skip_cost = np.where(may_skip, np.float32(0), blocked)
    for position in range(1, n_positions):
        ways = np.stack(
            [
                best,
                np.concatenate([[blocked], best[:-1]]),
                np.concatenate([[blocked, blocked], best[:-2]]) + skip_cost,
            ]
        )
        moves[position] = ways.argmax(0)
        best = ways.max(0) + emitted[position]
    state = n_states - 1 if best[-1] >= best[-2] else n_states - 2
    if best[state] < -1e29:
        return None
    path = np.empty(n_positions, np.int32)
    total = float(best[state])
    for position in range(n_positions - 1, -1, -1):
        path[position] = state
        state -= int(moves[position, state])
    sounding = np.flatnonzero(~is_pause)
    starts = np.searchsorted(path, sounding, side="left").astype(np.int32)
    ends = np.searchsorted(path, sounding, side="right").astype(np.int32)
    return Timing(starts, ends, total / n_positions)


def _states(
    words: Sequence[Sequence[int]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Classes of the states, which are pauses, and which can be reached past the pause before them."""
    classes, pauses, skips = [0], [True], [False]
    for index, word in enumerate(words):
        classes += word
        pauses += [False] * len(word)
        skips += [index > 0, *[False] * (len(word) - 1)] if word else []
        classes.append(0)
        pauses.append(True)
        skips.append(False)
    return np.array(classes), np.array(pauses), np.array(skips)


def save_timings(timings: Sequence[Timing | None], path: Path) -> None:
    """Write the times of a pack's recordings to one file."""
    empty = Timing(np.zeros(0, np.int32), np.zeros(0, np.int32), float("-inf"))
    kept = [timing or empty for timing in timings]
    np.savez(
        path,
        counts=np.array([len(timing.starts) for timing in kept]),
        starts=np.concatenate([timing.starts for timing in kept]),
        ends=np.concatenate([timing.ends for timing in kept]),
        scores=np.array([timing.score for timing in kept]),
    )


def load_timings(path: Path) -> list[Timing | None]:
    """Read what `save_timings` wrote."""
    with np.load(path) as stored:
        bounds = np.cumsum(stored["counts"])[:-1]
        parts = zip(np.split(stored["starts"], bounds), np.split(stored["ends"], bounds), stored["scores"], strict=True)
        return [Timing(starts, ends, float(score)) if len(starts) else None for starts, ends, score in parts]


def seconds(position: int) -> float:
    """Seconds at which a position begins."""
    return position / POSITIONS_PER_SECOND
