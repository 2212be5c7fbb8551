"""The mean of several models' weights: runs that went apart from one beginning are better together than each.

Source: Wortsman et al. 2022, Model soups, arXiv:2203.05482.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from subwhisper.errors import InputError
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.checkpoints.writer import save_directory


def average(parts: Sequence[tuple[Checkpoint, float]], folder: Path) -> None:
    """Write the weighted mean of models as a model directory, in half precision; the first tells all but the weights.

    Args:
        parts: models that began as the same one, and what each counts.
        folder: where; other files in it stay.

    Raises:
        InputError: there is none, one counts nothing, or they are of different shapes or vocabularies.
    """
    if not parts or any(not share > 0 for _, share in parts):
        raise InputError("an average needs models that count more than nothing", hint="give FOLDER or FOLDER=SHARE")
    first = parts[0][0]
    for other, _ in parts:
        if (other.dims, other.vocabulary) != (first.dims, first.vocabulary):
            raise InputError(f"{other.name} is of another shape or vocabulary than {first.name}")
    whole = sum(share for _, share in parts)
    tensors = {name: sum(one.tensors[name].float() * (share / whole) for one, share in parts) for name in first.tensors}
    save_directory(
        folder,
        dims=first.dims,
        tensors=tensors,  # type: ignore[arg-type]  # no sum is 0: there is a first
        vocabulary=first.vocabulary,
        alignment_heads=first.alignment_heads,
        is_multilingual=first.is_multilingual,
        reads_prompts=first.reads_prompts,
        noise_logprob=first.noise_logprob,
        dtype=torch.float16,
        overwrite=True,
    )
