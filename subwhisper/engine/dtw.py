"""The cheapest way through a cost matrix, and nothing else."""

import numpy as np
import numpy.typing as npt

_DIAGONAL, _NEXT_TOKEN, _NEXT_POSITION = 0, 1, 2


def dtw(cost: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Find the cheapest monotonic path through a cost matrix.

    A diagonal step, or a step to the next token, is taken only where it is strictly the cheapest;
    all else stays on the token and moves on in time. Sums are kept in float32. Both are as in
    openai-whisper, so that ties end alike.

    Args:
        cost: (T, A); the price of hearing token `t` at audio position `a`. Lower is better.

    Returns:
        (2, L): token and position indices, both non-decreasing, corner to corner.

    Raises:
        ValueError: `cost` is empty or holds a NaN.

    Source: Sakoe & Chiba 1978, doi:10.1109/TASSP.1978.1163055; steps (1,1), (1,0), (0,1), equal weight.
    """
    if cost.ndim != 2 or cost.size == 0 or np.isnan(cost).any():
        raise ValueError(f"cost must be a matrix without NaN, got shape {cost.shape}")
    return _backtrace(_steps(cost.astype(np.float64)))


def _steps(cost: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """(T, T + A - 1): the step that led to each cell, skewed so that column t + a holds cell (t, a).

    All cells of one anti-diagonal depend only on the two before it, so each is one vector operation.
    """
    n_tokens, n_positions = cost.shape
    n_diagonals = n_tokens + n_positions - 1
    padded = np.full((n_tokens, n_diagonals + 1), np.inf)
    padded[:, :n_positions] = cost
    skewed = padded.reshape(-1)[: n_tokens * n_diagonals].reshape(n_tokens, n_diagonals)  # each row one further right
    columns = np.ascontiguousarray(skewed.T)

    steps = np.empty((n_diagonals, n_tokens), np.int8)
    # sums[t + 1]: the path to cell (t, d - t); index 0 is the border above the first token
    before = np.full(n_tokens + 1, np.inf, np.float32)
    last = np.full(n_tokens + 1, np.inf, np.float32)
    before[0] = 0.0  # the corner from which the first cell is entered diagonally
    for d in range(n_diagonals):
        diagonal, next_token, next_position = before[:-1], last[:-1], last[1:]
        is_diagonal = (diagonal < next_token) & (diagonal < next_position)
        is_next_token = (next_token < diagonal) & (next_token < next_position)
        step = np.where(is_diagonal, _DIAGONAL, np.where(is_next_token, _NEXT_TOKEN, _NEXT_POSITION))
        best = np.where(is_diagonal, diagonal, np.where(is_next_token, next_token, next_position))
        steps[d] = step
        current = np.full(n_tokens + 1, np.inf, np.float32)
        current[1:] = columns[d] + best.astype(np.float64)
        before, last = last, current
    return steps.T


def _backtrace(steps: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Follow the steps back from the last corner; along the borders there is only one way."""
    n_tokens, n_diagonals = steps.shape
    token, position = n_tokens - 1, n_diagonals - n_tokens
    path = [(token, position)]
    while token > 0 or position > 0:
        step = steps[token, token + position]
        if token == 0:
            step = _NEXT_POSITION
        elif position == 0:
            step = _NEXT_TOKEN
        token -= step != _NEXT_POSITION
        position -= step != _NEXT_TOKEN
        path.append((token, position))
    return np.array(path[::-1], dtype=np.int64).T
