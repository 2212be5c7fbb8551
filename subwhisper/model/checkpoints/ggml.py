"""whisper.cpp's ggml files: dimensions, mel filters, vocabulary, then one tensor after another.

Numbers are little-endian. After the magic come eleven whole numbers (ten dimensions and the type of the weights),
the filters, the vocabulary's words, and until the file ends for each tensor: how many dimensions, the length of its
name, its type, its dimensions from the innermost outwards, its name, its numbers. whisper.cpp's quantiser leaves
convolutions in float16, positions, norms and biases in float32.

The file is mapped; a tensor is decoded when it is asked for. Nothing a header claims is believed beyond the file's end.
"""

import math
import mmap
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from subwhisper.errors import ModelError
from subwhisper.model import catalog
from subwhisper.model.checkpoints.blocks import BLOCK, BLOCK_TYPES
from subwhisper.model.checkpoints.checkpoint import Checkpoint
from subwhisper.model.checkpoints.shapes import POSITIONS, check_shape, expected_shapes, warn_of_unknown
from subwhisper.model.dims import ModelDims
from subwhisper.model.fingerprint import fingerprint_of
from subwhisper.model.vocabulary import PUBLIC_SIZES, Vocabulary, named_vocabulary, public_vocabulary

MAGIC = b"lmgg"
"""0x67676d6c as it is stored."""
HEADER = (
    "n_vocab",
    "n_audio_ctx",
    "n_audio_state",
    "n_audio_head",
    "n_audio_layer",
    "n_text_ctx",
    "n_text_state",
    "n_text_head",
    "n_text_layer",
    "n_mels",
)
"""The dimensions in the order they are stored; the type of the weights follows."""
QUANTISATION_VERSION = 2
VERSION_STEP = 1000
"""What the version is multiplied with and added to the type of the weights."""

_FLOATS = {0: torch.float32, 1: torch.float16}
_LONGEST_WORD, _LONGEST_NAME, _MOST_DIMENSIONS = 2**16, 256, 4
_AFFIXES = re.compile(r"^ggml-(model-)?|[-.](q[458]_[01]|f16|f32)$")


def read_ggml(path: Path) -> Checkpoint:
    """Read a model of whisper.cpp, such as `ggml-large-v3-q5_0.bin`.

    The file states no alignment heads: they are the published ones when it keeps a public name, else the upper
    half of the decoder.

    Raises:
        ModelError: the file is cut off, hostile, quantised in a way that is not read, or lacks a tensor.
    """
    with path.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    cursor = _Cursor(content, at=len(MAGIC))
    values = cursor.ints(len(HEADER) + 1)
    dims = ModelDims(**dict(zip(HEADER, values[:-1], strict=True)))
    _refuse_old_quantisation(values[-1])
    n_mels, n_bins = cursor.ints(2)
    if n_mels != dims.n_mels or n_bins < 1:
        raise ModelError(f"the file holds {n_mels} mel filters of {n_bins} numbers, but says n_mels = {dims.n_mels}")
    cursor.skip(4 * n_mels * n_bins)  # they follow from n_mels, and are computed
    vocabulary = _vocabulary(_words(cursor, dims.n_vocab), dims.n_vocab)
    tensors = GgmlTensors(content, dims, dict(_entries(cursor)))
    name = _AFFIXES.sub("", _AFFIXES.sub("", path.stem))
    entry = catalog.known(name)
    relative = catalog.mentioned_in(name)
    return Checkpoint(
        dims=dims,
        tensors=tensors,
        vocabulary=vocabulary,
        is_multilingual=vocabulary.is_multilingual,
        alignment_heads=(relative and catalog.known_heads(relative.name, dims)) or dims.upper_half_heads,
        suppress_tokens=None,
        reads_prompts=True,
        name=entry.name if entry is not None and entry.dims == dims else path.stem,
        fingerprint=fingerprint_of([path]),
    )


class _Cursor:
    """Reads a mapped file from front to back, never past its end."""

    def __init__(self, content: mmap.mmap, at: int) -> None:
        self._content, self.at = content, at

    @property
    def has_more(self) -> bool:
        return self.at < len(self._content)

    def skip(self, n_bytes: int) -> int:
        """Step over so many bytes, which must be there; return where they began."""
        start = self.at
        if not 0 <= n_bytes <= len(self._content) - start:
            raise ModelError(
                f"the file ends after {len(self._content):,} bytes, in the middle of what it announces",
                hint="fetch it again; it may be incomplete",
            )
        self.at += n_bytes
        return start

    def ints(self, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}i", self._content, self.skip(4 * count))

    def bytes(self, n_bytes: int) -> bytes:
        start = self.skip(n_bytes)
        return self._content[start : self.at]


def _refuse_old_quantisation(stated: int) -> None:
    version, kind = divmod(stated, VERSION_STEP)
    if kind > 1 and version != QUANTISATION_VERSION:
        raise ModelError(
            f"the weights are quantised by version {version} of the format; version {QUANTISATION_VERSION} is read",
            hint="fetch the model again: it was made by a whisper.cpp of early 2023, or of the future",
        )


# Vocabulary


def _words(cursor: _Cursor, n_vocab: int) -> list[bytes]:
    (count,) = cursor.ints(1)
    if not 0 < count <= n_vocab:
        raise ModelError(f"the file holds {count} words, but says n_vocab = {n_vocab}")
    words: list[bytes] = []
    for _ in range(count):
        (length,) = cursor.ints(1)
        if not 0 <= length <= _LONGEST_WORD:
            raise ModelError(f"word {len(words)} of the vocabulary is {length} bytes long, which cannot be")
        words.append(cursor.bytes(length))
    return words


def _vocabulary(words: list[bytes], n_vocab: int) -> Vocabulary:
    """OpenAI's own vocabulary where the words are its (special tokens are left out then), else what they tell."""
    if n_vocab in PUBLIC_SIZES:
        public = public_vocabulary(n_vocab)
        pieces = sorted(public.ranks, key=public.ranks.__getitem__)
        if words[: len(pieces)] == pieces:
            return public
    return named_vocabulary(words, n_vocab=n_vocab)


# Tensors


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a tensor's numbers lie."""

    kind: int
    shape: tuple[int, ...]
    at: int
    n_bytes: int


def _entries(cursor: _Cursor) -> Iterator[tuple[str, _Entry]]:
    """Walk over the tensors, reading none of their numbers."""
    while cursor.has_more:
        n_dimensions, name_length, kind = cursor.ints(3)
        if not 0 < n_dimensions <= _MOST_DIMENSIONS or not 0 < name_length <= _LONGEST_NAME:
            raise ModelError(f"at byte {cursor.at:,} a tensor should begin, but nothing there is one")
        shape = cursor.ints(n_dimensions)[::-1]
        name = cursor.bytes(name_length).decode(errors="replace")
        n_bytes = _n_bytes(name, kind, shape)
        yield name, _Entry(kind, shape, cursor.skip(n_bytes), n_bytes)


def stored_as(kind: int) -> str:
    """Name ggml's number of a type."""
    return BLOCK_TYPES[kind].name if kind in BLOCK_TYPES else "f16" if _FLOATS[kind] == torch.float16 else "f32"


def _n_bytes(name: str, kind: int, shape: tuple[int, ...]) -> int:
    if min(shape) < 1:
        raise ModelError(f"{name!r} says that its shape is {shape}")
    if kind in _FLOATS:
        return math.prod(shape) * _FLOATS[kind].itemsize
    if kind not in BLOCK_TYPES:
        readable = ", ".join(["f32", "f16", *(block_type.name for block_type in BLOCK_TYPES.values())])
        raise ModelError(f"{name!r} is stored as type {kind} of ggml, which is not read", hint=f"read are {readable}")
    if shape[-1] % BLOCK:
        raise ModelError(f"{name!r} has rows of {shape[-1]} numbers, which are no whole blocks of {BLOCK}")
    return math.prod(shape) // BLOCK * BLOCK_TYPES[kind].n_bytes


class GgmlTensors(Mapping[str, torch.Tensor]):
    """The tensors of a mapped file under OpenAI's names, each decoded anew whenever it is asked for.

    Floats come as they are stored, blocks as float32.
    """

    def __init__(self, content: mmap.mmap, dims: ModelDims, stored: Mapping[str, _Entry]) -> None:
        """Check that exactly the network's tensors are there.

        Raises:
            ModelError: naming the first one that is missing or of another shape.
        """
        self._content = content
        self._shapes = {
            name: shape for name, shape in expected_shapes(dims).items() if name != POSITIONS or name in stored
        }
        self._stored = stored
        for name, shape in self._shapes.items():
            check_shape(name, stored[name].shape if name in stored else None, shape, squeezed=True)
        warn_of_unknown(stored, self._shapes)

    @property
    def weights(self) -> str:
        """The type its large matrices are stored in, such as `q5_0`."""
        return stored_as(self._stored["decoder.token_embedding.weight"].kind)

    def __getitem__(self, name: str) -> torch.Tensor:
        shape, entry = self._shapes[name], self._stored[name]
        mapped = np.frombuffer(self._content, np.uint8, entry.n_bytes, entry.at)
        if entry.kind in BLOCK_TYPES:
            return torch.from_numpy(BLOCK_TYPES[entry.kind].decode(mapped)).view(shape)
        copy = torch.from_numpy(mapped.copy())  # in the file it lies on any odd byte
        return copy.view(_FLOATS[entry.kind]).view(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)
