"""What a window of a user's material becomes for the network, and never twice the same.

A network of any size learns an hour of speech by heart in a few rounds, and the words faster than the sound. So each
round hears other runs of cues at another pace, from another throat, with other moments hidden, and reads a text in
which some words are wrong: then the sound is what helps.

Shapes: M mel bins, F frames, T tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from subwhisper.audio import SAMPLE_RATE
from subwhisper.engine.features import log_mel
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.training.augment import AugmentOptions, Random, from_another_throat, masked
from subwhisper.training.material import Example, Sentence
from subwhisper.training.windows import IGNORE, POSITIONS_PER_SECOND, misread

_LATEST_FIRST = 1.0
"""Seconds; openai's rules let no text begin later."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One window as it is heard, read and asked for."""

    mel: Tensor
    """(M, F) of a whole window; what the recording does not fill is zero, as decoders have it."""
    tokens: list[int]
    """T to read."""
    targets: list[int]
    """T to answer, IGNORE where nothing is asked."""


@dataclass(frozen=True, kw_only=True)
class VariationOptions:
    """How often what happens to a window, and how much of it."""

    excerpt: float = 0.5
    """Windows of which only a run of cues is heard."""
    slowest: float = 0.9
    fastest: float = 1.12
    """Pace, as a multiple of the recording's."""
    wrong: float = 0.15
    """Tokens of the text read that are any other; what is asked for stays right."""
    plain: float = 0.1
    """Windows that learn text without timestamps."""
    prompted: float = 0.5
    """Windows that are given the text before, where the model reads prompts."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """Turns examples into lessons for one model."""

    tokenizer: Tokenizer
    language: str
    n_text_ctx: int
    n_mels: int
    n_frames: int
    """Of a whole window."""
    variation: VariationOptions = VariationOptions()

    def lesson(self, example: Example) -> Lesson:
        """The window as it is, with timestamps: the same every time."""
        mel = log_mel(torch.from_numpy(example.samples), self.n_mels)[:, : self.n_frames]
        tokens, targets = self._labels(self._start(), example.sentences, is_plain=False)
        return Lesson(self._filled(mel), tokens, targets)

    def varied(self, example: Example, random: Random) -> Lesson:
        """The window as it has not been heard before."""
        options, augment = self.variation, AugmentOptions()
        is_part = len(example.sentences) > 1 and random.random() < options.excerpt
        some = excerpt(example, random) if is_part else example
        mel = log_mel(torch.from_numpy(some.samples), self.n_mels)
        pace = max(float(random.uniform(options.slowest, options.fastest)), mel.shape[1] / self.n_frames)  # it must fit
        mel = paced(mel, pace)[:, : self.n_frames]
        mel = masked(from_another_throat(mel, random, augment), random, augment)
        is_plain = random.random() < options.plain
        start = [*self._prompt(some.before, random), *self._start()]
        tokens, targets = self._labels(start, [_at_pace(one, pace) for one in some.sentences], is_plain=is_plain)
        return Lesson(self._filled(mel), misread(tokens, self.tokenizer.eot, self.variation.wrong, random), targets)

    def _filled(self, mel: Tensor) -> Tensor:
        return functional.pad(mel, (0, self.n_frames - mel.shape[1]))

    def _start(self) -> tuple[int, ...]:
        return tuple(self.tokenizer.start_sequence(self.language, "transcribe"))

    def _prompt(self, before: str, random: Random) -> list[int]:
        start = self.tokenizer.sot_prev
        if not before or start is None or random.random() >= self.variation.prompted:
            return []
        return [start, *self.tokenizer.encode(f" {before}")[-self.n_text_ctx // 4 :]]

    def _labels(
        self, start: Sequence[int], sentences: Sequence[Sentence], *, is_plain: bool
    ) -> tuple[list[int], list[int]]:
        """Tokens to read and tokens to answer, of one length."""
        asked = [*start, self.tokenizer.no_timestamps] if is_plain else [*start]
        answer: list[int] = []
        for index, sentence in enumerate(sentences):
            text = self.tokenizer.encode(f" {sentence.text}")
            first = min(sentence.start, _LATEST_FIRST) if index == 0 else sentence.start
            answer += text if is_plain else [self._timestamp(first), *text, self._timestamp(sentence.end)]
        answer = [*answer[: self.n_text_ctx - len(asked) - 1], self.tokenizer.eot]
        return [*asked, *answer[:-1]], [*[IGNORE] * (len(asked) - 1), *answer]

    def _timestamp(self, seconds: float) -> int:
        index = round(seconds * POSITIONS_PER_SECOND)
        return min(self.tokenizer.timestamp_begin + index, self.tokenizer.timestamp_end - 1)


def excerpt(example: Example, random: Random) -> Example:
    """A run of an example's cues, with some of the pauses around them."""
    said = example.sentences
    first = int(random.integers(len(said)))
    last = int(random.integers(first, len(said)))
    before = said[first - 1].end if first else 0.0
    after = said[last + 1].start if last + 1 < len(said) else len(example.sound) / SAMPLE_RATE
    start = min(said[first].start, max(before, said[first].start - random.uniform(0.0, 0.5)))
    end = max(said[last].end, min(after, said[last].end + random.uniform(0.05, 0.4)))
    inside = tuple(replace(one, start=one.start - start, end=one.end - start) for one in said[first : last + 1])
    sound = example.sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    text = " ".join(one.text for one in said[:first])
    return replace(example, sound=sound, sentences=inside, before=f"{example.before} {text}".strip())


def paced(mel: Tensor, pace: float) -> Tensor:
    """(M, F) to (M, F / pace): the same sound faster or slower, at the same pitch."""
    return functional.interpolate(mel[None], size=max(1, round(mel.shape[1] / pace)), mode="linear")[0]


def _at_pace(sentence: Sentence, pace: float) -> Sentence:
    return replace(sentence, start=sentence.start / pace, end=sentence.end / pace)
