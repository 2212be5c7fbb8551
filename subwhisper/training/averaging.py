"""The mean of several models' weights: runs that went apart from one beginning are better together than each.

Source: Wortsman et al. 2022, Model soups, arXiv:2203.05482.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from subwhisper.errors import InputError
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.checkpoints.writer import save_checkpoint


def average(parts: Sequence[tuple[Checkpoint, float]], folder: Path, *, overwrite: bool = False) -> None:
    """Write the weighted mean of models as a model directory, in half precision; the first tells all but the weights.

    Args:
        parts: models that began as the same one, and what each counts.
        folder: where; other files in it stay.
        overwrite: whether a model that is there makes way.

    Raises:
        InputError: there is none, one counts nothing, or they are of different shapes or vocabularies.
        OutputError: a model is there already, or the folder cannot be written.
    """
    if not parts or any(not share > 0 for _, share in parts):
        raise InputError("an average needs models that count more than nothing", hint="give FOLDER or FOLDER=SHARE")
    save_checkpoint(folder, mean(parts), dtype=torch.float16, overwrite=overwrite)


def mean(parts: Sequence[tuple[Checkpoint, float]]) -> Checkpoint:
    """The weighted mean of models, in float32; the first tells which weights there are, and all else.

    Raises:
        InputError: they are of different shapes or vocabularies.
    """
    first = parts[0][0]
    for other, _ in parts:
        if (other.dims, other.vocabulary) != (first.dims, first.vocabulary):
            raise InputError(f"{other.name} is of another shape or vocabulary than {first.name}")
    whole = sum(share for _, share in parts)
    tensors = {
        name: torch.stack([one.tensors[name].float() * (share / whole) for one, share in parts]).sum(0)
        for name in first.tensors
    }
    return replace(first, tensors=tensors, fingerprint="")  # so that nobody takes kept 8-bit weights for its own
