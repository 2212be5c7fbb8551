"""What reads whole windows in bfloat16, on processors that multiply whole tiles of it (AMX).

Such a processor multiplies bfloat16 eight times as fast as float32. It multiplies 8-bit numbers faster still, but the
products are then no longer what takes the time: numbers have to be rounded before and scaled after, and all between the
products stays float32. So the encoder, most of the work, takes half as long in bfloat16 as in 8 bits, and is more
exact; the same is true of the keys and values that a decoder makes of a window. What a decoder does in every step stays
in 8 bits: it waits for its weights, and there are half as many bytes of them.

Shapes: O outputs, I inputs.
"""

import torch
from torch import Tensor, nn

from subwhisper.model.whisper import Encoder


class TiledEncoder(Encoder):
    """An encoder that computes in bfloat16 and tells float32."""

    def __init__(self, plain: Encoder) -> None:
        """Take over the layers of `plain`, rounded."""
        nn.Module.__init__(self)
        self.conv1, self.conv2, self.blocks, self.ln_post = plain.conv1, plain.conv2, plain.blocks, plain.ln_post
        self.register_buffer("positional_embedding", plain.positional_embedding)
        self.to(torch.bfloat16)

    def forward(self, mel: Tensor, first: Tensor | None = None) -> Tensor:
        return super().forward(mel, first).float()


class TiledLinear(nn.Module):
    """A linear layer that computes, and tells, bfloat16: for what reads all positions of a window."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Round (O, I) weights and the bias."""
        super().__init__()
        self._weight = weight.detach().bfloat16()
        self._bias = None if bias is None else bias.detach().bfloat16()

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x.bfloat16(), self._weight, self._bias)


def multiplies_tiles() -> bool:
    """Whether this processor multiplies tiles of bfloat16, and this torch uses them."""
    has_instructions = getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    return bool(has_instructions and torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
