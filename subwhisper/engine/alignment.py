"""When each word of a window is spoken, read off the decoder's cross-attention.

Source: Radford et al. 2022, arXiv:2212.04356, and the rules openai-whisper adds; the constants and the
order of the rules are its own, because word times must equal it.

Shapes: N alignment heads, T text tokens with the token before them, A audio positions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from subwhisper.engine.dtw import dtw
from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.engine.windows import FRAMES_PER_POSITION, Window
from subwhisper.model.cache import HeardWindows
from subwhisper.model.compiled import numbers
from subwhisper.model.compiled.numbers import MEDIAN_WIDTH, best
from subwhisper.model.whisper import Whisper
from subwhisper.transcript import Segment, Word

_POSITIONS_PER_SECOND = FRAMES_PER_SECOND // FRAMES_PER_POSITION
_LONGEST_MEDIAN = 0.7  # seconds: no language has a usual word longer than this
_SENTENCE_ENDS = ".。!！?？"


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word of a window; times in seconds from the window's start."""

    text: str
    tokens: tuple[int, ...]
    start: float
    end: float
    probability: float

    @property
    def duration(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Aligner:
    """Finds word times for windows of one recording: network, language and punctuation stay the same."""

    model: Whisper
    tokenizer: Tokenizer
    heads: Sequence[tuple[int, int]]
    """(layer, head) of the decoder heads that follow the speech."""
    start: tuple[int, ...]
    """Control tokens of a window, as in decoding."""
    language: str
    prepended: str
    appended: str

    def add_words(
        self, segments: Sequence[Segment], heard: HeardWindows, window: Window, last_speech: float
    ) -> tuple[Segment, ...]:
        """Give each segment its words, and move its ends to theirs.

        Args:
            segments: of this window.
            heard: this window.
            window: where it lies.
            last_speech: seconds at which the word before this window ended.
        """
        texts = [[token for token in segment.tokens if token < self.tokenizer.eot] for segment in segments]
        timed = self.find([*chain.from_iterable(texts)], heard, window.n_frames // FRAMES_PER_POSITION)
        usual = _usual_duration(timed)
        timed = merge_punctuation(_shortened_at_sentence_ends(timed, 2 * usual), self.prepended, self.appended)
        per_segment = _distributed(timed, [len(text) for text in texts])
        settled = []
        for segment, timed_words in zip(segments, per_segment, strict=True):
            words = [_placed(word, window) for word in timed_words if word.text]
            if words:
                segment = _settled(segment, words, usual, last_speech)
                last_speech = segment.end
            settled.append(segment)
        return tuple(settled)

    def find(self, text: Sequence[int], heard: HeardWindows, n_positions: int) -> list[TimedWord]:
        """Align text tokens with the first `n_positions` audio positions of one window.

        A word starts where the path enters its first token, and ends where it enters the next word's.
        """
        if not text or n_positions < 1:
            return []
        entered, probabilities = self.entered(text, heard, n_positions)
        words = self.tokenizer.split_to_word_tokens([*text, self.tokenizer.eot], self.language)[:-1]
        bounds = np.cumsum([0, *(len(tokens) for _, tokens in words)])
        return [
            TimedWord(
                text=word,
                tokens=tokens,
                start=float(entered[first]),
                end=float(entered[end]),
                probability=float(np.mean(probabilities[first:end])),
            )
            for (word, tokens), first, end in zip(words, bounds[:-1], bounds[1:], strict=True)
        ]

    def entered(
        self, text: Sequence[int], heard: HeardWindows, n_positions: int
    ) -> tuple[npt.NDArray[np.float64], list[float]]:
        """When the path enters each token of a known text, and how probable each was.

        Args:
            text: T tokens, at least one.
            heard: the window.
            n_positions: of the audio that count, at least one.

        Returns:
            (T + 1,) seconds from the window's start, the last for what follows the text; and T probabilities.
        """
        tokens = [*self.start, self.tokenizer.no_timestamps, *text, self.tokenizer.eot]
        with torch.inference_mode():
            read = torch.tensor([tokens], device=heard.device)
            logits, scores = self.model.attention_scores(read, heard, self.heads)
            # the token before each text token tells how probable it was
            before = slice(len(self.start), len(self.start) + len(text))
            spoken = logits[0, before, : self.tokenizer.eot]
            chosen = torch.tensor(list(text), device=heard.device)
            probabilities = (spoken.gather(1, chosen[:, None])[:, 0] - best(spoken, 1)[2]).exp().tolist()
            cost = -attention_map(scores[0, :, :, :n_positions])[len(self.start) : -1]
        path = dtw(cost.cpu().numpy())
        entered = path[1][np.diff(path[0], prepend=-1) > 0]
        return entered / _POSITIONS_PER_SECOND, probabilities


def attention_map(scores: Tensor) -> Tensor:
    """Where each token listens, as the mean over heads of normalised, smoothed attention.

    Args:
        scores: (N, T, A) before softmax.

    Returns:
        (T, A) float32, higher where the token is heard.
    """
    compiled = numbers.attention_map(scores)
    if compiled is not None:
        return compiled
    weights = scores.float().softmax(dim=-1)
    std, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
    # a position that no token listens to tells nothing, and must not become 0 / 0
    normalised = torch.where(std > 0, (weights - mean) / std, 0.0)
    return median_filter(normalised, MEDIAN_WIDTH).mean(dim=0)


def median_filter(x: Tensor, width: int) -> Tensor:
    """Median over an odd `width` (at least 3) along the last dimension, mirrored at the ends; short input is kept.

    Works on whole arrays: of half the values and two more, the smallest and the largest cannot be the
    median and are dropped, one more value comes in, and so on. Many times faster than sorting each window.
    """
    half = width // 2
    if x.shape[-1] <= half:
        return x
    padded = torch.cat([x[..., 1 : half + 1].flip(-1), x, x[..., -half - 1 : -1].flip(-1)], dim=-1)
    columns = [padded[..., at : at + x.shape[-1]] for at in range(width)]
    pool, waiting = columns[: half + 2], columns[half + 2 :]
    while True:
        for at in range(1, len(pool)):
            pool[0], pool[at] = torch.minimum(pool[0], pool[at]), torch.maximum(pool[0], pool[at])
        for at in range(1, len(pool) - 1):
            pool[-1], pool[at] = torch.maximum(pool[-1], pool[at]), torch.minimum(pool[-1], pool[at])
        pool = pool[1:-1]
        if not waiting:
            return pool[0]
        pool.append(waiting.pop())


def merge_punctuation(words: Sequence[TimedWord], prepended: str, appended: str) -> list[TimedWord]:
    """Join marks to the word they belong to, whose times stay; the mark's own entry is left without text."""
    merged = list(words)
    following = len(merged) - 1
    for at in range(len(merged) - 2, -1, -1):
        mark = merged[at]
        if mark.text.startswith(" ") and mark.text.strip() in prepended:
            word = merged[following]
            merged[following] = replace(word, text=mark.text + word.text, tokens=mark.tokens + word.tokens)
            merged[at] = replace(mark, text="", tokens=())
        else:
            following = at
    previous = 0
    for at in range(1, len(merged)):
        word, mark = merged[previous], merged[at]
        if not word.text.endswith(" ") and mark.text in appended:
            merged[previous] = replace(word, text=word.text + mark.text, tokens=word.tokens + mark.tokens)
            merged[at] = replace(mark, text="", tokens=())
        else:
            previous = at
    return merged


def _usual_duration(words: Sequence[TimedWord]) -> float:
    """Median seconds of the words that last at all, within reason; 0 where there are none."""
    durations = [word.duration for word in words if word.duration]
    return min(_LONGEST_MEDIAN, float(np.median(durations))) if durations else 0.0


def _shortened_at_sentence_ends(words: Sequence[TimedWord], longest: float) -> list[TimedWord]:
    """Cut words beside the end of a sentence to `longest` seconds: the pause there is not theirs."""
    cut = list(words)
    if not longest:  # no word lasts at all
        return cut
    for at in range(1, len(cut)):
        if cut[at].duration > longest:
            if cut[at].text in _SENTENCE_ENDS:
                cut[at] = replace(cut[at], end=cut[at].start + longest)
            elif cut[at - 1].text in _SENTENCE_ENDS:
                cut[at] = replace(cut[at], start=cut[at].end - longest)
    return cut


def _distributed(words: Sequence[TimedWord], n_tokens: Sequence[int]) -> list[list[TimedWord]]:
    """Hand words out to segments of so many text tokens each; a word joined across a border goes to the first."""
    waiting = iter(words)
    shares = []
    for wanted in n_tokens:
        share: list[TimedWord] = []
        while wanted > 0 and (word := next(waiting, None)) is not None:
            share.append(word)
            wanted -= len(word.tokens)
        shares.append(share)
    return shares


def _placed(word: TimedWord, window: Window) -> Word:
    """The word on the recording's clock.

    Its times are whole mel frames; saying so removes the noise of floating point, on which the
    comparisons of `_settled` would otherwise hang.
    """
    start, end = (
        round((window.start + time) * FRAMES_PER_SECOND) / FRAMES_PER_SECOND for time in (word.start, word.end)
    )
    return Word(word.text, start, end, word.probability)


def _settled(segment: Segment, words: list[Word], usual: float, last_speech: float) -> Segment:
    """Make the ends of a segment and of its first and last word agree.

    After a pause, attention starts too early: the first two words get at most their usual share. Where
    the outer words reach far beyond the segment's own timestamps, the timestamps win; else the words do.
    """
    words = _shortened_after_pause(words, usual, last_speech)
    first = words[0]
    if first.end > segment.start and segment.start - 0.5 > first.start:
        words[0] = replace(first, start=max(0.0, min(first.end - usual, segment.start)))
    else:
        segment = replace(segment, start=first.start)
    last = words[-1]
    if last.start < segment.end and segment.end + 0.5 < last.end:
        words[-1] = replace(last, end=max(last.start + usual, segment.end))
    else:
        segment = replace(segment, end=last.end)
    return replace(segment, words=tuple(words))


def _shortened_after_pause(words: Sequence[Word], usual: float, last_speech: float) -> list[Word]:
    """Cut the first two words after a pause if they are longer than twice the usual duration."""
    cut, longest = list(words), 2 * usual
    first, second = cut[0], cut[1] if len(cut) > 1 else None
    is_long = first.end - first.start > longest or (second is not None and second.end - first.start > longest * 2)
    if first.end - last_speech > usual * 4 and is_long:
        if second is not None and second.end - second.start > longest:
            boundary = max(second.end / 2, second.end - longest)
            cut[0], cut[1] = replace(first, end=boundary), replace(second, start=boundary)
        cut[0] = replace(cut[0], start=max(0.0, cut[0].end - longest))
    return cut
