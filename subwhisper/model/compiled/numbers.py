"""Searching and smoothing in C, for what torch and numpy would do in many small operations.

Shapes: R rows, V numbers in each, N heads, T tokens, A audio positions.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from subwhisper.model.compiled.library import library


def best(logits: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest of (R, V) float32 logits and what all of them come to.

    Returns:
        (R, count) the largest, first; (R, count) where they are; (R,) log of the sum of all exponentials.
    """
    found = library()
    if found is None or logits.device.type != "cpu" or logits.dtype != torch.float32 or not logits.is_contiguous():
        values, places = logits.topk(count, dim=-1) if count > 1 else logits.max(dim=-1, keepdim=True)
        return values, places, logits.logsumexp(dim=-1)
    n_rows, n_numbers = logits.shape
    values, places, sums = (
        logits.new_empty(n_rows, count),
        torch.empty(n_rows, count, dtype=torch.long),
        logits.new_empty(n_rows),
    )
    pointers = values.data_ptr(), places.data_ptr(), sums.data_ptr()
    found.choose_rows(logits.data_ptr(), n_rows, n_numbers, count, *pointers)
    return values, places, sums


MEDIAN_WIDTH = 7


def attention_map(scores: Tensor) -> Tensor | None:
    """(N, T, A) float32 scores to the (T, A) map of `engine.alignment`; `None` where that is left to torch."""
    found = library()
    n_heads, n_tokens, n_positions = scores.shape
    is_plain = scores.device.type == "cpu" and scores.dtype == torch.float32 and scores.stride(2) == 1
    if found is None or not is_plain or n_positions <= MEDIAN_WIDTH // 2:
        return None
    rows = scores.stride(1)
    if scores.stride(0) != n_tokens * rows:
        return None
    smoothed = torch.empty(n_tokens, n_positions)
    failed = found.attention_map(scores.data_ptr(), n_heads, n_tokens, rows, n_positions, smoothed.data_ptr())
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
