import numpy as np
import pytest

from subwhisper.engine.dtw import dtw


def planted_path(n_tokens: int, n_positions: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    token, position, path = 0, 0, [(0, 0)]
    while (token, position) != (n_tokens - 1, n_positions - 1):
        down, right = random.integers(0, 2, 2)
        if down + right == 0:
            continue
        token, position = min(token + down, n_tokens - 1), min(position + right, n_positions - 1)
        if (token, position) != path[-1]:
            path.append((token, position))
    return np.array(path).T


@pytest.mark.parametrize(("n_tokens", "n_positions"), [(1, 1), (1, 5), (5, 1), (3, 8), (40, 25), (25, 300)])
def test_dtw_recovers_a_planted_path(n_tokens: int, n_positions: int) -> None:
    path = planted_path(n_tokens, n_positions, seed=7)
    cost = np.ones((n_tokens, n_positions))
    cost[tuple(path)] = -1.0  # every step on the path pays, so no shortcut can tie

    np.testing.assert_array_equal(dtw(cost), path)


def test_ties_move_on_in_time() -> None:
    """openai-whisper's rule: where steps cost the same, the token stays."""
    np.testing.assert_array_equal(dtw(np.zeros((2, 3))), [[0, 1, 1, 1], [0, 0, 1, 2]])


def plain_dtw(cost: np.ndarray) -> float:
    total = np.full((cost.shape[0] + 1, cost.shape[1] + 1), np.inf)
    total[0, 0] = 0
    for t, a in np.ndindex(cost.shape):
        total[t + 1, a + 1] = cost[t, a] + min(total[t, a], total[t, a + 1], total[t + 1, a])
    return float(total[-1, -1])


@pytest.mark.parametrize("seed", range(20))
def test_no_path_is_cheaper(seed: int) -> None:
    random = np.random.default_rng(seed)
    cost = random.normal(size=tuple(random.integers(1, 30, 2)))
    assert cost[tuple(dtw(cost))].sum() == pytest.approx(plain_dtw(cost), abs=1e-4)


@pytest.mark.parametrize("cost", [np.zeros((0, 3)), np.array([[np.nan]])])
def test_a_matrix_that_cannot_be_walked_is_refused(cost: np.ndarray) -> None:
    with pytest.raises(ValueError, match="cost"):
        dtw(cost)
