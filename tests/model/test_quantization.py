import pytest
import torch
from torch import nn

from subwhisper.model.dims import ModelDims
from subwhisper.model.few_rows import widens_fast
from subwhisper.model.quantization import (
    FbgemmInt8Linear,
    Int8Linear,
    OneDnnInt8Linear,
    PackedInt8Linear,
    fetches_fast,
    multiplies_fast,
    quantize,
)
from subwhisper.model.stand_ins import replace_linears
from subwhisper.model.whisper import Whisper

CPU = torch.device("cpu")
KINDS = [
    Int8Linear,
    pytest.param(
        OneDnnInt8Linear,
        marks=pytest.mark.skipif(not multiplies_fast(), reason="this processor has no VNNI"),
    ),
    pytest.param(
        FbgemmInt8Linear,
        marks=pytest.mark.skipif(not fetches_fast(), reason="there is no FBGEMM for this processor"),
    ),
]


def layer(n_in: int = 48, n_out: int = 64, *, bias: bool = True) -> nn.Linear:
    torch.manual_seed(2)
    return nn.Linear(n_in, n_out, bias=bias)


def quantised(kind: type[Int8Linear] | type[PackedInt8Linear], linear: nn.Linear) -> nn.Module:
    return kind(linear.weight, linear.bias)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_rows", [1, 10, 1500])
def test_eight_bits_are_close_to_float(kind: type[Int8Linear], n_rows: int) -> None:
    linear = layer()
    x = torch.randn(2, n_rows, 48)
    expected = linear(x)
    error = (quantised(kind, linear)(x) - expected).norm() / expected.norm()
    assert error < (0.03 if kind is FbgemmInt8Linear else 0.015)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("others", [torch.randn(8, 48) * 1000, torch.full((1600, 48), -1e-3), torch.zeros(3, 48)])
def test_a_row_does_not_depend_on_the_rows_beside_it(kind: type[Int8Linear], others: torch.Tensor) -> None:
    """With one scale for the whole tensor, a loud neighbour would cost a quiet row its precision.

    Where a processor has matrix units (AMX), oneDNN has other programs for one row than for many: the last digit may
    differ.
    """
    layer_in_8_bits = quantised(kind, layer())
    last_digit = 1e-6 if kind is OneDnnInt8Linear else 0
    row = torch.randn(1, 48)
    for rows in (torch.cat([row, others]), torch.cat([others, row]).flip(0)):
        torch.testing.assert_close(layer_in_8_bits(rows)[:1], layer_in_8_bits(row), atol=last_digit, rtol=last_digit)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_of_zeros_stays_zero(kind: type[Int8Linear]) -> None:
    assert quantised(kind, layer(bias=False))(torch.zeros(1, 48)).abs().max() == 0


def test_a_whole_network_in_eight_bits_is_close_and_decodes_windows_apart() -> None:
    dims = ModelDims(80, 100, 64, 2, 2, 600, 32, 64, 2, 2)
    torch.manual_seed(3)
    network = Whisper(dims).eval().requires_grad_(False)
    mel, tokens = torch.randn(3, 80, 200), torch.randint(600, (3, 5))
    expected = network.decode(tokens, network.start(network.hear(network.encode(mel))))
    quantize(network, CPU)
    together = network.decode(tokens, network.start(network.hear(network.encode(mel))))
    assert (together - expected).norm() / expected.norm() < 0.03
    alone = network.decode(tokens[1:2], network.start(network.hear(network.encode(mel[1:2]))))
    torch.testing.assert_close(together[1:2], alone, atol=1e-4, rtol=1e-4)


def test_every_linear_layer_is_replaced_and_nothing_else() -> None:
    network = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Sequential(layer(), nn.GELU()), nn.LayerNorm(4))
    replace_linears(network, lambda path, weight: Int8Linear if path == "1.0" else None)
    names = [type(module).__name__ for module in network.modules()]
    assert names == ["Sequential", "Conv1d", "Sequential", "Int8Linear", "GELU", "LayerNorm"]


@pytest.mark.skipif(not fetches_fast() or not widens_fast(), reason="there is no FBGEMM for this processor")
def test_loud_weights_and_loud_sounds_do_not_overflow() -> None:
    """Pairs of products are added in 16 bits where there is no VNNI: with weights of 8 bits 64 came out as 0.5."""
    weight = torch.ones(32, 64)
    for sign in (1, -1):
        found = FbgemmInt8Linear(weight, None)(torch.full((2, 64), float(sign)))
        torch.testing.assert_close(found, torch.full((2, 32), 64.0 * sign), atol=0.01, rtol=0)
