"""The mean of several models' weights: runs that went apart from one beginning are better together than each.

Source: Wortsman et al. 2022, Model soups, arXiv:2203.05482.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from subwhisper.errors import InputError
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.checkpoints.writer import save_checkpoint
from subwhisper.replacing import replacing


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


def join(states: Sequence[Path]) -> None:
    """Have runs that began as one go on from their mean: weights, averages and optimisers; each keeps its clock.

    Processors that train apart and meet now and then learn as one that takes more at a time. Source: Douillard et al.
    2023, DiLoCo, arXiv:2311.08105; here what is met at is the plain mean.

    Args:
        states: the `state.pt` of each run; written anew.

    Raises:
        InputError: one is not there, or they are of different shapes or vocabularies.
    """
    for path in states:
        if not path.is_file():
            raise InputError(f"{path} is not a saved training run", hint="name the folders that `train` was given")
    kept = [torch.load(path, weights_only=True, map_location="cpu") for path in states]
    for path, state in zip(states, kept, strict=True):
        if _kind(state) != _kind(kept[0]):
            raise InputError(f"{path} is of another shape or vocabulary than {states[0]}")
    shared = {name: _mean([state[name] for state in kept]) for name in ("trainee", "averaged", "optimizers")}
    for path, state in zip(states, kept, strict=True):
        with replacing(path) as file:
            torch.save(state | shared, file)


def _kind(state: dict[str, Any]) -> tuple[Any, ...]:
    """What must be alike in runs that are joined."""
    shapes = {name: value.shape for name, value in state["trainee"].items()}
    return shapes, state["pieces"], state["classes"]


def _mean(values: Sequence[Any]) -> Any:
    """The mean of nested containers, where they hold tensors of real numbers; all else is the first's."""
    first = values[0]
    if isinstance(first, torch.Tensor) and first.is_floating_point():
        return torch.stack(list(values)).mean(0)
    if isinstance(first, dict):
        return {name: _mean([value[name] for value in values]) for name in first}
    if isinstance(first, list | tuple):
        return type(first)(_mean(parts) for parts in zip(*values, strict=True))
    return first
