import pytest
import torch

from subwhisper.training.muon import Muon, orthogonal


@pytest.mark.parametrize("has_bfloat16", [True, False])
@pytest.mark.parametrize("shape", [(3, 16, 48), (2, 48, 16), (1, 32, 32)])
def test_every_direction_of_an_update_is_as_large(
    shape: tuple[int, int, int], has_bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_bfloat16)
    torch.manual_seed(1)
    uneven = torch.randn(shape) * torch.logspace(0, -1.5, shape[-1])
    found = torch.linalg.svdvals(orthogonal(uneven))
    assert found.min() > 0.5
    assert found.max() < 1.3


def test_it_finds_the_way_down() -> None:
    torch.manual_seed(1)
    weights = [torch.nn.Parameter(torch.randn(8, 24)), torch.nn.Parameter(torch.randn(24, 8))]
    wanted = torch.randn(8, 8)
    optimizer = Muon(weights, lr=0.05)
    losses = []
    for _ in range(200):
        loss = (weights[0] @ weights[1] - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 50


def test_weights_decay_without_gradients_of_their_own() -> None:
    weight = torch.nn.Parameter(torch.ones(4, 4))
    optimizer = Muon([weight], lr=0.1, weight_decay=0.5)
    weight.grad = torch.zeros(4, 4)
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.full((4, 4), 0.95))
