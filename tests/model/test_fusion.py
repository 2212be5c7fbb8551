"""What stands in for a network's layers after loading gives the network's own numbers."""

import copy

import pytest
import torch
from torch import nn

from subwhisper.model.dims import ModelDims
from subwhisper.model.few_rows import HalfWeightLinear, TransposedLinear, suit_few_rows, widens_fast
from subwhisper.model.fusion import fuse, shorten
from subwhisper.model.whisper import Whisper

DIMS = ModelDims(80, 60, 64, 2, 2, 600, 40, 64, 2, 2)
KINDS = [
    TransposedLinear,
    pytest.param(
        HalfWeightLinear,
        marks=pytest.mark.skipif(not widens_fast(), reason="FBGEMM has no half weights on this processor"),
    ),
]


def network() -> Whisper:
    torch.manual_seed(3)
    made = Whisper(DIMS).eval().requires_grad_(False)
    for weights in made.parameters():
        weights.copy_(weights.half())
    return made


@pytest.mark.parametrize("rows_per_window", [1, 3])
def test_a_fused_network_reads_as_the_plain_one(rows_per_window: int) -> None:
    plain = network()
    fused = copy.deepcopy(plain)
    fuse(fused.encoder)
    fuse(fused.decoder)
    suit_few_rows(fused)
    shorten(fused)
    mel, tokens = torch.randn(2, 80, 120), torch.randint(600, (2 * rows_per_window, 9))
    expected = plain.encode(mel)
    torch.testing.assert_close(fused.encode(mel), expected, atol=1e-5, rtol=1e-5)
    cache = plain.start(plain.hear(expected), rows_per_window=rows_per_window)
    stepped = fused.start(fused.hear(expected), rows_per_window=rows_per_window)
    for first, end in ((0, 4), (4, 5), (5, 6), (6, 9)):
        logits = plain.decode(tokens[:, first:end], cache)
        torch.testing.assert_close(fused.decode(tokens[:, first:end], stepped), logits, atol=1e-4, rtol=1e-4)


def test_rows_that_go_on_alone_read_as_before() -> None:
    fused = network()
    fuse(fused.encoder)
    fuse(fused.decoder)
    shorten(fused)
    features = fused.encode(torch.randn(3, 80, 120))
    tokens = torch.randint(600, (6, 7))
    cache = fused.start(fused.hear(features), rows_per_window=2, filler=torch.tensor([0, 0, 2, 2, 0, 0]))
    all_rows = fused.start(fused.hear(features), rows_per_window=2, filler=torch.tensor([0, 0, 2, 2, 0, 0]))
    for one in (cache, all_rows):
        fused.decode(tokens[:, :5], one)
    kept = torch.tensor([2, 3, 4, 5])
    cache.keep(kept)
    expected = fused.decode(tokens[:, 5:6], all_rows)[kept]
    torch.testing.assert_close(fused.decode(tokens[kept, 5:6], cache), expected, atol=1e-5, rtol=1e-5)


def test_keys_and_values_of_the_audio_may_be_kept_in_half_the_space() -> None:
    fused = network()
    features = fused.encode(torch.randn(2, 80, 120))
    tokens = torch.randint(600, (2, 5))
    expected = fused.decode(tokens, fused.start(fused.hear(features)))
    fused.decoder.cross_dtype = torch.bfloat16
    cache = fused.start(fused.hear(features))
    assert cache.cross[0].keys.dtype == torch.bfloat16
    found = fused.decode(tokens, cache)
    assert (found - expected).norm() / expected.norm() < 0.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(96, 32), (32, 96)])
@pytest.mark.parametrize("rows", [(1,), (5,), (1, 1), (2, 3), (40, 1)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_a_stand_in_multiplies_as_the_plain_layer(
    kind: type[nn.Module], shape: tuple[int, int], rows: tuple[int, ...], has_bias: bool
) -> None:
    torch.manual_seed(1)
    plain = nn.Linear(shape[1], shape[0], bias=has_bias).requires_grad_(False)
    plain.weight.copy_(plain.weight.half())
    x = torch.randn(*rows, shape[1])
    torch.testing.assert_close(kind(plain.weight, plain.bias)(x), plain(x), atol=1e-5, rtol=1e-5)


def test_weights_of_full_precision_are_not_rounded() -> None:
    torch.manual_seed(1)
    precise = Whisper(ModelDims(80, 60, 600, 2, 1, 600, 40, 600, 2, 1)).eval()
    suit_few_rows(precise)
    assert not any(isinstance(module, HalfWeightLinear) for module in precise.modules())
