import torch
from torch import nn

from subwhisper.model.quantization import Int8Linear, quantize


def layer(n_in: int = 48, n_out: int = 64, *, bias: bool = True) -> nn.Linear:
    torch.manual_seed(2)
    return nn.Linear(n_in, n_out, bias=bias)


def test_eight_bits_are_close_to_float() -> None:
    linear = layer()
    x = torch.randn(2, 10, 48)
    expected = linear(x)
    error = (Int8Linear(linear)(x) - expected).norm() / expected.norm()
    assert error < 0.02


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    """With one scale for the whole tensor, a loud neighbour would cost a quiet row its precision."""
    quantised = Int8Linear(layer())
    rows = torch.randn(9, 48)
    rows[1:] *= 1000
    torch.testing.assert_close(quantised(rows)[:1], quantised(rows[:1]), atol=0, rtol=0)


def test_a_row_of_zeros_stays_zero() -> None:
    assert Int8Linear(layer(bias=False))(torch.zeros(1, 48)).abs().max() == 0


def test_every_linear_layer_is_replaced_and_nothing_else() -> None:
    network = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Sequential(layer(), nn.GELU()), nn.LayerNorm(4))
    quantize(network)
    assert [type(module).__name__ for module in network.modules()] == [
        "Sequential",
        "Conv1d",
        "Sequential",
        "Int8Linear",
        "GELU",
        "LayerNorm",
    ]
