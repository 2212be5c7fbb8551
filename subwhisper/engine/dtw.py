"""The cheapest way through a cost matrix, and nothing else; in C where that is built, else with numpy."""

import numpy as np
import numpy.typing as npt

from subwhisper.model.compiled.numbers import cheapest_path


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
    exact = cost.astype(np.float32)
    path = cheapest_path(exact)
    return _backtrace(_sums(exact)) if path is None else path


def _sums(cost: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(T + A + 1, T + 1) price of the best path to each cell, an anti-diagonal a row, with a border before both axes.

    `sums[2 + t + a, 1 + t]` is that of cell (t, a). All cells of one anti-diagonal depend only on the two before
    it, so each is a few vector operations.
    """
    n_tokens, n_positions = cost.shape
    n_diagonals = n_tokens + n_positions - 1
    padded = np.full((n_tokens, n_diagonals + 1), np.inf, np.float32)
    padded[:, :n_positions] = cost
    skewed = padded.reshape(-1)[: n_tokens * n_diagonals].reshape(n_tokens, n_diagonals)  # each row one further right
    columns = np.ascontiguousarray(skewed.T)

    sums = np.full((n_diagonals + 2, n_tokens + 1), np.inf, np.float32)
    sums[0, 0] = 0.0  # the corner from which the first cell is entered diagonally
    above, beside = [*sums[:, :-1]], [*sums[:, 1:]]
    is_tie = np.empty(n_tokens, np.bool_)
    neighbours = zip(columns, above, above[1:], beside[1:], beside[2:], strict=False)
    for column, diagonal, next_token, next_position, here in neighbours:
        np.equal(diagonal, next_token, out=is_tie)
        np.minimum(diagonal, next_token, out=here)
        np.copyto(here, np.inf, where=is_tie)  # neither is strictly the cheapest
        np.minimum(here, next_position, out=here)
        np.add(here, column, out=here)
    return sums


def _backtrace(sums: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Follow the cheapest steps back from the last corner; along the borders there is only one way."""
    n_tokens = sums.shape[1] - 1
    token, position = n_tokens - 1, len(sums) - 2 - n_tokens
    path = [(token, position)]
    while token > 0 or position > 0:
        last = token + position + 1
        diagonal, next_token = sums.item(last - 1, token), sums.item(last, token)
        next_position = sums.item(last, token + 1)
        if diagonal < next_token and diagonal < next_position:
            token, position = token - 1, position - 1
        elif next_token < diagonal and next_token < next_position:
            token -= 1
        else:
            position -= 1
        path.append((token, position))
    return np.array(path[::-1], dtype=np.int64).T
