"""How loud a recording is from one hundredth of a second to the next, and where sound sets in and dies away.

Finer than a detector of speech and knowing nothing of speech: it moves edges that others found to where the
signal has them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE, Samples, Span

STEP = 0.01
"""Seconds from one level to the next."""
_STEP_SAMPLES = round(STEP * SAMPLE_RATE)
_FLATTEN = np.float32(0.95)  # pre-emphasis: voices fall by 6 dB an octave, and consonants begin words
_QUIETEST_DB = -90.0  # of full scale: quieter than 16-bit samples can be
_NEIGHBOURHOOD = 10.0  # seconds in which background and voice are judged
_BACKGROUND, _VOICE = 10, 95  # percentiles of the levels around
_DEEPEST_DB = 45.0  # below the voice nothing is heard of it
_RISE = 0.3  # of the way from background to voice that counts as sound
_LEAST_RISE_DB = 6.0
_CLEAR_DB = 20.0  # from background to voice; with less, quiet sounds cannot be told from noise
_ATTACK, _BEFORE_ATTACK = 8, 30  # steps: a sound sets in quietly for so long at most, after so much as quiet as that
_ATTACK_DB = 7.0  # above the quietest


@dataclass(frozen=True, slots=True, eq=False)
class Loudness:
    """Levels of a recording, and which of them are more than its background."""

    levels: npt.NDArray[np.float32]
    """(N,) decibels of full scale, one per `STEP`."""
    is_sound: npt.NDArray[np.bool_]
    """(N,) whether it is well above the background around it, or leads up to what is."""
    is_clear: npt.NDArray[np.bool_]
    """(N,) whether voice and background are far enough apart there to tell sound from silence."""

    @classmethod
    def of(cls, blocks: Iterable[Samples]) -> "Loudness":
        """Measure a recording, block by block."""
        measured = list(_levels(blocks))
        levels = np.concatenate(measured) if measured else np.zeros(0, np.float32)
        background, voice = _around(levels)
        threshold = background + np.maximum(_RISE * (voice - background), _LEAST_RISE_DB)
        return cls(levels, _with_attacks(levels, levels > threshold), voice - background >= _CLEAR_DB)

    def spans(self, *, min_sound: float = 0.06, min_silence: float = 0.2) -> list[Span]:
        """Stretches of sound; shorter silences are bridged, then shorter sounds dropped."""
        edges = np.flatnonzero(np.diff(self.is_sound, prepend=False, append=False)).reshape(-1, 2)
        spans: list[Span] = []
        for start, end in (edges * STEP).tolist():
            if spans and start - spans[-1].end < min_silence:
                spans[-1] = Span(spans[-1].start, end)
            else:
                spans.append(Span(start, end))
        return [span for span in spans if span.duration >= min_sound]


def _levels(blocks: Iterable[Samples]) -> Iterator[npt.NDArray[np.float32]]:
    """The level of each step; what remains of a block is joined to the next."""
    rest = np.zeros(0, np.float32)
    before = np.zeros(1, np.float32)  # the sample before the rest
    for block in blocks:
        samples = np.concatenate([before, rest, block])
        flat = samples[1:] - _FLATTEN * samples[:-1]
        n_whole = len(flat) // _STEP_SAMPLES * _STEP_SAMPLES
        yield _decibels(flat[:n_whole])
        before, rest = samples[n_whole : n_whole + 1], samples[n_whole + 1 :]


def _decibels(samples: Samples) -> npt.NDArray[np.float32]:
    power = np.square(samples.reshape(-1, _STEP_SAMPLES)).mean(axis=1)
    decibels: npt.NDArray[np.float32] = (10 * np.log10(power + 10 ** (_QUIETEST_DB / 10))).astype(np.float32)
    return decibels


def _around(levels: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """(N,) levels of the background and of the voice, from the levels in the neighbourhood."""
    if not len(levels):
        return levels, levels
    reach, hop = round(_NEIGHBOURHOOD / STEP), round(1 / STEP)
    middles = np.arange(0, len(levels), hop)
    around = [np.percentile(levels[max(0, at - reach) : at + reach], (_BACKGROUND, _VOICE)) for at in middles]
    background, voice = (np.interp(np.arange(len(levels)), middles, of).astype(np.float32) for of in np.array(around).T)
    return np.maximum(background, voice - _DEEPEST_DB), voice


def _with_attacks(levels: npt.NDArray[np.float32], is_sound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Sound and what leads up to it: a consonant rises out of the quiet before it is as loud as a voice."""
    if len(levels) < _BEFORE_ATTACK:
        return is_sound
    onsets = np.flatnonzero(is_sound[_BEFORE_ATTACK:] & ~is_sound[_BEFORE_ATTACK - 1 : -1]) + _BEFORE_ATTACK
    before = np.lib.stride_tricks.sliding_window_view(levels, _BEFORE_ATTACK)[onsets - _BEFORE_ATTACK]
    rises = before[:, -_ATTACK:] > before.min(axis=1, keepdims=True) + _ATTACK_DB
    grown = is_sound.copy()
    for n_steps in range(1, _ATTACK + 1):
        onsets, rises = onsets[rises[:, -n_steps]], rises[rises[:, -n_steps]]
        grown[onsets - n_steps] = True
    return grown
