"""What a decoder remembers between steps: its keys and values.

Shapes: R decoder rows, B windows, g rows of one window (R = B * g), H heads, C capacity,
A audio positions, d head width.

Rows of one window share its cross keys and values, so beams cost no extra memory there.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from subwhisper.model.pages import paged


class CrossAttended:
    """Keys and values of one layer's cross-attention, computed once per window."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        """Keep (B, H, A, d) keys and values, however they lie."""
        self.keys, self.values = keys, values

    @classmethod
    def by_width(
        cls, features: Tensor, project: Callable[[Tensor], tuple[Tensor, Tensor]], dtype: torch.dtype
    ) -> "CrossAttended":
        """Project (B, A, D) features to keys and values, (B, H, A, d) each, and keep these in `dtype`.

        They lie in the order in which single queries read them: each head's own, by width. A query reads all of them
        in every step; as the projection leaves them, that took up to 30 times as long. All lie in one piece: large
        ones are handed back to the system when they are done with, so that memory does not grow with the length of a
        recording.
        """
        kept = None
        # a processor gains nothing from larger matrices, and one by one needs less memory
        for first, some in enumerate([features] if features.is_cuda else torch.split(features, 1)):
            for which, projected in enumerate(project(some)):
                if kept is None:
                    _, heads, positions, width = projected.shape
                    shape = (2, len(features), heads, width, positions)
                    kept = paged(shape, dtype) if features.is_cpu else projected.new_empty(shape, dtype=dtype)
                kept[which, first : first + len(some)] = projected.transpose(-1, -2)
        assert kept is not None, "there is always a window"
        return cls(*kept.transpose(-1, -2))

    @cached_property
    def by_head(self) -> tuple[Tensor, Tensor]:
        """Keys and values with the heads of all windows in one row, (B * H, A, d) each."""
        return self.keys.flatten(0, 1), self.values.flatten(0, 1)

    def some(self, first: int, end: int) -> "CrossAttended":
        """Neighbouring windows; nothing is copied."""
        return CrossAttended(self.keys[first:end], self.values[first:end])

    def arrange(self, first: int, order: Sequence[int]) -> None:
        """Let the windows from `first` on be those at these places from now on; they move in place."""
        for kept in (self.keys, self.values):
            moving = [kept[at].clone() for at in order]
            for at, window in enumerate(moving, first):
                kept[at] = window


class HeardWindows:
    """Windows as the decoder hears them: cross keys and values of every layer, made once and read as often as needed.

    Every search for their texts, their language and their words' times read the same ones. A step reads the windows
    of its rows as one array; so those that a search goes on with are moved to the front, and none is lost.
    """

    def __init__(self, layers: Sequence[CrossAttended], dtype: torch.dtype) -> None:
        """Keep the layers of B windows, for a decoder that reckons in `dtype`."""
        self._layers = tuple(layers)
        self._lying = list(range(len(layers[0].keys)))  # the window at each place
        self.dtype = dtype

    def __len__(self) -> int:
        return len(self._lying)

    @property
    def device(self) -> torch.device:
        return self._layers[0].keys.device

    def in_front(self, windows: Sequence[int]) -> tuple[CrossAttended, ...]:
        """Every layer's keys and values of some windows, in this order; what was given out before holds no longer.

        Args:
            windows: indices, each once.
        """
        wanted = [*windows, *(window for window in self._lying if window not in windows)]
        moved = [place for place, (old, new) in enumerate(zip(self._lying, wanted, strict=True)) if old != new]
        if moved:
            first, end = moved[0], moved[-1] + 1
            order = [self._lying.index(window) for window in wanted[first:end]]
            for layer in self._layers:
                layer.arrange(first, order)
            self._lying = wanted
        return tuple(layer.some(0, len(windows)) for layer in self._layers)

    def one_by_one(self) -> list["HeardWindows"]:
        """Each window by itself; holds until windows are moved again."""
        places = [self._lying.index(window) for window in range(len(self))]
        return [HeardWindows([layer.some(at, at + 1) for layer in self._layers], self.dtype) for at in places]


class KeyValueCache:
    """Self-attention keys and values of every layer, preallocated; cross keys and values beside them."""

    def __init__(
        self,
        heard: HeardWindows,
        windows: Sequence[int],
        *,
        rows_per_window: int,
        capacity: int,
        filler: Tensor | None = None,
    ) -> None:
        """Reserve room for `capacity` tokens in each of len(windows) * rows_per_window rows.

        `filler` (R,) tells how many tokens at the start of each row are nothing but filler: rows that begin with
        prompts of different lengths end up equally long that way, and read as if there were none.
        """
        self._heard, self._windows = heard, list(windows)
        self.cross = heard.in_front(self._windows)
        n_windows, heads, _, width = self.cross[0].keys.shape
        shape = (len(self.cross), 2, n_windows * rows_per_window, heads, capacity, width)
        self.rows_per_window = rows_per_window
        self.filler = filler
        self.length = 0
        self.step: Callable[[Tensor, int], Tensor] | None = None
        """Reads one token of every row at a position; made for the store as it lies, so it goes with it."""
        self._store = torch.zeros(shape, dtype=heard.dtype, device=heard.device)

    @property
    def capacity(self) -> int:
        return self._store.shape[4]

    @property
    def n_windows(self) -> int:
        return len(self._windows)

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
        kept = self._store[:, :, :, :, : self.length]
        kept.copy_(kept.index_select(2, rows))

    def widen(self, times: int) -> None:
        """Continue every row in so many, so that a shared beginning is read once."""
        self.step = None
        self._store = self._store.repeat_interleave(times, dim=2)
        if self.filler is not None:
            self.filler = self.filler.repeat_interleave(times)
        self.rows_per_window *= times

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows (R') only, in order; either all rows of a window or none."""
        self.step = None
        kept = (rows[:: self.rows_per_window] // self.rows_per_window).tolist()
        self._windows = [self._windows[at] for at in kept]
        self.cross = self._heard.in_front(self._windows)
        self._store = self._store.index_select(2, rows)
        if self.filler is not None:
            self.filler = self.filler.index_select(0, rows)
