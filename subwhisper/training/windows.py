"""Utterances to training examples: a stretch of a window, its tokens, and what each of them listens to.

Pure functions over arrays; sound comes from `synthesis`, randomness from a generator that is handed in.

Units: a position is 20 ms of encoder output.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import ModelError
from subwhisper.training.synthesis import Phoneme, Utterance
from subwhisper.transcript import Word

POSITIONS_PER_SECOND = 50
IGNORE = -100
"""A label that counts for nothing, as torch's cross-entropy has it."""
LATEST_FIRST_TIMESTAMP = 1.0
"""Seconds; decoders allow the first timestamp no later than this (Whisper's `max_initial_timestamp`)."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An utterance and the second of the stretch at which it begins."""

    utterance: Utterance
    start: float

    @property
    def words(self) -> list[Word]:
        return [word.shifted(self.start) for word in self.utterance.words]

    @property
    def phonemes(self) -> list[Phoneme]:
        return [Phoneme(p.name, p.start + self.start, p.end + self.start) for p in self.utterance.phonemes]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a window: what is heard in it, and how it is to be written."""

    seconds: float
    placed: tuple[Placed, ...]
    first_position: int
    """Where in its window the stretch begins."""
    timestamps: bool
    recorded: float | None = None
    """Seconds after which the recording is over; decoders give the network zeros from there on."""

    def mix(self) -> Samples:
        """The sound, without noise, as far as there is any."""
        samples = np.zeros(round((self.recorded or self.seconds) * SAMPLE_RATE), np.float32)
        for item in self.placed:
            first = round(item.start * SAMPLE_RATE)
            piece = item.utterance.samples[: len(samples) - first]
            samples[first : first + len(piece)] += piece
        return samples


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What the network should answer, token by token."""

    tokens: tuple[int, ...]
    """Read by the decoder, prompt first."""
    targets: tuple[int, ...]
    """Expected after each token; IGNORE where nothing is asked."""
    listens: tuple[tuple[int, int], ...]
    """First and last + 1 position each target is heard at, counted from the stretch's start; empty where unknown."""


UNKNOWN = (0, 0)
Written = tuple[list[int], list[tuple[int, int]]]
"""Tokens, and where each is heard."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Turns stretches into labels with one vocabulary."""

    tokenizer: Tokenizer

    def __post_init__(self) -> None:
        if self.tokenizer.no_speech is None:
            raise ModelError("training needs a vocabulary with <|nospeech|>")

    def timestamp(self, stretch: Stretch, seconds: float) -> int:
        index = round(seconds * POSITIONS_PER_SECOND) + stretch.first_position
        return min(self.tokenizer.timestamp_begin + index, self.tokenizer.timestamp_end - 1)

    def labels(self, stretch: Stretch) -> Labels:
        """Write a stretch the way Whisper's own training does.

        With timestamps each sentence stands between two. One that the window's end cuts gives only its first, so
        that the next window begins there; but if nothing else is in the window, the words that fit are written.
        A stretch without speech answers "no speech" and, should a decoder go on all the same, ends at once.
        """
        if not stretch.placed:
            return self._silent(stretch)
        answer: list[int] = []
        listens: list[tuple[int, int]] = []
        context = [] if stretch.timestamps else [self.tokenizer.sot]
        start = self.tokenizer.sot if stretch.timestamps else self.tokenizer.no_timestamps
        for index, item in enumerate(stretch.placed):
            write = self._between_timestamps if stretch.timestamps else self._plain
            pieces, spans = write(item, stretch, is_first=index == 0)
            answer += pieces
            listens += spans
        end = stretch.placed[-1].words[-1].end
        answer.append(self.tokenizer.eot)
        listens.append(positions(end, end + 0.5, stretch))
        tokens = [*context, start, *answer[:-1]]
        targets = [*[IGNORE] * len(context), *answer]
        return Labels(tuple(tokens), tuple(targets), (*[UNKNOWN] * len(context), *listens))

    def _silent(self, stretch: Stretch) -> Labels:
        then = self.tokenizer.timestamp_begin if stretch.timestamps else self.tokenizer.no_timestamps
        tokens = (self.tokenizer.sot, then)
        return Labels(tokens, (self.tokenizer.no_speech or 0, self.tokenizer.eot), (UNKNOWN,) * len(tokens))

    def _plain(self, item: Placed, stretch: Stretch, *, is_first: bool) -> Written:
        return self._sentence(item, stretch)

    def _between_timestamps(self, item: Placed, stretch: Stretch, *, is_first: bool) -> Written:
        start, end = item.words[0].start, item.words[-1].end
        around = _around(start, stretch)
        if is_first and stretch.first_position == 0:
            start = min(start, LATEST_FIRST_TIMESTAMP)
        opening = self.timestamp(stretch, start)
        pieces, spans = self._sentence(item, stretch)
        if end > stretch.seconds:
            return ([opening, *pieces], [around, *spans]) if is_first else ([opening], [around])
        return [opening, *pieces, self.timestamp(stretch, end)], [around, *spans, _around(end, stretch)]

    def _sentence(self, item: Placed, stretch: Stretch) -> Written:
        """Tokens of the words that fit; letters share their word's time evenly, marks listen to the pause behind it."""
        words = [word for word in item.words if word.end <= stretch.seconds]
        pieces: list[int] = []
        spans: list[tuple[int, int]] = []
        for index, word in enumerate(words):
            gap_end = words[index + 1].start if index + 1 < len(words) else word.end + 0.3
            tokens = self.tokenizer.encode(word.text)
            letters = [sum(map(str.isalnum, self.tokenizer.decode([token]))) for token in tokens]
            total, done = max(1, sum(letters)), 0
            for token, n_letters in zip(tokens, letters, strict=True):
                start = word.start + (word.end - word.start) * done / total
                done += n_letters
                end = word.start + (word.end - word.start) * done / total
                pieces.append(token)
                spans.append(positions(start, end if n_letters else max(gap_end, end + 0.04), stretch))
        return pieces, spans


def misread(tokens: Sequence[int], n_text: int, share: float, random: np.random.Generator) -> list[int]:
    """Tokens of which a share, where they are text (below `n_text`), are any others: then the sound is what helps."""
    wrong = random.random(len(tokens)) < share
    others = random.integers(0, n_text, len(tokens)).tolist()
    return [
        other if token < n_text and is_wrong else token
        for token, other, is_wrong in zip(tokens, others, wrong, strict=True)
    ]


def _around(seconds: float, stretch: Stretch) -> tuple[int, int]:
    """What a timestamp is heard by: 60 ms on both sides."""
    return positions(seconds - 0.06, seconds + 0.06, stretch)


def positions(start: float, end: float, stretch: Stretch) -> tuple[int, int]:
    """Positions of a stretch that a span of seconds covers, at least one."""
    last = int(stretch.seconds * POSITIONS_PER_SECOND)
    first = min(max(0, round(start * POSITIONS_PER_SECOND)), last - 1)
    return first, min(max(first + 1, round(end * POSITIONS_PER_SECOND)), last)


def phoneme_frames(stretch: Stretch, classes: dict[str, int]) -> npt.NDArray[np.int64]:
    """Class of the speech sound at the middle of each position; 0 is silence."""
    frames = np.zeros(int(stretch.seconds * POSITIONS_PER_SECOND), np.int64)
    for item in stretch.placed:
        for phoneme in item.phonemes:
            first, last = (round(t * POSITIONS_PER_SECOND) for t in (phoneme.start, phoneme.end))
            frames[first:last] = classes.get(phoneme.name, 0)
    return frames


def place(utterances: Sequence[Utterance], gaps: Sequence[float], seconds: float) -> tuple[Placed, ...]:
    """Lay utterances one behind the other, each after its gap, as long as they begin inside the stretch."""
    placed: list[Placed] = []
    clock = 0.0
    for utterance, gap in zip(utterances, gaps, strict=True):
        clock += gap
        if clock >= seconds - 0.1:
            break
        placed.append(Placed(utterance, clock))
        clock += utterance.duration
    return tuple(placed)
