import pytest
import torch
from torch.nn import functional

from subwhisper.model.whisper import attend


@pytest.mark.parametrize(("n_positions", "is_fused"), [(40, False), (600, True)])
def test_long_windows_keep_no_scores_for_their_gradients(
    n_positions: int, is_fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plain way is quicker, but keeps the scores of all positions: of 30 s, gigabytes in every layer."""
    torch.manual_seed(1)
    query, keys, values = (torch.randn(1, 2, n_positions, 8, requires_grad=True) for _ in range(3))
    fused = functional.scaled_dot_product_attention
    expected = fused(query, keys, values)
    calls = []
    monkeypatch.setattr(functional, "scaled_dot_product_attention", lambda *a, **k: calls.append(a) or fused(*a, **k))
    torch.testing.assert_close(attend(query, keys, values), expected)
    assert bool(calls) == is_fused
