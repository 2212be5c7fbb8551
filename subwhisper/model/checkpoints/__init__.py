"""Any file or folder of Whisper weights becomes one value, `Checkpoint`.

What something is, its bytes say; names are not trusted. To add a format: write a reader in this folder
and a line in `read_checkpoint`.
"""

from pathlib import Path

from subwhisper.errors import ModelError
from subwhisper.model import catalog, store
from subwhisper.model.checkpoints.adapter import read_adapter
from subwhisper.model.checkpoints.checkpoint import Checkpoint
from subwhisper.model.checkpoints.ggml import MAGIC, read_ggml
from subwhisper.model.checkpoints.huggingface import read_directory
from subwhisper.model.checkpoints.openai import read_openai
from subwhisper.model.checkpoints.pickled import ZIP_MAGIC
from subwhisper.model.files import blamed_on, is_adapter

__all__ = ["Checkpoint", "read_checkpoint"]

_RELATED_MAGICS = (b"ggml", b"fmgg", b"tjgg", b"GGUF")  # ggml on other machines and of other programs, as stored


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a model from a Hugging Face folder, an OpenAI `.pt` file, or a ggml file of whisper.cpp.

    The folder of an adapter gives its base with the adapter merged in; the base must be on this machine.

    Raises:
        ModelError: naming what is missing, damaged, hostile, or of a format that is not read.
    """
    with blamed_on(path):
        if path.is_dir():
            return _read_folder(path)
        if not path.exists():
            raise ModelError(f"{path} does not exist", hint="give a model's name, a file, or a folder")
        return _read_file(path)


def _read_folder(folder: Path) -> Checkpoint:
    if (folder / "model.bin").exists() and any(folder.glob("vocabulary.*")):
        raise ModelError(f"{folder} is a CTranslate2 model (faster-whisper), which is not read", hint=_instead(folder))
    if is_adapter(folder):
        return read_adapter(folder, read_checkpoint(store.locate_base(folder)))
    if not (folder / "config.json").exists():
        raise ModelError(
            f"{folder} is no model: it has no config.json",
            hint="a model folder holds config.json, model.safetensors, vocab.json and merges.txt",
        )
    return read_directory(folder)


def _read_file(path: Path) -> Checkpoint:
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        raise ModelError(f"{path} is empty")
    if head.startswith(MAGIC):
        return read_ggml(path)
    if head[:4] in _RELATED_MAGICS:
        raise ModelError(f"{path} is a relative of ggml that whisper.cpp does not use", hint=_instead(path))
    if head.startswith(b"version https://git-lfs"):
        raise ModelError(f"{path} is a Git LFS pointer, not the weights", hint="run: git lfs pull")
    if head[8:9] == b"{":  # safetensors: eight bytes of length, then JSON
        raise ModelError(f"{path} holds weights only", hint=f"give the folder with its config.json: {path.parent}")
    if head.startswith((ZIP_MAGIC, b"\x80")):  # torch's zip, or a bare pickle
        return read_openai(path)
    raise ModelError(
        f"{path} is no Whisper checkpoint",
        hint="read are .pt files of OpenAI, ggml files of whisper.cpp, and Hugging Face folders",
    )


def _instead(path: Path) -> str:
    entry = catalog.mentioned_in(path.name) or catalog.mentioned_in(str(path.resolve().parent))
    return f"use --model {entry.name if entry else 'NAME'} to fetch the original weights"
