"""Random checkpoints that say the same in every engine, in the file formats of all of them.

The weights are random numbers, rounded to 16 bits, at the true sizes of public models, so every product is as large as
in earnest. Only the decoder's positions are not random: each points at the token that a script has there, far enough
that no precision and no search says anything else. So every window has the same 100 tokens (a timestamp, 98 of text,
a timestamp) and then ends by itself, in every engine and under its own rules: no length needs to be forced, no check
of a text fails, and no window is read twice.
"""

import json
import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.peers.engines.work import TEXT_TOKENS, TRAINED
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.catalog import find
from subwhisper.model.checkpoints.shapes import expected_shapes
from subwhisper.model.checkpoints.writer import save_directory
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import Vocabulary, public_vocabulary
from subwhisper.model.whisper import sinusoids

_SCRIPT = """ When the harbour woke, the fog still lay between the cranes, and nobody on the quay saw the far side.
 Anna had promised to count the boats before breakfast. She began with the small ones, whose lamps were burning, and
 wrote their numbers in a green book. Her brother held the pencil and asked why ships have names while trains do not.
 She said that a train always comes back, but a ship might not, and whoever is waiting wants to call it by something.
 Then the first bell rang across the water, twice, and both of them forgot the question."""

_LOUDNESS = 4.0
"""How far the positions stand out of the random rest, whose numbers are about 1."""
_SURENESS = 19.0
"""Logit of the script's token; the largest of all others is about 4."""


def write_all(size: str, folder: Path) -> None:
    """Write the checkpoint of one size for every engine; what is there is left alone."""
    formats = {
        "hf": lambda to: _convert(TRAINED, to) if size == TRAINED else _write_directory(size, to),
        "model.pt": lambda to: _convert(folder / "hf", to),
        "q8_0.bin": lambda to: _convert(folder / "hf", to, "--weights", "q8_0"),
        "ct2-int8": lambda to: _ctranslate(folder / "hf", to, "int8"),
        "ct2-float32": lambda to: _ctranslate(folder / "hf", to, "float32"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in formats.items():
        if not (folder / name).exists():
            print(f"writing {size}/{name}", file=sys.stderr, flush=True)
            unfinished = folder / f"unfinished-{name}"
            write(unfinished)
            unfinished.rename(folder / name)


def script(vocabulary: Vocabulary) -> list[int]:
    """The tokens that come after each position, up to the end of the text."""
    tokenizer = Tokenizer(vocabulary, is_multilingual=True)
    start = tokenizer.start_sequence("en", "transcribe")
    text = tokenizer.encode(_SCRIPT.replace("\n", ""))[:TEXT_TOKENS]
    if len(text) < TEXT_TOKENS:
        raise ValueError(f"the script has {len(text)} tokens")
    return [*start[1:], tokenizer.timestamp_begin, *text, tokenizer.timestamp_end - 1, tokenizer.eot]


def tensors_of(dims: ModelDims, said: list[int]) -> dict[str, Tensor]:
    """Random weights that say this, whatever they hear."""
    random = torch.Generator().manual_seed(20)
    tensors = {name: _filled(name, shape, random) for name, shape in expected_shapes(dims).items()}
    tensors["encoder.positional_embedding"] = sinusoids(dims.n_audio_ctx, dims.n_audio_state)
    directions = tensors["decoder.token_embedding.weight"]
    padded = said + said[-1:] * (dims.n_text_ctx - len(said))
    tensors["decoder.positional_embedding"] = _LOUDNESS * directions[padded]
    tensors["decoder.token_embedding.weight"] = directions * (_SURENESS / dims.n_text_state)
    return {name: tensor.half() for name, tensor in tensors.items()}


def _filled(name: str, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    """Numbers that keep the size of what flows through about the same."""
    if len(shape) == 1:
        is_gain = name.endswith("weight")
        return torch.full(shape, float(is_gain)) + 0.02 * torch.randn(shape, generator=random)
    fan_in = shape[1] * (shape[2] if len(shape) == 3 else 1)
    spread = 1.0 if "embedding" in name else (3 * fan_in) ** -0.5
    return spread * torch.randn(shape, generator=random)


def _write_directory(size: str, folder: Path) -> None:
    entry = find(size)
    vocabulary = public_vocabulary(entry.dims.n_vocab)
    save_directory(
        folder,
        dims=entry.dims,
        tensors=tensors_of(entry.dims, script(vocabulary)),
        vocabulary=vocabulary,
        alignment_heads=entry.alignment_heads or entry.dims.upper_half_heads,
        is_multilingual=True,
    )


def _convert(source: Path | str, target: Path, *options: str) -> None:
    command = [sys.executable, "-m", "subwhisper", "models", "convert", str(source), str(target), "--quiet", *options]
    subprocess.run(command, check=True)


def _ctranslate(source: Path, target: Path, quantization: str) -> None:
    converter = Path(sys.executable).with_name("ct2-transformers-converter")
    command = [str(converter), "--model", str(source), "--output_dir", str(target), "--quantization", quantization]
    copied = ["--copy_files", "tokenizer.json", "preprocessor_config.json"]
    subprocess.run([*command, *copied], check=True, stdout=subprocess.DEVNULL)
    heads = json.loads((source / "generation_config.json").read_text())["alignment_heads"]
    config = target / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"alignment_heads": heads}))
