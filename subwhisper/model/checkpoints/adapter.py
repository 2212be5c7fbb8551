"""Low-rank adapters in PEFT's files, merged into the model they were trained on.

A folder with adapter_config.json and adapter_model.safetensors holds for some of the base's matrices W two narrow ones;
the fine-tuned matrix is W + s B A (Hu et al. 2021, arXiv:2106.09685), with s = alpha / r, or alpha / sqrt(r) where
`use_rslora` says so (Kalajdzievski 2023, arXiv:2312.03732). With `use_dora`, its rows are brought to stated lengths
(Liu et al. 2024, arXiv:2402.09353). Tensors that are there whole take the place of the base's.
"""

import hashlib
import re
from collections import ChainMap, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from subwhisper.errors import ModelError
from subwhisper.model.checkpoints.checkpoint import Checkpoint
from subwhisper.model.checkpoints.huggingface import hugging_face_name, name_of, stored_tensors
from subwhisper.model.checkpoints.shapes import check_shape, expected_shapes
from subwhisper.model.files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, blamed_on, read_json
from subwhisper.model.fingerprint import fingerprint_of

_UNREAD = ("fan_in_fan_out", "layer_replication", "megatron_config", "target_parameters", "trainable_token_indices")
_PART = re.compile(r"(?P<module>.+)\.lora_(?P<part>A|B|embedding_A|embedding_B|magnitude_vector)(\.weight)?")


def read_adapter(folder: Path, base: Checkpoint) -> Checkpoint:
    """Read an adapter into its base; the merged tensors keep the types of the base's.

    Raises:
        ModelError: no LoRA, not for this base, or of a kind that is not read.
    """
    config = read_json(folder / ADAPTER_CONFIG)
    with blamed_on(folder / ADAPTER_CONFIG):
        scale = _Scale.of(config)
    weights = next((folder / name for name in ADAPTER_WEIGHTS if (folder / name).exists()), None)
    if weights is None:
        raise ModelError(f"{folder} holds no weights of an adapter: none of {', '.join(ADAPTER_WEIGHTS)} is there")
    stored = stored_tensors([weights])
    with blamed_on(weights):
        merged = _merged(stored, base, scale)
    both = base.fingerprint + fingerprint_of([weights])
    return replace(
        base,
        tensors=ChainMap(merged, base.tensors),  # type: ignore[arg-type]  # never written to
        name=name_of(folder),
        fingerprint=hashlib.sha256(both.encode()).hexdigest(),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """How much an adapter adds, by module."""

    alpha: float
    patterns: Mapping[str, float]
    by_root: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "_Scale":
        kind = config.get("peft_type")
        if kind != "LORA":
            raise ModelError(f"the adapter is of kind {kind}; only LORA is read")
        unread = next((name for name in _UNREAD if config.get(name)), None)
        if unread is not None:
            raise ModelError(f"the adapter uses {unread}, which is not read", hint="merge it with PEFT first")
        alpha, patterns = config.get("lora_alpha", 8), config.get("alpha_pattern") or {}
        if not isinstance(patterns, dict) or not all(type(a) in (int, float) for a in (alpha, *patterns.values())):
            raise ModelError("lora_alpha and alpha_pattern must be numbers")
        return cls(alpha, patterns, bool(config.get("use_rslora")))

    def __call__(self, module: str, rank: int) -> float:
        alpha = next((a for end, a in self.patterns.items() if f".{module}".endswith(f".{end}")), self.alpha)
        return alpha / (rank**0.5 if self.by_root else rank)


@dataclass(slots=True)
class _Change:
    """What an adapter holds for one matrix."""

    parts: dict[str, torch.Tensor] = field(default_factory=dict)

    def merge(self, weight: torch.Tensor, scale: Callable[[int], float]) -> torch.Tensor:
        """Apply to a weight of the base.

        Raises:
            ModelError: parts are missing or do not fit.
        """
        embeds = "embedding_A" in self.parts
        down, up = (self.parts.get(f"embedding_{part}" if embeds else part) for part in "AB")
        if down is None or up is None:
            raise ModelError("one of the two matrices is missing")
        down, up = down.float().flatten(1), up.float().flatten(1)
        if embeds:
            down, up = up.T, down.T
        if up.shape[1] != down.shape[0] or (len(up), down.shape[1]) != (len(weight), weight[0].numel()):
            raise ModelError(f"{tuple(up.shape)} times {tuple(down.shape)} does not fit {tuple(weight.shape)}")
        merged = weight.float() + scale(len(down)) * (up @ down).view(weight.shape)
        lengths = self.parts.get("magnitude_vector")
        if lengths is not None:
            if lengths.numel() != len(weight):
                raise ModelError(f"{lengths.numel()} lengths do not fit {len(weight)} rows")
            stated = lengths.float().view(-1, *[1] * (weight.ndim - 1))
            merged = stated * merged / merged.flatten(1).norm(dim=1).view_as(stated)
        return merged.to(weight.dtype)


def _merged(stored: Mapping[str, torch.Tensor], base: Checkpoint, scale: _Scale) -> dict[str, torch.Tensor]:
    """Every tensor of the base that the adapter changes."""
    shapes = expected_shapes(base.dims)
    ours = {hugging_face_name(name): name for name in shapes}
    changes: dict[str, _Change] = defaultdict(_Change)
    merged = {}
    for key, tensor in stored.items():
        theirs = key.removeprefix("base_model.model.").replace(".base_layer.", ".")
        if part := _PART.fullmatch(theirs):
            changes[part["module"]].parts[part["part"]] = tensor
        elif theirs in ours:
            check_shape(theirs, tuple(tensor.shape), shapes[ours[theirs]])
            merged[ours[theirs]] = tensor
        else:
            raise ModelError(f"the adapter holds {key}, which cannot be merged", hint="merge it with PEFT first")
    for module, change in changes.items():
        name = ours.get(f"{module}.weight")
        if name is None:
            raise ModelError(f"the adapter changes {module}, which this model does not have")
        weight = merged.get(name, base.tensors[name])
        try:
            merged[name] = change.merge(weight, lambda rank, module=module: scale(module, rank))  # type: ignore[misc]
        except ModelError as error:
            raise ModelError(f"the adapter does not fit {name}: {error.message}") from error
    return merged
