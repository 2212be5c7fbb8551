"""Momentum made orthogonal, for the matrices of a network; AdamW for everything else.

Each update of a matrix is replaced by the nearest matrix whose singular values are all alike, so that rare directions
are learnt as fast as common ones. After Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024;
the size of the steps as in Liu et al., "Muon is scalable for LLM training" (2025), so that AdamW's learning rates hold.

torch's own Muon takes one matrix at a time and multiplies in bfloat16; here matrices of one shape go through together,
in bfloat16 only where the device has instructions for it: others are several times as fast in float32.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from subwhisper.training.precision import multiplies_bfloat16

_ITERATION = (3.4445, -4.7750, 2.0315)
"""Coefficients of an odd polynomial that pulls every singular value towards one."""
_N_ITERATIONS = 5
_RMS = 0.2
"""Root mean square of an update before the learning rate, as AdamW's updates have it."""


class Muon(torch.optim.Optimizer):
    """Orthogonal updates for matrices.

    Args:
        params: groups of two-dimensional parameters.
        lr: learning rate, as for AdamW.
        momentum: share of the running sum of gradients kept at each step.
        weight_decay: share of a weight, times the learning rate, that is lost at each step.
    """

    def __init__(
        self, params: Iterable[Tensor], *, lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step along the gradients, which are there: `closure` is not called."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for parameters in by_shape.values():
                self._step(parameters, group)

    def _step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        momenta = [self.state[p].setdefault("momentum", torch.zeros_like(p)) for p in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])  # Nesterov's
        updates = orthogonal(torch.stack(list(ahead)))
        size = _RMS * max(updates.shape[-2:]) ** 0.5
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, list(updates.unbind()), alpha=-group["lr"] * size)


def orthogonal(matrices: Tensor) -> Tensor:
    """Pull the singular values of (N, R, C) matrices towards one, by Newton's and Schulz's iteration."""
    first, third, fifth = _ITERATION
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    x = x.bfloat16() if multiplies_bfloat16(matrices.device) else x
    for _ in range(_N_ITERATIONS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=third, alpha=fifth), x, beta=first)
    return (x.mT if tall else x).to(matrices.dtype)
