"""What reads whole windows in bfloat16, on processors that multiply whole tiles of it (AMX).

Such a processor multiplies bfloat16 eight times as fast as float32. It multiplies 8-bit numbers faster still, but the
products are then no longer what takes the time: numbers have to be rounded before and scaled after, and all between the
products stays float32. So the encoder, most of the work, takes half as long in bfloat16 as in 8 bits, and is more
exact; the same is true of the keys and values that a decoder makes of a window. What a decoder does in every step stays
in 8 bits: it waits for its weights, and there are half as many bytes of them.

Shapes: O outputs, I inputs.
"""

from functools import partial

import torch
from torch import Tensor, nn

from subwhisper.model.stand_ins import replace_linears
from subwhisper.model.whisper import Encoder


class TiledLinear(nn.Module):
    """A linear layer that computes, and tells, bfloat16: for what reads all positions of a window."""

    def __init__(self, weight: Tensor, bias: Tensor | None, *, then: str = "none") -> None:
        """Round (O, I) weights and the bias, and lay the weights out in tiles.

        Args:
            weight: (O, I).
            bias: (O,).
            then: what follows at once, `gelu` or `none`.
        """
        super().__init__()
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().bfloat16().contiguous())
        self._bias = None if bias is None else bias.detach().bfloat16()
        self._then = then

    def forward(self, x: Tensor) -> Tensor:
        product = torch.ops.mkldnn._linear_pointwise
        return product(x.bfloat16(), self._packed, self._bias, self._then, [], "none")  # type: ignore[no-any-return]


class TiledEncoder(Encoder):
    """An encoder that computes in bfloat16 and tells float32."""

    def __init__(self, fused: Encoder) -> None:
        """Take over the layers of an encoder, rounded, after `fuse`."""
        nn.Module.__init__(self)
        self.conv1, self.conv2, self.blocks, self.ln_post = fused.conv1, fused.conv2, fused.blocks, fused.ln_post
        self.register_buffer("positional_embedding", fused.positional_embedding)
        replace_linears(self, lambda path, weight: partial(TiledLinear, then=_follows(path)))
        for block in self.blocks:
            mlp: nn.Sequential = block.mlp  # type: ignore[assignment]  # ModuleList forgets what it holds
            mlp[1] = nn.Identity()
        self.to(torch.bfloat16)

    def forward(self, mel: Tensor, first: Tensor | None = None) -> Tensor:
        return super().forward(mel, first).float()


def _follows(path: str) -> str:
    """What a block does with the products of a layer, by its name."""
    return "gelu" if path.endswith("mlp.0") else "none"


def multiplies_tiles() -> bool:
    """Whether this processor multiplies tiles of bfloat16, and this torch uses them."""
    has_instructions = getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    has_onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(has_instructions and has_onednn and hasattr(torch.ops.mkldnn, "_linear_pointwise"))
