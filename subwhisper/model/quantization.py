"""Linear layers in 8-bit whole numbers, which stand in for float ones after loading.

Weights have one scale per output channel, activations one per row, found as they come. So a row's result never
depends on the rows beside it, and a window's text never on the windows decoded with it.

On processors with instructions for it (VNNI) the product is oneDNN's, elsewhere `_int_mm`. torch's `linear_dynamic` is
a little faster, as it quantises and multiplies in one go, but it takes one scale for a whole tensor.

Shapes: N rows, I inputs, O outputs.
"""

import torch
from torch import Tensor, nn

from subwhisper.model.whisper import TokenEmbedding

_LARGEST = 127.0
_TINIEST = 1e-20  # a row of zeros is divided by something
_CUDA_ROWS = 32  # cuBLAS multiplies 8-bit matrices only of more than 16 rows, in multiples of 8
_ROWS_AT_ONCE = 512  # what is needed beside the result stays in the processor's cache
_MIDDLE = 128  # oneDNN wants activations without a sign: the number that stands for zero


class Int8Linear(nn.Module):
    """A linear layer with 8-bit weights and activations, 32-bit sums, float32 in and out."""

    weight: Tensor
    """(O, I) int8."""
    scale: Tensor
    """(O,) float32: what one step of each output's weights is worth."""
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Quantise (O, I) float weights; the bias stays as it is."""
        super().__init__()
        scale = channel_scales(weight)
        self.register_buffer("weight", (weight.detach().float() / scale[:, None]).round().to(torch.int8))
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        row_scale = (rows.abs().amax(dim=1, keepdim=True) / _LARGEST).clamp_min(_TINIEST)
        sums = _products((rows / row_scale).round().to(torch.int8), self.weight)
        y = sums.to(x.dtype) * (row_scale * self.scale)
        if self.bias is not None:
            y = y + self.bias
        return y.view(*x.shape[:-1], -1)


class PackedInt8Linear(nn.Module):
    """The same for processors, with the weights laid out as their instructions want them."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Quantise and pack (O, I) float weights; the bias stays as it is."""
        super().__init__()
        self._scale = channel_scales(weight)
        whole = (weight.detach().float() / self._scale[:, None]).round().to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(whole, None)
        self._zeros = torch.zeros(len(weight), dtype=torch.long)
        self._bias = torch.zeros(1) if bias is None else bias.detach().float()

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        y = rows.new_empty(len(rows), len(self._scale))
        for some, out in zip(torch.split(rows, _ROWS_AT_ONCE), torch.split(y, _ROWS_AT_ONCE), strict=True):
            row_scale = (some.abs().amax(dim=1, keepdim=True) / _LARGEST).clamp_min_(_TINIEST)
            torch.addcmul(self._bias, self._products(some / row_scale), row_scale, out=out)
        return y.view(*x.shape[:-1], -1)

    def _products(self, steps: Tensor) -> Tensor:
        """(N, I) numbers from -127 to 127, rounded and multiplied with the weights -> (N, O) float32."""
        whole = steps.add_(_MIDDLE + 0.5).to(torch.uint8)
        weights = (self._packed, self._scale, self._zeros)
        return torch.ops.onednn.qlinear_pointwise(  # type: ignore[no-any-return]
            whole, 1.0, _MIDDLE, *weights, None, 1.0, 0, torch.float32, "none", [], ""
        )


class Int8TokenEmbedding(nn.Module):
    """Tokens to vectors in float, vectors to logits in 8 bits."""

    def __init__(self, embedding: TokenEmbedding, product: nn.Module) -> None:
        """Take the float embedding, and the quantised product with its matrix."""
        super().__init__()
        self.embedding, self.product = embedding, product

    def forward(self, tokens: Tensor) -> Tensor:
        return self.embedding(tokens)  # type: ignore[no-any-return]

    def logits(self, x: Tensor) -> Tensor:
        return self.product(x)  # type: ignore[no-any-return]


def multiplies_fast() -> bool:
    """Whether this processor has instructions for 8-bit products, and this torch uses them."""
    has_instructions = getattr(torch.cpu, "_is_vnni_supported", bool)()
    has_onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(has_instructions and has_onednn and hasattr(torch.ops.onednn, "qlinear_pointwise"))


def channel_scales(weight: Tensor) -> Tensor:
    """(O, I) -> (O,) float32: the largest of each output's weights over the largest 8-bit number."""
    return weight.detach().float().abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / _LARGEST


def _products(rows: Tensor, weight: Tensor) -> Tensor:
    """(N, I) x (O, I) int8 -> (N, O) int32, exact."""
    n_rows = len(rows)
    if rows.is_cuda:
        missing = -n_rows % _CUDA_ROWS
        rows = nn.functional.pad(rows, (0, 0, 0, missing))
    return torch._int_mm(rows, weight.t())[:n_rows]


def quantize(module: nn.Module, device: torch.device) -> None:
    """Replace every linear layer inside `module`, and the product with its vocabulary, by 8-bit stand-ins.

    Args:
        module: changed in place; still on the processor.
        device: where it will run.
    """
    kind = PackedInt8Linear if device.type == "cpu" and multiplies_fast() else Int8Linear
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, kind(child.weight, child.bias))
        elif isinstance(child, TokenEmbedding):
            setattr(module, name, Int8TokenEmbedding(child, kind(child.weight, None)))
        else:
            quantize(child, device)
