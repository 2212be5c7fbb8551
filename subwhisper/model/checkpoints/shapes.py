"""Names and shapes of every tensor a Whisper of given dimensions has, and the proof that a file has them.

Names are those of OpenAI's checkpoints, which the network's parameters carry too.
"""

import logging
import math
from collections.abc import Container, Iterable, Mapping

import torch

from subwhisper.errors import ModelError
from subwhisper.model.dims import ModelDims

logger = logging.getLogger(__name__)

POSITIONS = "encoder.positional_embedding"
"""Follows from the dimensions (`whisper.sinusoids`), so a checkpoint may leave it out."""

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def expected_shapes(dims: ModelDims) -> dict[str, tuple[int, ...]]:
    """List every tensor of the network with its shape, encoder first."""
    width, text_width = dims.n_audio_state, dims.n_text_state
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.conv1.weight": (width, dims.n_mels, 3),
        "encoder.conv1.bias": (width,),
        "encoder.conv2.weight": (width, width, 3),
        "encoder.conv2.bias": (width,),
        "encoder.positional_embedding": (dims.n_audio_ctx, width),
    }
    for layer in range(dims.n_audio_layer):
        shapes |= _block(f"encoder.blocks.{layer}", width, ("attn",))
    shapes |= _norm("encoder.ln_post", width)
    shapes["decoder.token_embedding.weight"] = (dims.n_vocab, text_width)
    shapes["decoder.positional_embedding"] = (dims.n_text_ctx, text_width)
    for layer in range(dims.n_text_layer):
        shapes |= _block(f"decoder.blocks.{layer}", text_width, ("attn", "cross_attn"))
    return shapes | _norm("decoder.ln", text_width)


def n_parameters(dims: ModelDims) -> int:
    """Count the numbers that training finds."""
    return sum(math.prod(shape) for name, shape in expected_shapes(dims).items() if name != POSITIONS)


def _block(prefix: str, width: int, attentions: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for attention in attentions:
        for part in ("query", "key", "value", "out"):
            shapes[f"{prefix}.{attention}.{part}.weight"] = (width, width)
            if part != "key":  # keys have no bias: it would shift all scores of a query alike
                shapes[f"{prefix}.{attention}.{part}.bias"] = (width,)
        shapes |= _norm(f"{prefix}.{attention}_ln", width)
    shapes |= {f"{prefix}.mlp.0.weight": (4 * width, width), f"{prefix}.mlp.0.bias": (4 * width,)}
    shapes |= {f"{prefix}.mlp.2.weight": (width, 4 * width), f"{prefix}.mlp.2.bias": (width,)}
    return shapes | _norm(f"{prefix}.mlp_ln", width)


def _norm(prefix: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{prefix}.weight": (width,), f"{prefix}.bias": (width,)}


def checked_tensors(
    stored: Mapping[str, object], dims: ModelDims, *, file_bytes: int, harmless: frozenset[str] = frozenset()
) -> dict[str, torch.Tensor]:
    """Keep exactly the tensors the network needs, after checking each; only `POSITIONS` may be missing.

    Args:
        stored: the file's table under OpenAI's names.
        dims: what the checkpoint says of itself.
        file_bytes: size on disk of the files the tensors came from. A tensor can claim a shape far larger than
            its storage (stride 0); the sum says so before anything is allocated.
        harmless: extra names that are known and not needed.

    Raises:
        ModelError: naming the first tensor that is missing, of another shape, or not of floating type.
    """
    tensors: dict[str, torch.Tensor] = {}
    claimed = 0
    for name, shape in expected_shapes(dims).items():
        if name == POSITIONS and name not in stored:
            continue
        tensor = stored.get(name)
        check_shape(name, tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else None, shape)
        assert isinstance(tensor, torch.Tensor)
        if tensor.dtype not in FLOATS or tensor.layout is not torch.strided or tensor.device.type != "cpu":
            raise ModelError(f"{name} is stored as {tensor.dtype}, which is no plain floating type")
        claimed += tensor.numel() * tensor.element_size()
        tensors[name] = tensor
    if claimed > file_bytes:
        raise ModelError(f"the weights claim {claimed:,} bytes, but only {file_bytes:,} are there")
    warn_of_unknown(stored, tensors, harmless)
    return tensors


def check_shape(name: str, stored: tuple[int, ...] | None, wanted: tuple[int, ...], *, squeezed: bool = False) -> None:
    """Refuse a tensor that is missing or of another shape; `squeezed` overlooks dimensions of 1.

    Raises:
        ModelError: naming the tensor.
    """
    if stored is None:
        raise ModelError(f"the weights lack the tensor {name}", hint="the file may be incomplete, or of another model")
    if squeezed:
        stored, same = _squeezed(stored), _squeezed(wanted)
    else:
        same = wanted
    if stored != same:
        raise ModelError(f"{name} has shape {_form(stored)}, but the model's dimensions need {_form(wanted)}")


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def warn_of_unknown(stored: Iterable[str], used: Container[str], harmless: Container[str] = ()) -> None:
    """Tell of tensors that no Whisper has."""
    for name in stored:
        if name not in used and name not in harmless:
            logger.warning("ignoring the tensor %s, which Whisper does not have", name)


def _form(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape)) or "()"
