"""Linear layers in 8-bit whole numbers, which stand in for float ones after loading.

Weights have one scale per output channel, activations one per row, found as they come. So a row's result does not
depend on the rows beside it, but for the last digit where a library has another program for more rows.

Which product is used depends on the processor:

- with instructions for 8-bit products (VNNI): oneDNN's, several times as fast as float32, in every layer; where there
  are some for tiles of bfloat16, too, what reads whole windows is better off with those, see `tiles`;
- other x86: FBGEMM's. It multiplies no faster than float32, but there is a quarter of the weights to fetch, which is
  what the few rows of a decoder wait for. So only the decoder's largest layers are quantised, the rest stays float.
  Pairs of products are added in 16 bits there: weights have 7 bits, or the sums would overflow;
- everything else: `_int_mm`.

torch's `linear_dynamic` is a little faster, as it quantises and multiplies in one go, but it takes one scale for a
whole tensor.

Shapes: N rows, I inputs, O outputs.
"""

import warnings

import torch
from torch import Tensor, nn

from subwhisper.model import few_rows
from subwhisper.model.stand_ins import Kind, replace_linears
from subwhisper.model.tiles import TiledLinear, multiplies_tiles
from subwhisper.model.whisper import Decoder, Whisper

_LARGEST = 127.0
_LARGEST_OF_7_BITS = 63.0
_FEWEST_WEIGHTS = 2**20  # where weights have to be fetched, fewer of them in half precision take no longer
_TINIEST = 1e-20  # a row of zeros is divided by something
_CUDA_ROWS = 32  # cuBLAS multiplies 8-bit matrices only of more than 16 rows, in multiples of 8
_ROWS_AT_ONCE = 512  # what is needed beside the result stays in the processor's cache
_OUTPUTS_AT_ONCE = 512  # the same for weights that are being rounded: four times as fast as all at once
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
        whole, scale = quantised(weight)
        self.register_buffer("weight", whole)
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
    """The same for processors, with the weights laid out as a library of theirs wants them."""

    largest_weight = _LARGEST

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Quantise and pack (O, I) float weights; the bias stays as it is."""
        super().__init__()
        whole, self._scale = quantised(weight, self.largest_weight)
        self._pack(whole)
        self._bias = torch.zeros(1) if bias is None else bias.detach().float()

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        if len(rows) <= _ROWS_AT_ONCE:
            y = self._quantised(rows)
        else:
            y = rows.new_empty(len(rows), len(self._scale))
            for some, out in zip(torch.split(rows, _ROWS_AT_ONCE), torch.split(y, _ROWS_AT_ONCE), strict=True):
                self._quantised(some, out)
        return y.view(*x.shape[:-1], -1)

    def _quantised(self, rows: Tensor, out: Tensor | None = None) -> Tensor:
        largest = torch.linalg.vector_norm(rows, torch.inf, dim=1, keepdim=True).clamp_min_(_TINIEST)
        return torch.addcmul(self._bias, self._products(rows / largest), largest, out=out)

    def _pack(self, weight: Tensor) -> None:
        """Take the (O, I) int8 weights."""
        raise NotImplementedError

    def _products(self, shares: Tensor) -> Tensor:
        """(N, I) numbers from -1 to 1, rounded to 127ths and multiplied with the weights -> (N, O) float32."""
        raise NotImplementedError


class OneDnnInt8Linear(PackedInt8Linear):
    """With oneDNN, where a processor has instructions for 8-bit products."""

    def _pack(self, weight: Tensor) -> None:
        self._packed = torch.ops.onednn.qlinear_prepack(weight, None)
        self._zeros = torch.zeros(len(weight), dtype=torch.long)

    def _products(self, shares: Tensor) -> Tensor:
        whole = shares.mul_(_LARGEST).add_(_MIDDLE + 0.5).to(torch.uint8)
        weights = (self._packed, self._scale, self._zeros)
        return torch.ops.onednn.qlinear_pointwise(  # type: ignore[no-any-return]
            whole, 1 / _LARGEST, _MIDDLE, *weights, None, 1.0, 0, torch.float32, "none", [], ""
        )


class FbgemmInt8Linear(PackedInt8Linear):
    """With FBGEMM, where a processor has no such instructions."""

    largest_weight = _LARGEST_OF_7_BITS

    def _pack(self, weight: Tensor) -> None:
        zeros = torch.zeros(len(weight), dtype=torch.long)
        with warnings.catch_warnings():  # quantised tensors may go from torch some day; FBGEMM takes nothing else
            warnings.simplefilter("ignore", UserWarning)
            quantised = torch._make_per_channel_quantized_tensor(weight, self._scale.double(), zeros, 0)
        self._packed = torch.ops.quantized.linear_prepack(quantised, None)

    def _products(self, shares: Tensor) -> Tensor:
        product = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
        return product(shares, 1 / _LARGEST, _MIDDLE, self._packed)  # type: ignore[no-any-return]


def multiplies_fast() -> bool:
    """Whether this processor has instructions for 8-bit products, and this torch uses them."""
    has_instructions = getattr(torch.cpu, "_is_vnni_supported", bool)()
    has_onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(has_instructions and has_onednn and hasattr(torch.ops.onednn, "qlinear_pointwise"))


def fetches_fast() -> bool:
    """Whether this processor gains from 8-bit weights where it gains nothing from 8-bit products."""
    has_product = hasattr(torch.ops.quantized, "linear_with_input_q_dq_qweight_dq_output_fp32")
    return has_product and torch.backends.quantized.engine in ("x86", "fbgemm")


def quantised(weight: Tensor, largest: float = _LARGEST) -> tuple[Tensor, Tensor]:
    """Round each output's weights to whole numbers up to `largest`: (O, I) -> (O, I) int8, (O,) float32 steps."""
    whole = torch.empty(weight.shape, dtype=torch.int8, device=weight.device)
    scale = torch.empty(len(weight), dtype=torch.float32, device=weight.device)
    tiniest = torch.finfo(torch.float32).tiny  # an output without weights is divided by something
    pieces = (torch.split(tensor, _OUTPUTS_AT_ONCE) for tensor in (weight.detach(), whole, scale))
    for exact, rounded, steps in zip(*pieces, strict=True):
        numbers = exact.float()
        torch.div(numbers.abs().amax(dim=1).clamp_min_(tiniest), largest, out=steps)
        rounded.copy_((numbers / steps[:, None]).round_())
    return whole, scale


def _products(rows: Tensor, weight: Tensor) -> Tensor:
    """(N, I) x (O, I) int8 -> (N, O) int32, exact."""
    n_rows = len(rows)
    if rows.is_cuda:
        missing = -n_rows % _CUDA_ROWS
        rows = nn.functional.pad(rows, (0, 0, 0, missing))
    return torch._int_mm(rows, weight.t())[:n_rows]


def quantize(part: Whisper | Decoder, device: torch.device) -> None:
    """Replace linear layers, and the product with the vocabulary, by 8-bit stand-ins.

    Args:
        part: a whole network or its decoder, changed in place; still on the processor.
        device: where it will run.
    """
    if device.type == "cpu" and multiplies_fast():
        replace_linears(part, _kind_for_multiplying)
    elif device.type == "cpu" and fetches_fast():
        replace_linears(part.decoder if isinstance(part, Whisper) else part, _kind_for_fetching)
    else:
        replace_linears(part, lambda path, weight: Int8Linear)


def _kind_for_multiplying(path: str, weight: Tensor) -> Kind:
    """Eight bits, but for whole windows where there is better."""
    return TiledLinear if few_rows.reads_whole_windows(path) and multiplies_tiles() else OneDnnInt8Linear


def _kind_for_fetching(path: str, weight: Tensor) -> Kind | None:
    """Eight bits for what takes long to fetch, else what suits float32."""
    if weight.numel() < _FEWEST_WEIGHTS or few_rows.reads_whole_windows(path):
        return few_rows.kind_for(path, weight)
    return FbgemmInt8Linear
