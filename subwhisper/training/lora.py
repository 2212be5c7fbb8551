"""Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): learn a small difference to a large matrix.

The adapted layer stands in for `Linear`; the network never knows. Shapes: I inputs, O outputs, r rank.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class AdaptedLinear(nn.Module):
    """A frozen `Linear` plus `scale` times the product of two thin matrices."""

    def __init__(self, frozen: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.frozen, self.scale = frozen, alpha / rank
        self.down = nn.Parameter(torch.empty(rank, frozen.in_features, device=frozen.weight.device))  # (r, I)
        self.up = nn.Parameter(torch.zeros(frozen.out_features, rank, device=frozen.weight.device))  # (O, r)
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """(…, I) -> (…, O)."""
        return self.frozen(x) + self.scale * functional.linear(functional.linear(x, self.down), self.up)  # type: ignore[no-any-return]

    def merged(self) -> nn.Linear:
        """One plain layer that does the same."""
        self.frozen.weight.data += (self.scale * self.up @ self.down).to(self.frozen.weight.dtype).detach()
        return self.frozen


def adapt(network: nn.Module, *, rank: int, alpha: float) -> list[nn.Parameter]:
    """Freeze a network, put adapters around its linear layers; returns what is learnt."""
    network.requires_grad_(False)
    learnt: list[nn.Parameter] = []
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Linear) and not isinstance(parent, AdaptedLinear):
                adapted = AdaptedLinear(layer, rank, alpha)
                setattr(parent, name, adapted)
                learnt += [adapted.down, adapted.up]
    return learnt


def merge(network: nn.Module) -> None:
    """Take the adapters out again; what they learnt stays in the weights."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, AdaptedLinear):
                setattr(parent, name, layer.merged())
