"""What a decoder remembers between steps: its keys and values.

Shapes: R decoder rows, B windows, g rows of one window (R = B * g), H heads, C capacity,
A audio positions, d head width.

Rows of one window share its cross keys and values, so beams cost no extra memory there.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor


class CrossAttended:
    """Keys and values of one layer's cross-attention, computed once per window.

    They lie in the order in which single queries read them: each head's own, by width. A query reads all of them in
    every step; as the projection leaves them, that took up to 30 times as long.
    """

    def __init__(self, by_width: Tensor) -> None:
        """Keep (2, B, H, d, A): keys, then values."""
        self._by_width = by_width

    @classmethod
    def of(
        cls, features: Tensor, project: Callable[[Tensor], tuple[Tensor, Tensor]], dtype: torch.dtype
    ) -> "CrossAttended":
        """Project (B, A, D) features to keys and values, (B, H, A, d) each, and keep these in `dtype`.

        All lie in one piece: large ones are handed back to the system when they are done with, so that memory does
        not grow with the length of a recording.
        """
        kept = None
        # a processor gains nothing from larger matrices, and one by one needs less memory
        for first, some in enumerate([features] if features.is_cuda else torch.split(features, 1)):
            for which, projected in enumerate(project(some)):
                if kept is None:
                    _, heads, positions, width = projected.shape
                    kept = projected.new_empty((2, len(features), heads, width, positions), dtype=dtype)
                kept[which, first : first + len(some)] = projected.transpose(-1, -2)
        assert kept is not None, "there is always a window"
        return cls(kept)

    @property
    def keys(self) -> Tensor:
        """(B, H, A, d)."""
        return self._by_width[0].transpose(-1, -2)

    @property
    def values(self) -> Tensor:
        """(B, H, A, d)."""
        return self._by_width[1].transpose(-1, -2)

    @cached_property
    def by_head(self) -> tuple[Tensor, Tensor]:
        """Keys and values with the heads of all windows in one row, (B * H, A, d) each."""
        return self.keys.flatten(0, 1), self.values.flatten(0, 1)

    def keep(self, windows: Sequence[int]) -> "CrossAttended":
        """Go on with some windows, in order; they move up in place, and the others are gone."""
        for place, window in enumerate(windows):
            if place != window:
                self._by_width[:, place] = self._by_width[:, window]
        return CrossAttended(self._by_width[:, : len(windows)])


class KeyValueCache:
    """Self-attention keys and values of every layer, preallocated; cross keys and values beside them."""

    def __init__(
        self,
        cross: Sequence[CrossAttended],
        *,
        dtype: torch.dtype,
        rows_per_window: int,
        capacity: int,
        filler: Tensor | None = None,
    ) -> None:
        """Reserve room for `capacity` tokens in each of B * rows_per_window rows.

        `filler` (R,) tells how many tokens at the start of each row are nothing but filler: rows that begin with
        prompts of different lengths end up equally long that way, and read as if there were none.
        """
        windows, heads, _, width = cross[0].keys.shape
        shape = (len(cross), 2, windows * rows_per_window, heads, capacity, width)
        self.cross = tuple(cross)
        self.rows_per_window = rows_per_window
        self.filler = filler
        self.length = 0
        self._store = torch.zeros(shape, dtype=dtype, device=cross[0].keys.device)

    @property
    def capacity(self) -> int:
        return self._store.shape[4]

    @property
    def n_windows(self) -> int:
        return self.cross[0].keys.shape[0]

    @property
    def known(self) -> Tensor:
        """(layers, 2, R, H, C, d) keys and values; those from `length` on are still to be written."""
        return self._store

    def need(self, n_tokens: int) -> int:
        """How many tokens there will be with so many more; a ValueError if there is no room for them."""
        end = self.length + n_tokens
        if end > self.capacity:
            raise ValueError(f"the cache holds {self.capacity} tokens, {end} were asked for")
        return end

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write (R, H, T, d) keys and values behind the known ones; return all of them, (R, H, length + T, d).

        `length` itself moves only in `advance`, after every layer has appended.
        """
        end = self.need(keys.shape[2])
        store = self._store[layer]
        store[0, :, :, self.length : end] = keys
        store[1, :, :, self.length : end] = values
        return store[0, :, :, :end], store[1, :, :, :end]

    def append_one(self, layer: int, keys_and_values: Tensor) -> tuple[Tensor, Tensor]:
        """Write one token of each row, (R, 2, H, d); return all keys and all values, (R * H, length + 1, d)."""
        end = self.need(1)
        store = self._store[layer]
        store[:, :, :, self.length] = keys_and_values.transpose(0, 1)
        known = store.flatten(1, 2)[:, :, :end]
        return known[0], known[1]

    def advance(self, n_tokens: int) -> None:
        self.length += n_tokens

    def reorder(self, rows: Tensor) -> None:
        """Let row i continue what row `rows[i]` has been; rows must stay within their window."""
        if not torch.equal(rows, torch.arange(len(rows), device=rows.device)):
            kept = self._store[:, :, :, :, : self.length]
            kept.copy_(kept.index_select(2, rows))

    def widen(self, times: int) -> None:
        """Continue every row in so many, so that a shared beginning is read once."""
        self._store = self._store.repeat_interleave(times, dim=2)
        if self.filler is not None:
            self.filler = self.filler.repeat_interleave(times)
        self.rows_per_window *= times

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows (R') only, in order; either all rows of a window or none."""
        windows = (rows[:: self.rows_per_window] // self.rows_per_window).tolist()
        self.cross = tuple(cross.keep(windows) for cross in self.cross)
        self._store = self._store.index_select(2, rows)
        if self.filler is not None:
            self.filler = self.filler.index_select(0, rows)

    def trim(self, length: int) -> None:
        """Forget every token from position `length` on."""
        if not 0 <= length <= self.length:
            raise ValueError(f"cannot trim a cache of {self.length} tokens to {length}")
        self.length = length
