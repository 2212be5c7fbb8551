"""The step of a single token in shapes that never change, so that it can be recorded once and replayed.

Where it reads and writes stands in tensors on the device, not in Python's numbers. Self-attention is over the whole
capacity of a cache, and what lies behind the position is hidden. The numbers are those of `Decoder.read`, but for
rounding.

Shapes: R decoder rows, H heads, C capacity, d head width, V vocabulary.
"""

import torch
from torch import Tensor

from subwhisper.model.cache import KeyValueCache
from subwhisper.model.whisper import Decoder


class PositionedCache(KeyValueCache):
    """The store of another cache, written at a position on the device and read as a whole.

    It is what a decoder's blocks ask for in a step, and no more: its length and its rows are the other's affair.
    """

    def __init__(self, cache: KeyValueCache, position: Tensor) -> None:
        """Share the store as it lies now; `position` (1,) may change, the store must not be replaced."""
        self.cross, self.rows_per_window, self.filler = cache.cross, cache.rows_per_window, cache.filler
        self._store, self._position = cache.known, position

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write (R, H, 1, d) keys and values; return all, known or not, (R, H, C, d)."""
        store = self._store[layer]
        for kept, new in ((store[0], keys), (store[1], values)):
            kept.index_copy_(2, self._position, new.to(kept.dtype))
        return store[0], store[1]

    def append_one(self, layer: int, keys_and_values: Tensor) -> tuple[Tensor, Tensor]:
        """Write one token of each row, (R, 2, H, d); return all keys and all values, (R * H, C, d)."""
        store = self._store[layer]
        new = keys_and_values.transpose(0, 1)[:, :, :, None]
        store.index_copy_(3, self._position, new.to(store.dtype))
        known = store.flatten(1, 2)
        return known[0], known[1]


class FixedStep:
    """Reads one token of every row of a cache; holds for the store that the cache has now."""

    def __init__(self, decoder: Decoder, cache: KeyValueCache) -> None:
        """Reserve what the step reads; the cache itself is not held on to."""
        device = cache.known.device
        self._decoder = decoder
        self._position = torch.zeros(1, dtype=torch.long, device=device)
        self._tokens = torch.zeros(cache.known.shape[2], 1, dtype=torch.long, device=device)
        self._places = torch.arange(cache.capacity, device=device)
        self._cache = PositionedCache(cache, self._position)

    @property
    def dtype(self) -> torch.dtype:
        """In which keys and values are kept: as precise as the step can be."""
        return self._cache.known.dtype

    def aim(self, tokens: Tensor, position: int) -> None:
        """Set which (R, 1) tokens are read, and where."""
        self._tokens.copy_(tokens)
        self._position.fill_(position)

    def __call__(self) -> Tensor:
        """(R, 1, V) float32 logits of what follows; the same again until it is aimed elsewhere."""
        decoder, filler = self._decoder, self._cache.filler
        counted = self._position if filler is None else self._position - filler
        x = decoder.token_embedding(self._tokens) + decoder.positional_embedding.index_select(0, counted)[:, None]
        mask = self._mask(x)
        for layer, block in enumerate(decoder.layers()):
            x = block.step(x, layer, self._cache, mask)
        return decoder.logits(x)

    def _mask(self, like: Tensor) -> Tensor:
        """(R or 1, 1, 1, C) mask that hides filler, and what is not known yet."""
        hidden = (self._places > self._position)[None]
        if self._cache.filler is not None:
            hidden = hidden | (self._places < self._cache.filler[:, None])
        return torch.zeros_like(hidden, dtype=like.dtype).masked_fill_(hidden, float("-inf"))[:, None, None]
