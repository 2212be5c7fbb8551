"""The small files of a model directory: what they may be called, and what they say. No torch."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from subwhisper.errors import ModelError

WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""Where weights are looked for, best first."""

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
"""Of a low-rank adapter in PEFT's files, best first."""

_MAX_JSON_BYTES = 64 * 2**20  # the largest real one, tokenizer.json, takes 2.7 MB


@contextmanager
def blamed_on(path: Path) -> Iterator[None]:
    """Name `path` in every model error that does not name it already."""
    try:
        yield
    except ModelError as error:
        if str(path) in error.message:
            raise
        raise type(error)(f"{path}: {error.message}", hint=error.hint) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ModelError: the file is missing, too large, or not a JSON object.
    """
    with blamed_on(path):
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise ModelError("the file is too large to be a configuration or vocabulary")
        try:
            table = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ModelError(f"the file is not JSON: {error}") from error
        if not isinstance(table, dict):
            raise ModelError("the file is not a JSON object")
    return table


def shard_names(index: Mapping[str, Any]) -> list[str]:
    """List the files an index of sharded weights names.

    Raises:
        ModelError: the index is malformed, or names a file outside its own folder.
    """
    weight_map = index.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError("the index of shards has no 'weight_map'")
    names = sorted({str(name) for name in weight_map.values()})
    for name in names:
        if not re.fullmatch(r"[\w][\w.-]*\.(safetensors|bin)", name, flags=re.ASCII):
            raise ModelError(f"the index of shards names {name!r}, which is no weights file of this folder")
    return names


def weight_files(folder: Path) -> list[Path]:
    """Where the weights of a Hugging Face directory are, whether they are there or not.

    Raises:
        ModelError: it names none, or its index of shards is damaged.
    """
    found = next((folder / name for name in WEIGHTS if (folder / name).exists()), None)
    if found is None:
        raise ModelError(f"{folder} holds no weights: none of {', '.join(WEIGHTS)} is there")
    if found.suffix != ".json":
        return [found]
    with blamed_on(found):
        return [folder / name for name in shard_names(read_json(found))]


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and no model of its own."""
    return (folder / ADAPTER_CONFIG).exists() and not any((folder / name).exists() for name in WEIGHTS)


def base_of(folder: Path) -> str:
    """Name the model an adapter was trained on: a hub repository or a path, which may be relative to the adapter's.

    Raises:
        ModelError: the configuration is damaged or names none.
    """
    base = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise ModelError(f"{folder / ADAPTER_CONFIG} does not name the model that the adapter was trained on")
    beside = folder / base
    return str(beside) if beside.exists() else base
