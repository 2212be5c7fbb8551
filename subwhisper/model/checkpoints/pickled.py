"""The door for files of pickled tensors: nothing but tensors and plain containers comes through.

`torch.load(weights_only=True)` refuses every other object without running it (torch 2.10 and later).
In front of it the opcodes are read, never executed, so that a refusal can name what the file asks for.
What is added besides: no decompression bombs, and one clear error for all the ways a file can be bad.
"""

import io
import pickle
import pickletools
import zipfile
from pathlib import Path
from typing import IO, Any

import torch

from subwhisper.errors import ModelError

ZIP_MAGIC = b"PK\x03\x04"
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a file written before torch 1.6
_LEGACY_PICKLES = 5  # magic, version, system, tensors, storage keys; raw numbers follow
_MAX_PICKLE_BYTES = 64 * 2**20  # the table of a large model takes 0.2 MB
_DAMAGED_HINT = "fetch it again; it may be incomplete"


def load_pickled(path: Path) -> Any:
    """Read a file that `torch.save` wrote, new (zip, memory-mapped) or old (a series of pickles).

    Raises:
        ModelError: the file is damaged, larger inside than outside, or holds anything but tensors.
    """
    with path.open("rb") as file:
        is_zip = file.read(4) == ZIP_MAGIC
    try:
        foreign = _foreign_in_zip(path) if is_zip else _foreign_in_legacy(path)
        if foreign is None:
            return torch.load(path, map_location="cpu", mmap=is_zip, weights_only=True)
    except ModelError:
        raise
    except pickle.UnpicklingError as error:
        raise ModelError(f"{path} is not a file of tensors only, or is damaged", hint=_DAMAGED_HINT) from error
    except Exception as error:  # a hostile or damaged file can end a parser in any way there is
        raise ModelError(f"{path} is damaged: {_first_line(error)}", hint=_DAMAGED_HINT) from error
    raise ModelError(
        f"{path} is refused: it asks for {foreign}, where only tensors belong; nothing of it was run",
        hint="use weights in safetensors form, from a source you trust",
    )


def _foreign_in_zip(path: Path) -> str | None:
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(e.compress_type != zipfile.ZIP_STORED for e in entries) or sum(e.file_size for e in entries) > size:
            raise ModelError(
                f"{path} is not as torch writes it: its entries are compressed or claim more than is there"
            )
        tables = [entry for entry in entries if entry.filename.endswith(".pkl")]
        if any(entry.file_size > _MAX_PICKLE_BYTES for entry in tables):
            raise ModelError(f"{path} has a table of tensors too large to be one")
        found = (foreign_name(io.BytesIO(archive.read(entry))) for entry in tables)
        return next((name for name in found if name is not None), None)


def _foreign_in_legacy(path: Path) -> str | None:
    with path.open("rb") as file:
        for _ in range(_LEGACY_PICKLES):
            start = file.tell()
            if (name := foreign_name(file)) is not None:
                return name
            if start == 0 and not _is_legacy_magic(path):
                raise ModelError(f"{path} is a pickle, but none that torch wrote", hint="a .pt file of OpenAI is read")
    return None


def _is_legacy_magic(path: Path) -> bool:
    with path.open("rb") as file:
        return any(argument == _LEGACY_MAGIC for _, argument, _ in pickletools.genops(file))


def foreign_name(file: IO[bytes]) -> str | None:
    """Scan one pickle for the first thing it would import that no file of tensors needs.

    Only a message depends on the name; what is overlooked here, torch's own reader still refuses.
    """
    strings: list[str] = []
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in ("GLOBAL", "INST"):
            module, _, name = str(argument).partition(" ")
            if not _belongs(module, name):
                return f"{module}.{name}"
        elif opcode.name == "STACK_GLOBAL":  # torch writes protocol 2, which does not have it
            return ".".join(strings[-2:]) or "an unnamed object"
        elif isinstance(argument, str):
            strings.append(argument)
    return None


def _belongs(module: str, name: str) -> bool:
    return module.partition(".")[0] == "torch" or (module, name) == ("collections", "OrderedDict")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
