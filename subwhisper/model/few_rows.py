"""Linear layers of a decoder on a processor, which stand in for the plain ones after loading.

A decoder multiplies one row, or a few, with each matrix. Then the time goes into fetching the weights, and into
math libraries that were made for larger products:

- weights that are half precision at heart, as those of nearly every published checkpoint, are kept so and widened
  on the fly (FBGEMM): half as much to fetch, and the same numbers;
- small matrices stay in the processor's cache; they are laid out by inputs, the way in which few rows are multiplied
  without a detour: up to twice as fast as the plain layer.

Measured with 1 to 16 rows at Whisper's sizes: `benchmarks/few_rows.py`.

Shapes: R rows, I inputs, O outputs.
"""

import torch
from torch import Tensor, nn

from subwhisper.model.stand_ins import Kind, replace_linears
from subwhisper.model.whisper import Whisper

_SMALL = 2**18
"""Weights up to which a matrix stays in the processor's cache."""


class TransposedLinear(nn.Module):
    """A linear layer whose weights lie by inputs."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Copy (O, I) weights; the bias stays as it is."""
        super().__init__()
        # no buffers: it never moves to another device, and fetching a buffer takes as long as adding two rows
        self._weight = weight.detach().float().t().contiguous()
        self._bias = torch.zeros(len(weight)) if bias is None else bias.detach().float()

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 2:
            return torch.addmm(self._bias, x, self._weight)
        return torch.addmm(self._bias, x.flatten(0, -2), self._weight).view(*x.shape[:-1], -1)


class HalfWeightLinear(nn.Module):
    """A linear layer with weights in half precision, everything else in float32."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Pack (O, I) weights; the bias stays as it is."""
        super().__init__()
        exact = None if bias is None else bias.detach().float()
        self._packed = torch.ops.quantized.linear_prepack_fp16(weight.detach().float(), exact)

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.quantized.linear_dynamic_fp16(x, self._packed)  # type: ignore[no-any-return]


def widens_fast() -> bool:
    """Whether there is a product of float32 rows with weights in half precision on this processor."""
    return (
        torch.backends.quantized.engine in ("x86", "fbgemm") and "fbgemm" in torch.backends.quantized.supported_engines
    )


def reads_whole_windows(path: str) -> bool:
    """Whether a decoder's layer, by its name, reads all positions of a window at once: the plain one is best then."""
    return path.endswith(("cross_attn.key", "cross_attn.value"))


def kind_for(path: str, weight: Tensor) -> Kind | None:
    """What stands in for a decoder's layer, by its name and (O, I) weights."""
    if reads_whole_windows(path):
        return None
    if weight.numel() <= _SMALL:
        return TransposedLinear
    return HalfWeightLinear if widens_fast() and is_half(weight) else None


def suit_few_rows(network: Whisper) -> None:
    """Replace the linear layers that read a decoder's rows; changed in place, still on the processor."""
    replace_linears(network.decoder, kind_for)


def is_half(weight: Tensor) -> bool:
    """Whether the numbers are the same in half precision."""
    return weight.dtype == torch.float16 or bool((weight.half().to(weight.dtype) == weight).all())
