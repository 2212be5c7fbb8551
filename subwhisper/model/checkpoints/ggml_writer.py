"""Saves a model as the ggml file that whisper.cpp reads; the layout is told in `ggml.py`.

Convolutions are float16 beside quantised matrices; positions, norms and biases are always float32, as whisper.cpp
needs them. What the format cannot hold is lost: alignment heads, suppressed tokens, whether prompts are read.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from subwhisper.errors import ModelError
from subwhisper.model.checkpoints.blocks import BLOCK, BLOCK_TYPES, Floats
from subwhisper.model.checkpoints.checkpoint import Checkpoint
from subwhisper.model.checkpoints.ggml import HEADER, MAGIC, QUANTISATION_VERSION, VERSION_STEP
from subwhisper.model.checkpoints.shapes import POSITIONS, expected_shapes
from subwhisper.model.vocabulary import PUBLIC_SIZES, Vocabulary, public_vocabulary
from subwhisper.model.whisper import sinusoids

WEIGHT_TYPES = {"f32": 0, "f16": 1} | {block_type.name: kind for kind, block_type in BLOCK_TYPES.items()}
"""How large matrices may be stored -> ggml's number of the type of a tensor."""
_FILE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q8_0": 7, "q5_0": 8, "q5_1": 9}  # of a whole file
_F32, _F16 = 0, 1
_EMBEDDED_POSITIONS = (POSITIONS, "decoder.positional_embedding")


def write_ggml(
    path: Path,
    checkpoint: Checkpoint,
    mel_filters: Floats,
    weights: str = "f16",
    on_tensor: Callable[[int, int], None] | None = None,
) -> None:
    """Write a model tensor by tensor, in little memory.

    Args:
        path: the file, which is written as it goes: whoever calls gives a name that does not count yet.
        checkpoint: the model.
        mel_filters: (M, bins) the filters it hears through, which whisper.cpp takes from the file.
        weights: one of `WEIGHT_TYPES`, for the large matrices.
        on_tensor: hears of tensors written, and of how many there are.

    Raises:
        ModelError: the numbers do not fit the type, or rows are no whole blocks.
        OSError: the file cannot be written.
    """
    dims = checkpoint.dims
    version = QUANTISATION_VERSION if WEIGHT_TYPES[weights] > _F16 else 0
    words = _words(checkpoint.vocabulary, dims.n_vocab)
    shapes = expected_shapes(dims)
    with path.open("wb") as file:
        file.write(MAGIC)
        file.write(_ints(*(getattr(dims, name) for name in HEADER), version * VERSION_STEP + _FILE_TYPES[weights]))
        file.write(_ints(*mel_filters.shape) + mel_filters.astype("<f4").tobytes())
        file.write(_ints(len(words)))
        for word in words:
            file.write(_ints(len(word)) + word)
        for number, (name, shape) in enumerate(shapes.items(), start=1):
            if name in checkpoint.tensors:
                tensor = checkpoint.tensors[name]
            else:
                tensor = sinusoids(dims.n_audio_ctx, dims.n_audio_state)
            _write_tensor(file, name, shape, tensor, _type_of(name, shape, weights))
            if on_tensor is not None:
                on_tensor(number, len(shapes))


def _ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def _words(vocabulary: Vocabulary, n_vocab: int) -> list[bytes]:
    """Pieces alone where whisper.cpp can number the special tokens itself, else every entry under its id."""
    words = vocabulary.words()
    if n_vocab in PUBLIC_SIZES and vocabulary == public_vocabulary(n_vocab):
        return words[: min(vocabulary.special_tokens.values())]
    return words


def _type_of(name: str, shape: tuple[int, ...], weights: str) -> int:
    """What a tensor is stored as."""
    if len(shape) == 1 or name in _EMBEDDED_POSITIONS or weights == "f32":
        return _F32
    return WEIGHT_TYPES[weights] if len(shape) == 2 else _F16


def _write_tensor(file: BinaryIO, name: str, shape: tuple[int, ...], tensor: torch.Tensor, kind: int) -> None:
    if kind > _F16 and shape[-1] % BLOCK:
        raise ModelError(
            f"{name} has rows of {shape[-1]} numbers, which are no whole blocks of {BLOCK}",
            hint="store it as f16 or f32",
        )
    numbers = tensor.detach().cpu().float().numpy()
    # whisper.cpp adds the biases of convolutions to (channels, positions), and wants them as columns
    shape = (*shape, 1) if name in ("encoder.conv1.bias", "encoder.conv2.bias") else shape
    spelled = name.encode()
    file.write(_ints(len(shape), len(spelled), kind, *reversed(shape)) + spelled)
    file.write(_stored(name, numbers, kind))


def _stored(name: str, numbers: Floats, kind: int) -> bytes:
    if kind == _F32:
        return numbers.astype("<f4").tobytes()
    if not np.abs(numbers).max() <= np.finfo(np.float16).max:  # also finds NaN
        raise ModelError(f"{name} holds numbers that float16 cannot", hint="store it as f32")
    if kind == _F16:
        return numbers.astype("<f2").tobytes()
    return BLOCK_TYPES[kind].encode(numbers.reshape(-1)).tobytes()
