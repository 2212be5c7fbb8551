"""The door for files of pickled tensors: nothing but tensors and plain containers comes through.

`torch.load(weights_only=True)` refuses every other object without running it (torch 2.10 and later).
What is added here: no decompression bombs, and one clear error for all the ways a file can be bad.
"""

import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from subwhisper.errors import ModelError

ZIP_MAGIC = b"PK\x03\x04"
_MAX_PICKLE_BYTES = 64 * 2**20  # the table of a large model takes 0.2 MB
_DAMAGED_HINT = "fetch it again; it may be incomplete"


def load_pickled(path: Path) -> Any:
    """Read a file that `torch.save` wrote, new (zip, memory-mapped) or old (a bare pickle).

    Raises:
        ModelError: the file is damaged, too large for what it says, or holds anything but tensors.
    """
    with path.open("rb") as file:
        is_zip = file.read(4) == ZIP_MAGIC
    if is_zip:
        _check_zip(path)
    try:
        return torch.load(path, map_location="cpu", mmap=is_zip, weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from error
    except Exception as error:  # a hostile or damaged file can end torch's parser in any way there is
        raise ModelError(f"{path} is damaged: {_first_line(error)}", hint=_DAMAGED_HINT) from error


def _check_zip(path: Path) -> None:
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise ModelError(f"{path} is damaged: {_first_line(error)}", hint=_DAMAGED_HINT) from error
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries) or sum(e.file_size for e in entries) > size:
        raise ModelError(f"{path} is not as torch writes it: its entries are compressed or claim more than is there")
    if any(entry.filename.endswith(".pkl") and entry.file_size > _MAX_PICKLE_BYTES for entry in entries):
        raise ModelError(f"{path} has a table of tensors too large to be one")


def _refusal(path: Path, error: pickle.UnpicklingError) -> ModelError:
    """Tell code (which torch refuses by the name of what it would call) from mere damage."""
    wanted = re.search(r"(?:GLOBAL|Unsupported class|type) ([\w.]+\.[\w.]+)", str(error))
    if wanted is None:
        return ModelError(f"{path} is not a file of tensors, or is damaged", hint=_DAMAGED_HINT)
    return ModelError(
        f"{path} is refused: it asks for {wanted[1]}, where only tensors belong; nothing of it was run",
        hint="use weights in safetensors form, from a source you trust",
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
