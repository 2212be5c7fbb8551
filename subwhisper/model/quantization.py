"""Linear layers in 8-bit whole numbers, which stand in for `nn.Linear` after loading.

Weights have one scale per output channel, activations one per row, found as they come. So a row's
result never depends on the rows beside it, and a window's text never on the windows decoded with it.

Shapes: N rows, I inputs, O outputs.
"""

import torch
from torch import Tensor, nn

_LARGEST = 127.0
_CUDA_ROWS = 32  # cuBLAS multiplies 8-bit matrices only of more than 16 rows, in multiples of 8


class Int8Linear(nn.Module):
    """A linear layer with 8-bit weights and activations, 32-bit sums, float32 in and out."""

    weight: Tensor
    """(O, I) int8."""
    scale: Tensor
    """(O,) float32: what one step of each output's weights is worth."""

    def __init__(self, linear: nn.Linear) -> None:
        """Quantise the weights of a float layer; its bias stays as it is."""
        super().__init__()
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / _LARGEST
        self.register_buffer("weight", (weight / scale[:, None]).round().to(torch.int8))
        self.register_buffer("scale", scale)
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        row_scale = rows.abs().amax(dim=1, keepdim=True).clamp_min(1e-20) / _LARGEST
        sums = _products((rows / row_scale).round().to(torch.int8), self.weight)
        y = sums.to(x.dtype) * (row_scale * self.scale)
        if self.bias is not None:
            y = y + self.bias
        return y.view(*x.shape[:-1], -1)


def _products(rows: Tensor, weight: Tensor) -> Tensor:
    """(N, I) x (O, I) int8 -> (N, O) int32, exact."""
    n_rows = len(rows)
    if rows.is_cuda:
        missing = -n_rows % _CUDA_ROWS
        rows = nn.functional.pad(rows, (0, 0, 0, missing))
    return torch._int_mm(rows, weight.t())[:n_rows]


def quantize(module: nn.Module) -> None:
    """Replace every `nn.Linear` inside `module` by its 8-bit stand-in."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Int8Linear(child))
        else:
            quantize(child)
