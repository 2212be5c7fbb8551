"""Word edges moved to where the sound has them.

Attention tells times in steps of 20 ms and is unsure around pauses: after one, a word often begins before it, in the
word before. The level of the signal tells to 10 ms where sound sets in and dies away, and nothing about words. So a
pause found inside a word is taken to be the one before it; other edges are moved, by little, to edges of sound near
them; between two words without a pause, to where the level is low. A start never moves backwards over silence. Where
voice and background are too close to tell sound from silence, only the last of these is done.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from subwhisper.engine.energy import STEP, Loudness
from subwhisper.transcript import Segment, Word

_BACK = 10  # steps of 10 ms of sound that a start may move backwards over, to where it set in
_ON = 15  # steps of sound that an end may move on over, to where it dies away
_PAUSE = 10  # steps of silence that part two sounds; stop consonants are silent for less
_SCRAP = 8  # steps: a shorter sound beyond a pause at the edge of a word is its neighbour's
_MOST_MOVED = 30  # steps of sound that go to a neighbour because a pause parts them from a word
_REMAINS = 0.3  # of the sound that a word's letters usually take: what it keeps at least
_LATER = 2  # steps: attention enters a word about one position of 20 ms early, in every voice measured
_DIP = 5  # steps to either side in which the border of two words without a pause is looked for
_UNSURE = 4.0  # steps: standard deviation of a border that attention found
_WORTH_DB = 10.0  # of level: as good as one standard deviation and a half
_SHORTEST = 3  # steps that a word keeps

_Span = tuple[int, int]  # first step, and the one after the last


def refine(words: Sequence[Word], loudness: Loudness) -> tuple[Word, ...]:
    """Move the edges of words to those of the sound.

    Args:
        words: of one recording, in order.
        loudness: of that recording.

    Returns:
        The same words at refined times: none starts before the one before it ends, unless it did already.
    """
    found: list[_Span] = []
    given = [(round(word.start / STEP), round(word.end / STEP)) for word in words]
    is_sound = loudness.is_sound | ~loudness.is_clear
    n_letters = [len(word.text.strip()) for word in words]
    borders = _parted_by_pauses(_out_of_silence(given, n_letters, is_sound), n_letters, is_sound)
    for index, (first, stop) in enumerate(borders):
        earliest = found[-1][1] if found else 0
        latest = borders[index + 1][0] if index + 1 < len(borders) else len(loudness.levels)
        trimmed = _trimmed(max(first, min(earliest, stop)), stop, is_sound)
        found.append(_grown(trimmed, min(earliest, trimmed[0]), max(latest, trimmed[1]), is_sound))
    _settle_borders(found, loudness.levels, is_sound)
    return tuple(
        word if span == border else replace(word, start=round(span[0] * STEP, 3), end=round(max(span) * STEP, 3))
        for word, span, border in zip(words, found, given, strict=True)
    )


def refine_segments(segments: Iterable[Segment], loudness: Loudness) -> tuple[Segment, ...]:
    """Refine the words of segments, and let each begin and end with its words."""
    parts = tuple(segments)
    words = iter(refine([word for segment in parts for word in segment.words], loudness))
    refined = []
    for segment in parts:
        own = tuple(next(words) for _ in segment.words)
        refined.append(replace(segment, words=own, start=own[0].start, end=own[-1].end) if own else segment)
    return tuple(refined)


def _out_of_silence(spans: Sequence[_Span], n_letters: Sequence[int], is_sound: npt.NDArray[np.bool_]) -> list[_Span]:
    """Let a word that was put into silence share the sound of the word after it, as their letters are.

    After a long pause attention often lies where it last was; the word after then has the sound of both.
    """
    shared = list(spans)
    for index in reversed(range(len(spans) - 1)):
        (first, stop), (begin, end) = shared[index : index + 2]
        heard, heard_after = is_sound[first:stop].sum(), is_sound[begin:end].sum()
        if heard < _SHORTEST and heard_after >= 2 * _SHORTEST and begin - stop < _PAUSE:
            first, stop = _trimmed(begin, end, is_sound)
            share = n_letters[index] / max(1, n_letters[index] + n_letters[index + 1])
            border = first + round(share * (stop - first))
            shared[index], shared[index + 1] = (first, border), (border, max(stop, end))
    return shared


def _parted_by_pauses(spans: Sequence[_Span], n_letters: Sequence[int], is_sound: npt.NDArray[np.bool_]) -> list[_Span]:
    """Let a pause inside a word be the one before it, or else the one after it, if enough of the word remains."""
    parted = list(spans)
    total = np.concatenate([[0], np.cumsum(is_sound)])  # steps of sound up to each step

    def heard(first: int, stop: int) -> int:
        return int(total[min(stop, len(is_sound))] - total[min(first, len(is_sound))])

    usual = sum(heard(*span) for span in spans) / max(1, sum(n + 1 for n in n_letters))
    index = 0
    for begin, end in _pauses(is_sound):
        while index < len(parted) and parted[index][1] <= end:
            index += 1
        if index == len(parted) or parted[index][0] >= begin:
            continue
        first, stop = parted[index]
        before, after, least = heard(first, begin), heard(end, stop), _REMAINS * usual * (n_letters[index] + 1)
        if before <= _MOST_MOVED and after >= least:
            parted[index] = end, stop
            if index and parted[index - 1][1] == first:
                parted[index - 1] = parted[index - 1][0], begin
        elif after == stop - end <= _MOST_MOVED and before >= least:  # or the next start would move back over silence
            parted[index] = first, begin
            if index + 1 < len(parted) and parted[index + 1][0] == stop:
                parted[index + 1] = end, parted[index + 1][1]
    return parted


def _pauses(is_sound: npt.NDArray[np.bool_]) -> list[_Span]:
    """Silences between two sounds, in order."""
    edges = (np.flatnonzero(np.diff(is_sound)) + 1).tolist()
    silences = edges if is_sound[:1].all() else edges[1:]
    return [(begin, end) for begin, end in zip(silences[::2], silences[1::2], strict=False) if end - begin >= _PAUSE]


def _trimmed(first: int, stop: int, is_sound: npt.NDArray[np.bool_]) -> _Span:
    """A word without the silence at its edges, and without what little sound lies beyond a pause there."""
    edges = np.flatnonzero(np.diff(is_sound[first:stop], prepend=False, append=False)).reshape(-1, 2) + first
    sounds: list[_Span] = []
    for begin, end in edges.tolist():
        if sounds and begin - sounds[-1][1] < _PAUSE:
            sounds[-1] = sounds[-1][0], end
        else:
            sounds.append((begin, end))
    while len(sounds) > 1 and sounds[0][1] - sounds[0][0] < _SCRAP:
        del sounds[0]
    while len(sounds) > 1 and sounds[-1][1] - sounds[-1][0] < _SCRAP:
        del sounds[-1]
    if not sounds or sounds[-1][1] - sounds[0][0] < _SHORTEST:
        return first, stop
    return sounds[0][0], sounds[-1][1]


def _grown(span: _Span, earliest: int, latest: int, is_sound: npt.NDArray[np.bool_]) -> _Span:
    """A word that begins or ends in the midst of sound, up to where that sets in or dies away, if it does nearby."""
    first, stop = span
    if first < len(is_sound) and is_sound[first]:
        silent = np.flatnonzero(~is_sound[max(earliest, first - _BACK) : first])
        first = max(earliest, first - _BACK) + int(silent[-1]) + 1 if len(silent) else first
    if 0 < stop <= len(is_sound) and is_sound[stop - 1]:
        silent = np.flatnonzero(~is_sound[stop : min(latest, stop + _ON)])
        stop += int(silent[0]) if len(silent) else 0
    return first, stop


def _settle_borders(spans: list[_Span], levels: npt.NDArray[np.float32], is_sound: npt.NDArray[np.bool_]) -> None:
    """Move the border of every two words that touch to a low level near it, in place."""
    for index in range(len(spans) - 1):
        (first, border), (begin, stop) = spans[index : index + 2]
        if border != begin:
            continue
        lowest = max(border - _DIP, first + _SHORTEST)
        silent = np.flatnonzero(~is_sound[lowest:border])
        lowest += int(silent[-1]) + 1 if len(silent) else 0  # no start moves back over silence
        highest = min(border + _DIP + 1, stop - _SHORTEST, len(levels))
        if lowest < highest and is_sound[lowest:highest].any():
            away = (np.arange(lowest, highest) - border - _LATER) / _UNSURE
            border = lowest + int((levels[lowest:highest] / _WORTH_DB + away**2 / 2).argmin())
            spans[index], spans[index + 1] = (first, border), (border, stop)
