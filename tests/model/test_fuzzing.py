"""Damaged and hostile checkpoints of every format: one clear error, little memory, no code run.

Each file is damaged many times, from seeds, so that a failure can be seen again.
"""

import json
import os
import pickle
import random
import resource
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from small_models import small_dims, write_json

from subwhisper.engine.features import mel_filters
from subwhisper.errors import ModelError
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.checkpoints.ggml_writer import write_ggml
from subwhisper.model.checkpoints.openai import write_openai

ROUNDS = 25
MOST_MEMORY_MB = 300
"""What all rounds together may add to the process at its largest; the models take half a megabyte."""

Damage = Callable[[bytearray, random.Random], bytes]


def cut_off(content: bytearray, dice: random.Random) -> bytes:
    return bytes(content[: dice.randrange(len(content))])


def flip_bits(content: bytearray, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(min(len(content), dice.choice([64, 4096, len(content)])))
        content[at] ^= 1 << dice.randrange(8)
    return bytes(content)


def claim_much(content: bytearray, dice: random.Random) -> bytes:
    """Put a huge, negative or odd number where some size may stand."""
    number = dice.choice([2**31 - 1, -1, -(2**31), 10**6, 0, dice.getrandbits(31)])
    at = dice.randrange(min(len(content) - 8, dice.choice([64, 4096, len(content) - 8])))
    struct.pack_into(dice.choice(["<i", ">i", "<q"]), content, at, number)
    return bytes(content)


def mix_up(content: bytearray, dice: random.Random) -> bytes:
    """Copy one piece of the file over another."""
    length, start, to = dice.randint(1, 2000), dice.randrange(len(content)), dice.randrange(len(content))
    content[to : to + length] = content[start : start + length]
    return bytes(content)


@pytest.fixture
def files(hub_folder: Path, tmp_path: Path) -> dict[str, Path]:
    """The same small model in every format: the file to damage, which may lie in a folder of more."""
    checkpoint = read_checkpoint(hub_folder)
    write_openai(tmp_path / "model.pt", checkpoint, torch.float16)
    write_ggml(tmp_path / "model.bin", checkpoint, mel_filters(80).numpy())
    legacy = {"dims": {}, "model_state_dict": dict(checkpoint.tensors)}
    torch.save(legacy, tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    files = {path.stem if path.suffix == ".pt" else "ggml": path for path in tmp_path.glob("*.*") if path.is_file()}
    for name in ("model.safetensors", "config.json", "vocab.json", "generation_config.json", "merges.txt"):
        files[name] = Path(shutil.copytree(hub_folder, tmp_path / f"with {name}")) / name
    return files


def complaint_about(path: Path) -> str | None:
    """What is wrong with a checkpoint; any error but the one that users are shown escapes."""
    try:
        tensors = read_checkpoint(path).tensors
    except ModelError as error:
        return error.message
    assert all(tensor.numel() for tensor in tensors.values())
    return None


@pytest.mark.parametrize("damage", [cut_off, flip_bits, claim_much, mix_up])
@pytest.mark.parametrize(
    "name",
    [
        "ggml",
        "model",
        "legacy",
        "model.safetensors",
        "config.json",
        "vocab.json",
        "generation_config.json",
        "merges.txt",
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_damage_ends_in_one_clear_error(files: dict[str, Path], name: str, damage: Damage) -> None:
    path = files[name]
    target = path.parent if path.suffix in (".safetensors", ".json", ".txt") else path
    whole = path.read_bytes()
    dice = random.Random(f"{name} {damage.__name__}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n_read = 0
    for _ in range(ROUNDS):
        path.write_bytes(damage(bytearray(whole), dice))
        complaint = complaint_about(target)
        n_read += complaint is None  # a flipped bit of a weight is a weight
        assert complaint is None or (str(path.parent) in complaint and "\n" not in complaint)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MOST_MEMORY_MB
    assert damage is not cut_off or path.suffix not in (".pt", ".bin", ".safetensors") or n_read == 0


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("where", ["dims", "model_state_dict", "subwhisper"])
def test_code_in_any_entry_is_refused(tmp_path: Path, never_runs: Path, where: str) -> None:
    table = {"dims": {}, "model_state_dict": {}, "subwhisper": {}} | {where: Evil(never_runs)}
    torch.save(table, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match=r"asks for (posix|os)\.system"):
        read_checkpoint(tmp_path / "evil.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(table))
    with pytest.raises(ModelError, match=r"asks for (posix|os)\.system"):
        read_checkpoint(tmp_path / "bare.pt")


def test_code_in_an_adapter_is_refused(hub_folder: Path, tmp_path: Path, never_runs: Path) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    write_json(folder / "adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": str(hub_folder)})
    torch.save({"a": Evil(never_runs)}, folder / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"asks for (posix|os)\.system"):
        read_checkpoint(folder)


def test_sizes_that_are_not_there_cost_no_memory(hub_folder: Path, tmp_path: Path) -> None:
    """A tensor that repeats one number, and a header that announces gigabytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dims = small_dims(n_vocab=51865)
    huge = torch.zeros(1).expand(51865, 16)
    table = {"dims": {f: getattr(dims, f) for f in dims.__dataclass_fields__}, "model_state_dict": {"x": huge}}
    torch.save(table, tmp_path / "repeated.pt")
    header = json.dumps({"x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    (hub_folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    for target in (tmp_path / "repeated.pt", hub_folder):
        with pytest.raises(ModelError):
            read_checkpoint(target)
    (hub_folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
    with pytest.raises(ModelError):
        read_checkpoint(hub_folder)
    save_file({"model.encoder.conv1.weight": torch.zeros(1)}, hub_folder / "model.safetensors")
    with pytest.raises(ModelError, match="has shape 1"):
        read_checkpoint(hub_folder)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MOST_MEMORY_MB
