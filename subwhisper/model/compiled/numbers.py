"""Searching and smoothing in C, for what torch and numpy would do in many small operations.

Shapes: R rows, V numbers in each, N heads, T tokens, A audio positions.
"""

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from subwhisper.model.compiled.library import ONE_AT_A_TIME, has_long_vectors, library


def _library_for(x: Tensor) -> ctypes.CDLL | None:
    """The library, where it can read these numbers: float32 of the processor's, side by side."""
    is_plain = x.device.type == "cpu" and x.dtype == torch.float32 and x.stride(-1) == 1 and not x.requires_grad
    return library() if is_plain else None


def best(logits: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest of (R, V) float32 logits and what all of them come to.

    Returns:
        (R, count) the largest, first; (R, count) where they are; (R,) log of the sum of all exponentials.
    """
    found = _library_for(logits)
    if found is None:
        values, places = logits.topk(count, dim=-1) if count > 1 else logits.max(dim=-1, keepdim=True)
        return values, places, logits.logsumexp(dim=-1)
    n_rows, n_numbers = logits.shape
    values, places, sums = (
        logits.new_empty(n_rows, count),
        torch.empty(n_rows, count, dtype=torch.long),
        logits.new_empty(n_rows),
    )
    pointers = values.data_ptr(), places.data_ptr(), sums.data_ptr()
    found.choose_rows(logits.data_ptr(), logits.stride(0), n_rows, n_numbers, count, *pointers)
    return values, places, sums


def rule_by_timestamps(logits: Tensor, begin: int, eot: int, no_text: Sequence[bool], earliest: Sequence[int]) -> bool:
    """Apply the rules of `engine.decoding.rules.TimestampRules` to (R, V) logits; False where that is left to torch.

    Args:
        logits: changed in place.
        begin: the first timestamp.
        eot: the first token that is no text.
        no_text: (R,) whether text may not come.
        earliest: (R,) the first timestamp that may come, at least `begin`; V where none may.
    """
    found = _library_for(logits)
    if found is None:
        return False
    n_rows, n_numbers = logits.shape
    rows = ctypes.c_int64 * n_rows
    sizes = logits.stride(0), n_rows, n_numbers, begin, eot
    found.rule_by_timestamps(logits.data_ptr(), *sizes, rows(*no_text), rows(*earliest))
    return True


def attention(joined: Tensor, n_heads: int) -> Tensor | None:
    """What every position hears from all, (B, T, 3 D) joined queries, keys and values to (B, T, D).

    `None` where that is left to torch: it is as fast on processors with shorter vectors.
    """
    found = _library_for(joined)
    n_windows, n_positions, width = joined.shape
    if found is None or not joined.is_contiguous() or not has_long_vectors() or width // 3 // n_heads % 32:
        return None
    heard = joined.new_empty(n_windows, n_positions, width // 3)
    sizes = n_windows, n_positions, width // 3, n_heads
    with ONE_AT_A_TIME:
        failed = found.attend_to_all(joined.data_ptr(), heard.data_ptr(), *sizes, torch.get_num_threads())
    return None if failed else heard


MEDIAN_WIDTH = 7


def attention_map(scores: Tensor) -> Tensor | None:
    """(N, T, A) float32 scores to the (T, A) map of `engine.alignment`; `None` where that is left to torch."""
    found = _library_for(scores)
    n_heads, n_tokens, n_positions = scores.shape
    if found is None or n_positions <= MEDIAN_WIDTH // 2:
        return None
    rows = scores.stride(1)
    if scores.stride(0) != n_tokens * rows:
        return None
    smoothed = torch.empty(n_tokens, n_positions)
    sizes = n_heads, n_tokens, rows, n_positions
    with ONE_AT_A_TIME:
        failed = found.attention_map(scores.data_ptr(), *sizes, smoothed.data_ptr(), torch.get_num_threads())
    return None if failed else smoothed


def cheapest_path(cost: npt.NDArray[np.float32]) -> npt.NDArray[np.int64] | None:
    """(T, A) costs to the (2, L) path of `engine.dtw`; `None` where that is left to numpy."""
    found = library()
    if found is None:
        return None
    n_tokens, n_positions = cost.shape
    exact, path = np.ascontiguousarray(cost), np.empty((2, n_tokens + n_positions), np.int64)
    length = found.cheapest_path(exact.ctypes.data, n_tokens, n_positions, path.ctypes.data)
    return None if length < 0 else path[:, path.shape[1] - length :]
