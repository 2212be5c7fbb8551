"""Word times for a text that is known: forced alignment of hours of sound.

What a recogniser heard tells roughly which part of the text is spoken where (`anchors`). From that the text is
cut into stretches that fit a window, at pauses between words that are sure; each stretch is then read by the decoder as
if it had written it, and its cross-attention gives the times. A passage for which there is no time between its
neighbours was not spoken and gets none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from subwhisper.engine.alignment import Aligner
from subwhisper.engine.anchors import bare, match
from subwhisper.engine.energy import STEP, Loudness
from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.memory import MemoryLadder
from subwhisper.engine.reader import WindowEncoder
from subwhisper.engine.windows import FRAMES_PER_POSITION, Window
from subwhisper.transcript import Word

_FASTEST = 30.0  # letters a second; fast talkers say 20
_SHORTEST_PASSAGE = 12  # letters: less than this may hide in the error of its neighbours' times
_MARGIN = 0.3  # seconds around a stretch: what is heard is timed no better
_FILLED = 0.9  # of a window that a stretch may take


@dataclass(frozen=True, slots=True)
class Place:
    """A word of the text and where it was heard, in seconds."""

    index: int
    start: float
    end: float


def places_in(text: Sequence[str], heard: Sequence[Word]) -> list[Place]:
    """Where the words of a text are that a recogniser heard too."""
    return [Place(i, heard[j].start, heard[j].end) for i, j in match(text, [word.text for word in heard])]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words of the text that one window holds."""

    words: tuple[int, ...]
    """Indices, in order; those of unspoken passages are left out."""
    start: float
    """Seconds between which they are spoken."""
    end: float


@dataclass(frozen=True, slots=True)
class ForcedAligner:
    """Aligns one recording."""

    encoder: WindowEncoder
    aligner: Aligner
    loudness: Loudness

    def align(
        self,
        text: Sequence[str],
        places: Sequence[Place],
        *,
        duration: float,
        on_progress: Callable[[float], None] | None = None,
    ) -> list[Word | None]:
        """Find when each word of a text is spoken.

        Args:
            text: words, each with the space before it where it has one; those without a letter or digit get no time.
            places: of the words that a recogniser heard, in order; the more the better.
            duration: of the recording, in seconds.
            on_progress: called with the seconds reached.

        Returns:
            One for each word of the text, written as it was given; `None` for one that is not spoken.
        """
        found: list[Word | None] = [None] * len(text)
        spoken = [index for index in spoken_words(text, places, self.loudness, duration) if bare(text[index])]
        tokens = {index: self.aligner.tokenizer.encode(text[index]) for index in spoken}
        dims = self.encoder.model.network.dims
        longest = _FILLED * self.encoder.model.window_frames / FRAMES_PER_SECOND
        room = dims.n_text_ctx - len(self.aligner.start) - 2
        laid = [*stretches(spoken, places, self.loudness, duration, longest=longest)]
        ladder = MemoryLadder(self.encoder.model, 1)
        timed = ladder.run(lambda some: [[*self._timed(stretch, text, tokens, room)] for stretch in some], laid)
        for stretch, words in zip(laid, timed, strict=True):
            for index, word in words:
                found[index] = word
            if on_progress is not None:
                on_progress(stretch.end)
        return found

    def _timed(
        self, stretch: Stretch, text: Sequence[str], tokens: dict[int, list[int]], room: int
    ) -> Iterator[tuple[int, Word]]:
        """The words of a stretch with their times; none if it has more than the decoder can read."""
        flat = [token for index in stretch.words for token in tokens[index]]
        first = round(stretch.start * FRAMES_PER_SECOND)
        n_frames = min(round(stretch.end * FRAMES_PER_SECOND) - first, self.encoder.model.window_frames)
        if not flat or len(flat) > room or n_frames < FRAMES_PER_POSITION:
            return
        heard = self.encoder.hear([Window(first, n_frames)])
        entered, chances = self.aligner.entered(flat, heard, n_frames // FRAMES_PER_POSITION)
        bounds = np.cumsum([0, *(len(tokens[index]) for index in stretch.words)])
        for index, begin, end in zip(stretch.words, bounds[:-1], bounds[1:], strict=True):
            start, ends = (float(first / FRAMES_PER_SECOND + entered[at]) for at in (begin, end))
            yield index, Word(text[index], start, ends, float(np.mean(chances[begin:end])))


def spoken_words(text: Sequence[str], places: Sequence[Place], loudness: Loudness, duration: float) -> list[int]:
    """Indices of the words that can have been spoken.

    Those of a passage that was not recognised, and for which the sound between its neighbours is too short, are
    left out.
    """
    edges = [Place(-1, 0.0, 0.0), *places, Place(len(text), duration, duration)]
    spoken: list[int] = []
    for before, after in pairwise(edges):
        between = range(before.index + 1, after.index)
        n_letters = sum(len(bare(text[index])) for index in between)
        sound = sound_between(loudness, before.end, after.start)
        if n_letters < _SHORTEST_PASSAGE or n_letters <= _FASTEST * sound:
            spoken += between
        if after.index < len(text):
            spoken.append(after.index)
    return spoken


def sound_between(loudness: Loudness, start: float, end: float) -> float:
    """Seconds of sound in a part of the recording."""
    return float(loudness.is_sound[round(start / STEP) : max(0, round(end / STEP))].sum() * STEP)


def stretches(
    spoken: Sequence[int], places: Sequence[Place], loudness: Loudness, duration: float, *, longest: float
) -> Iterator[Stretch]:
    """Cut the words into stretches of at most `longest` seconds, in order of time.

    A cut comes after a word that was heard: of those in the second half of the longest stretch possible, the one
    before the longest pause. A long part of the text in which nothing was recognised is shared out over its sound.
    """
    known = _guessed(spoken, places, loudness, duration, longest / 3)
    position = {index: at for at, index in enumerate(spoken)}
    first, at, start = 0, 0, 0.0  # the next place, the next word, the end of the stretch before
    while first < len(known):
        if position[known[first].index] == at:
            start = max(start, known[first].start - _MARGIN)
        stop = first + 1
        while stop < len(known) and known[stop].end - start <= longest - _MARGIN:
            stop += 1
        is_last = stop == len(known)
        last = stop - 1 if is_last else _best_cut(known, first, stop, start + longest / 2)
        end = known[last].end
        if is_last:
            n_words, limit = len(spoken) - at, duration
        else:
            n_words = position[known[last].index] + 1 - at
            limit = max(end, min(end + _MARGIN, known[last + 1].start))
        yield Stretch(tuple(spoken[at : at + n_words]), start, min(limit, start + longest))
        first, at, start = last + 1, at + n_words, max(start, end - _MARGIN / 3)


def _best_cut(known: Sequence[Place], first: int, stop: int, earliest: float) -> int:
    """Of the places from `first` to before `stop`, the one before the longest pause; early ones only if they must."""
    late = [index for index in range(first, stop) if known[index].end >= earliest] or [stop - 1]
    return max(late, key=lambda index: known[index + 1].start - known[index].end)


def _guessed(
    spoken: Sequence[int], places: Sequence[Place], loudness: Loudness, duration: float, longest: float
) -> list[Place]:
    """The places known, and guesses between those that are further apart than `longest` seconds."""
    positions = {index: position for position, index in enumerate(spoken)}
    edges = [Place(-1, 0.0, 0.0), *(p for p in places if p.index in positions), Place(-2, duration, duration)]
    sound = np.concatenate([[0.0], np.cumsum(loudness.is_sound) * STEP])  # seconds of it up to each step
    all_places: list[Place] = []
    for before, after in pairwise(edges):
        first = positions[before.index] + 1 if before.index >= 0 else 0
        stop = positions[after.index] if after.index >= 0 else len(spoken)
        n_words, gap = stop - first, after.start - before.end
        n_guesses = min(n_words, int(gap / longest)) if n_words else 0
        here, there = (sound[min(round(time / STEP), len(sound) - 1)] for time in (before.end, after.start))
        for guess in range(1, n_guesses + 1):
            share = guess / (n_guesses + 1)
            time = float(np.clip(np.searchsorted(sound, here + share * (there - here)) * STEP, before.end, after.start))
            all_places.append(Place(spoken[first + int(share * n_words)], time, time))
        if after.index >= 0:
            all_places.append(after)
    return all_places
