"""ggml files: held to whisper.cpp's own reading of them where it is installed."""

import ctypes
import json
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import whisper_cpp

from subwhisper.engine.features import mel_filters
from subwhisper.errors import ModelError
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.checkpoints.blocks import BLOCK_TYPES, BlockType
from subwhisper.model.checkpoints.ggml_writer import WEIGHT_TYPES, write_ggml
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import Vocabulary, public_vocabulary
from subwhisper.model.whisper import Whisper

needs_whisper_cpp = pytest.mark.skipif(find_spec("_pywhispercpp") is None, reason="pywhispercpp is not installed")

LARGEST_ERROR = {"f32": 0.0, "f16": 1e-3, "q8_0": 0.02, "q5_0": 0.07, "q5_1": 0.06, "q4_0": 0.13, "q4_1": 0.11}
"""Of weights drawn from a normal distribution, relative."""


def made(vocabulary: Vocabulary, *, width: int = 64, n_mels: int = 80) -> Checkpoint:
    """Random weights whose output is not degenerate."""
    dims = ModelDims(n_mels, 1500, width, 2, 2, vocabulary.size, 448, width, 2, 2)
    random = torch.Generator().manual_seed(4)
    tensors = {}
    for name, like in Whisper(dims).state_dict().items():
        noise = torch.randn(like.shape, generator=random)
        is_matrix = like.ndim > 1 and "embedding" not in name
        tensors[name] = noise * (like[0].numel() ** -0.5 if is_matrix else 0.2)
    tensors["encoder.positional_embedding"] = Whisper(dims).encoder.positional_embedding
    return Checkpoint(
        dims=dims,
        tensors=tensors,
        vocabulary=vocabulary,
        is_multilingual=vocabulary.is_multilingual,
        alignment_heads=dims.upper_half_heads,
        suppress_tokens=None,
        reads_prompts=True,
        name="made",
        fingerprint="",
    )


def write(path: Path, checkpoint: Checkpoint, weights: str = "f16") -> Path:
    write_ggml(path, checkpoint, mel_filters(checkpoint.dims.n_mels).numpy(), weights)
    return path


def error(wanted: torch.Tensor, got: torch.Tensor) -> float:
    return float((got.float() - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("weights", WEIGHT_TYPES)
def test_weights_come_back_within_the_error_of_their_type(tmp_path: Path, vocabulary: Vocabulary, weights: str) -> None:
    checkpoint = made(vocabulary)
    read = read_checkpoint(write(tmp_path / "mine.bin", checkpoint, weights))
    assert read.dims == checkpoint.dims
    assert set(read.tensors) == set(checkpoint.tensors)
    for name, tensor in checkpoint.tensors.items():
        assert read.tensors[name].shape == tensor.shape
        assert error(tensor, read.tensors[name]) <= LARGEST_ERROR[weights], name
    assert torch.equal(read.tensors["decoder.positional_embedding"], checkpoint.tensors["decoder.positional_embedding"])


def test_other_vocabularies_than_openais_come_back_whole(tmp_path: Path, vocabulary: Vocabulary) -> None:
    read = read_checkpoint(write(tmp_path / "mine.bin", made(vocabulary)))
    assert read.vocabulary == vocabulary
    assert read.is_multilingual
    assert read.name == "mine"


def test_a_public_name_brings_its_heads(tmp_path: Path) -> None:
    vocabulary = public_vocabulary(51865)
    dims = ModelDims(80, 1500, 12, 6, 1, 51865, 448, 12, 6, 4)  # as many layers and heads as tiny
    tensors = Whisper(dims).state_dict()
    checkpoint = Checkpoint(dims, tensors, vocabulary, True, dims.upper_half_heads, None, True, "x", "")
    read = read_checkpoint(write(tmp_path / "ggml-tiny-f16.bin", checkpoint))
    assert read.alignment_heads == ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5))
    assert read.name == "ggml-tiny-f16"  # the heads fit, but it is not as wide as tiny
    assert read.vocabulary == vocabulary


@needs_whisper_cpp
def test_whisper_cpp_reads_what_we_write_and_hears_what_we_hear(tmp_path: Path) -> None:
    """Its activations are float16 and its GELU a table, which costs 1.6 percent whatever the weights are."""
    checkpoint = made(public_vocabulary(51864))
    files = [write(tmp_path / f"{weights}.bin", checkpoint, weights) for weights in ("f32", "f16", "q5_0", "q4_1")]
    mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(1)) * 0.3
    for file, told in zip(files, asked(tmp_path, mel, *files), strict=True):
        read = read_checkpoint(file)
        assert_same_tokens(read.vocabulary, told)
        if file.stem == "f32":
            continue
        network = Whisper(read.dims).eval().requires_grad_(False)
        network.load_state_dict({name: tensor.float() for name, tensor in read.tensors.items()})
        cache = network.start(network.hear(network.encode(mel[None])))
        logits = network.decode(torch.tensor([whisper_cpp.PROMPT]), cache)[0, -1]
        assert error(logits, torch.tensor(told["logits"])) < 0.025, file


@needs_whisper_cpp
@pytest.mark.parametrize(("n_vocab", "n_mels"), [(51865, 80), (51866, 128)])
def test_whisper_cpp_numbers_the_tokens_of_multilingual_models_alike(tmp_path: Path, n_vocab: int, n_mels: int) -> None:
    vocabulary = public_vocabulary(n_vocab)
    file = write(tmp_path / "mine.bin", made(vocabulary, width=32, n_mels=n_mels), "q5_0")
    (told,) = asked(tmp_path, torch.zeros(n_mels, 3000), file)
    assert_same_tokens(vocabulary, told)


def asked(folder: Path, mel: torch.Tensor, *files: Path) -> list[dict[str, object]]:
    np.save(folder / "mel.npy", mel.numpy())
    command = [sys.executable, whisper_cpp.__file__, folder / "mel.npy", *files]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    told: list[dict[str, object]] = json.loads(ran.stdout)
    return told


def assert_same_tokens(vocabulary: Vocabulary, told: dict[str, object]) -> None:
    ours = {"eot": "endoftext", "sot": "startoftranscript", "prev": "startofprev", "solm": "startoflm"}
    ours |= {"not": "notimestamps", "nosp": "nospeech", "beg": "0.00"}
    special = told["special"]
    assert isinstance(special, dict)
    assert special == {name: vocabulary.special_tokens[f"<|{ours.get(name, name)}|>"] for name in special}
    pieces = {number: piece for piece, number in vocabulary.ranks.items()}
    words = [pieces[number].partition(b"\0")[0].hex() for number in range(0, 50000, 99)]
    assert told["words"] == words


@needs_whisper_cpp
@pytest.mark.parametrize(("kind", "block_type"), BLOCK_TYPES.items(), ids=lambda it: getattr(it, "name", ""))
def test_blocks_are_ggmls_bit_for_bit(kind: int, block_type: BlockType) -> None:
    ggml = whisper_cpp.library("libggml-base")
    numbers = np.random.default_rng(5).standard_normal((500, 32)).astype(np.float32)
    numbers[0], numbers[1], numbers[2] = 0, 3.5, numbers[2] * 1e-9
    numbers[3, :4] = [-2, 2, -2, 2]  # the first of the largest decides
    theirs = np.zeros((500, block_type.n_bytes), np.uint8)
    counts = (ctypes.c_int64(0), ctypes.c_int64(500), ctypes.c_int64(32))
    ggml.ggml_quantize_chunk(kind, address(numbers), address(theirs), *counts, None)
    assert np.array_equal(block_type.encode(numbers), theirs.reshape(-1))
    decoded = np.zeros_like(numbers)
    getattr(ggml, f"dequantize_row_{block_type.name}")(address(theirs), address(decoded), ctypes.c_int64(16000))
    assert np.array_equal(block_type.decode(theirs), decoded.reshape(-1))


def address(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def test_narrow_rows_are_no_blocks(tmp_path: Path, vocabulary: Vocabulary) -> None:
    with pytest.raises(ModelError, match="no whole blocks"):
        write(tmp_path / "mine.bin", made(vocabulary, width=16), "q8_0")


def test_numbers_beyond_float16_are_refused(tmp_path: Path, vocabulary: Vocabulary) -> None:
    checkpoint = made(vocabulary)
    checkpoint.tensors["decoder.blocks.0.mlp.0.weight"][0, 0] = 1e6
    with pytest.raises(ModelError, match="float16 cannot"):
        write(tmp_path / "mine.bin", checkpoint)
    write(tmp_path / "mine.bin", checkpoint, "f32")


HEADER = 4 + 11 * 4


@pytest.mark.parametrize(
    ("at", "value", "complaint"),
    [
        (4, 0, "n_vocab must be"),
        (4, 7, "words"),
        (12, 2**31 - 1, "n_audio_state must be"),
        (20, 10**6, "n_audio_layer must be"),
        (24, 2000, "decoder.positional_embedding has shape"),
        (44, 1007, "version 1"),
        (44, 3007, "version 3"),
        (HEADER, 81, "81 mel filters"),
        (HEADER + 4, 2**31 - 1, "ends after"),
        (HEADER + 4, -1, "mel filters"),
        (HEADER + 8 + 80 * 201 * 4, -1, "-1 words"),
        (HEADER + 8 + 80 * 201 * 4 + 4, 2**31 - 1, "word 0"),
    ],
)
def test_hostile_headers_are_refused(
    tmp_path: Path, vocabulary: Vocabulary, at: int, value: int, complaint: str
) -> None:
    path = write(tmp_path / "mine.bin", made(vocabulary))
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, at, value)
    path.write_bytes(content)
    with pytest.raises(ModelError, match=complaint):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("tensor", "complaint"),
    [
        (struct.pack("<iii", 1, 1, 10) + struct.pack("<i", 256) + b"x", "type 10 of ggml, which is not read"),
        (struct.pack("<iii", 1, 1, 8) + struct.pack("<i", 33) + b"x", "no whole blocks"),
        (struct.pack("<iii", 4, 1, 0) + struct.pack("<iiii", *[2**31 - 1] * 4) + b"x", "ends after"),
        (struct.pack("<iii", 2, 1, 0) + struct.pack("<ii", -4, -4) + b"x", "its shape is"),
        (struct.pack("<iii", 9, 1, 0), "a tensor should begin"),
        (struct.pack("<iii", 1, 2**31 - 1, 0), "a tensor should begin"),
        (b"\0", "ends after"),
    ],
)
def test_hostile_tensors_are_refused(tmp_path: Path, vocabulary: Vocabulary, tensor: bytes, complaint: str) -> None:
    path = write(tmp_path / "mine.bin", made(vocabulary))
    path.write_bytes(path.read_bytes() + tensor)
    with pytest.raises(ModelError, match=complaint):
        read_checkpoint(path)


def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, vocabulary: Vocabulary) -> None:
    path = write(tmp_path / "mine.bin", made(vocabulary, width=32))
    content = path.read_bytes()
    for length in range(1, len(content), len(content) // 60):
        path.write_bytes(content[:length])
        with pytest.raises(ModelError):
            read_checkpoint(path)
