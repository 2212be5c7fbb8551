"""Matrices in the order in which the compiled step reads them, and a place where they are kept for the next process.

Rounding all weights of a model to 8 bits takes longer than reading them. So what comes of it is kept in the user's
cache and mapped from then on: at once there, and in memory once for all processes that use the model.
`SUBWHISPER_KEEP_WEIGHTS=0` keeps nothing.

Shapes: O outputs, I inputs.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from subwhisper.model.few_rows import is_half
from subwhisper.model.kept_weights import make_way, place_of
from subwhisper.model.quantization import quantised
from subwhisper.replacing import replacing

BLOCK = 32
"""Outputs whose weights lie together."""

Shapes = Mapping[str, tuple[int, int]]
"""Outputs and inputs of matrices, by name."""

_LAYOUT = 2
"""To be raised when matrices come to lie otherwise; files of another layout are made again."""
_FEWEST = 2**22
"""Weights that are worth a file: fewer are rounded in no time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Packed:
    """A matrix as the compiled step reads it."""

    weights: Tensor
    """(ceil(O / BLOCK), I, BLOCK) int8, float16 or float32; outputs that are not there are zero."""
    scale: Tensor | None
    """(O,) float32, what one step of each output's 8-bit weights is worth."""

    def is_8_bit(self, n_outputs: int, n_inputs: int) -> bool:
        """Whether it is a matrix of this size in 8 bits, with nothing missing."""
        blocks = -(-n_outputs // BLOCK), n_inputs, BLOCK
        return (
            self.scale is not None
            and (self.weights.dtype, self.weights.shape) == (torch.int8, blocks)
            and (self.scale.dtype, self.scale.shape) == (torch.float32, (n_outputs,))
            and self.weights.is_contiguous()
            and self.scale.is_contiguous()
        )


def pack(parts: Sequence[nn.Linear], *, int8: bool) -> Packed:
    """Lay out the weights of layers that read the same input, one below the other.

    Weights that are half precision at heart, as those of nearly every published checkpoint, stay so.
    """
    weight = parts[0].weight.detach() if len(parts) == 1 else torch.cat([part.weight.detach() for part in parts])
    return pack_matrix(weight, int8=int8)


def pack_matrix(weight: Tensor, *, int8: bool) -> Packed:
    """The same for one (O, I) matrix."""
    scale = None
    if int8:
        weight, scale = quantised(weight)
    else:
        weight = weight.half() if is_half(weight) else weight.float()
    missing = -len(weight) % BLOCK
    whole = functional.pad(weight, (0, 0, 0, missing)) if missing else weight
    return Packed(whole.view(-1, BLOCK, whole.shape[1]).transpose(1, 2).contiguous(), scale)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The place of one checkpoint's 8-bit matrices."""

    path: Path
    shapes: Shapes

    @classmethod
    def of(cls, fingerprint: str, shapes: Shapes) -> "Shelf | None":
        """Where the matrices of a checkpoint are, or would be, kept; `None` if they are not.

        Args:
            fingerprint: SHA-256 of the checkpoint's weights, in hex.
            shapes: of all that there would be to keep.
        """
        is_worth_it = sum(n_outputs * n_inputs for n_outputs, n_inputs in shapes.values()) >= _FEWEST
        wanted = os.environ.get("SUBWHISPER_KEEP_WEIGHTS") != "0" and is_worth_it
        place = place_of(fingerprint) if wanted else None
        return cls(place, shapes) if place else None

    def read(self) -> Mapping[str, Packed]:
        """The matrices by name, mapped; none if they are not there, damaged, or laid out otherwise."""
        try:
            stored = torch.load(self.path, mmap=True, weights_only=True, map_location="cpu")
            found = {name: Packed(*stored[_LAYOUT, BLOCK][name]) for name in self.shapes}
            wrong = [name for name, shape in self.shapes.items() if not found[name].is_8_bit(*shape)]
            if wrong:
                raise ValueError(f"{', '.join(wrong)} of another shape")
        except FileNotFoundError:
            return {}
        except Exception as error:  # a damaged pickle can end in any
            _log.info("%s is not used: %r", self.path, error)
            return {}
        with suppress(OSError):  # somebody else's, who lets us read
            os.utime(self.path)
        return found

    def keep(self, matrices: Mapping[str, Packed]) -> None:
        """Write matrices for later processes, whole or not at all; other models make way."""
        content = {(_LAYOUT, BLOCK): {name: (matrix.weights, matrix.scale) for name, matrix in matrices.items()}}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.path) as file:
                torch.save(content, file)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as the latter
            _log.info("8-bit weights are not kept: %s", error)
            return
        make_way(self.path.parent)
