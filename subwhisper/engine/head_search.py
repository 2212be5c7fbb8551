"""Which heads of a decoder follow the speech, found from words whose times are known.

Each head by itself aligns the text of every window; those whose words start nearest to the truth are joined, best
first, as long as the mean of their attention gets nearer still.

Shapes: N heads, T tokens of a text and one after it, A audio positions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from subwhisper.engine.alignment import attention_map
from subwhisper.engine.dtw import dtw
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.catalog import Heads
from subwhisper.model.whisper import Whisper

POSITIONS_PER_SECOND = 50
MOST_HEADS = 10
"""Public models state six to twenty-three; more only cost time."""
_TRIED = 24  # heads that are worth a try, best first


@dataclass(frozen=True, slots=True)
class KnownWindow:
    """A window of sound and what is said in it."""

    features: Tensor
    """(1, A, D) from the encoder."""
    n_positions: int
    """Of the audio that count."""
    words: tuple[str, ...]
    """With their leading spaces."""
    starts: tuple[float, ...]
    """Of each word, in seconds from the window's start."""


@dataclass(frozen=True, slots=True)
class FoundHeads:
    """The heads that were found, and how far word starts are from the truth, as the mean in seconds."""

    heads: Heads
    error: float
    error_before: float
    """With the heads that the model has now."""


@dataclass(frozen=True, slots=True)
class _Mapped:
    """The attention of every head in one window."""

    maps: Tensor
    """(N, T, A)."""
    first_tokens: tuple[int, ...]
    """Of each word, an index into T."""
    starts: tuple[float, ...]

    def error(self, chosen: Sequence[int]) -> float:
        """Mean distance of word starts from the truth, in seconds, with these heads."""
        path = dtw(-self.maps[list(chosen)].mean(dim=0).cpu().double().numpy())
        entered = path[1][np.diff(path[0], prepend=-1) > 0] / POSITIONS_PER_SECOND
        return float(np.abs(entered[list(self.first_tokens)] - np.array(self.starts)).mean())


def find_heads(
    model: Whisper,
    tokenizer: Tokenizer,
    windows: Sequence[KnownWindow],
    *,
    now: Heads,
    language: str,
    on_progress: Callable[[int, int], None],
) -> FoundHeads:
    """Search the whole decoder.

    Args:
        model: any precision.
        tokenizer: its own.
        windows: at least one, with at least one word each; a minute or two of speech is plenty.
        now: the heads that the model has.
        language: that is spoken.
        on_progress: hears of windows read, and of how many there are.
    """
    every = [(layer, head) for layer in range(model.dims.n_text_layer) for head in range(model.dims.n_text_head)]
    mapped = []
    for window in windows:
        mapped.append(_mapped(model, tokenizer, window, every, language))
        on_progress(len(mapped), len(windows))

    def error(chosen: Sequence[int]) -> float:
        return float(np.mean([window.error(chosen) for window in mapped]))

    alone = [error([number]) for number in range(len(every))]
    ranked = sorted(range(len(every)), key=alone.__getitem__)
    chosen, best = ranked[:1], alone[ranked[0]]
    for candidate in ranked[1:_TRIED]:
        joined = error([*chosen, candidate])
        if joined < best and len(chosen) < MOST_HEADS:
            chosen, best = [*chosen, candidate], joined
    before = error([every.index(at) for at in now])
    if before <= best:
        return FoundHeads(now, before, before)
    return FoundHeads(tuple(sorted(every[number] for number in chosen)), best, before)


def _mapped(
    model: Whisper, tokenizer: Tokenizer, window: KnownWindow, every: list[tuple[int, int]], language: str
) -> _Mapped:
    """Read one window's text once, and keep where each head looks."""
    pieces = [tokenizer.encode(word) for word in window.words]
    before = [*tokenizer.start_sequence(language, "transcribe"), tokenizer.no_timestamps]
    tokens = [*before, *(token for piece in pieces for token in piece), tokenizer.eot]
    with torch.inference_mode():
        read = torch.tensor([tokens], device=window.features.device)
        _, scores = model.attention_scores(read, model.hear(window.features), every)
        maps = [attention_map(scores[0, n : n + 1, :, : window.n_positions]) for n in range(len(every))]
    first_tokens = np.cumsum([0, *(len(piece) for piece in pieces[:-1])])
    # the rows start one token before the text: a token is spoken while the one before it is read
    return _Mapped(torch.stack(maps)[:, len(before) - 1 : -1], tuple(map(int, first_tokens)), window.starts)
