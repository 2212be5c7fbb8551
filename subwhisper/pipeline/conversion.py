"""A model in the file of another program: read, written under a name that does not count yet, read again.

The second reading proves the file, and tells what its format could not hold.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from subwhisper.engine.features import mel_filters
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import OptionError, OutputError
from subwhisper.model.catalog import Heads
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.checkpoints.ggml_writer import WEIGHT_TYPES, write_ggml
from subwhisper.model.checkpoints.openai import write_openai
from subwhisper.model.checkpoints.writer import save_checkpoint
from subwhisper.pipeline import OnProgress
from subwhisper.pipeline.outputs import replacing

_FLOATS = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
_SUFFIXES = {".pt": "openai", ".bin": "ggml", "": "huggingface"}
_KEPT = {
    "vocabulary": "the vocabulary",
    "is_multilingual": "whether it knows more than English",
    "alignment_heads": "the alignment heads",
    "suppress_tokens": "the tokens to suppress",
    "reads_prompts": "that it reads no prompts",
    "noise_logprob": "how improbable the text is that it makes of noise",
    "spreads_timestamps": "that its probability of a timestamp is spread",
}
"""Fields of a checkpoint, besides its weights, that another format may have no place for."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of a conversion."""

    path: Path
    format: str
    """`openai`, `ggml` or `huggingface`."""
    n_bytes: int
    lost: tuple[str, ...]
    """What the format has no place for, in words."""


def format_of(output: Path) -> str:
    """Tell the format by a name's ending: `.pt`, `.bin` (ggml), or none (a Hugging Face directory).

    Raises:
        OptionError: another ending.
    """
    suffix = output.suffix if not output.is_dir() else ""
    if suffix.lower() not in _SUFFIXES and suffix[1:].isalpha():  # whisper-large-v3.5 is a directory
        raise OptionError(
            f"{output} names no format to convert to",
            hint="NAME.pt is OpenAI's, NAME.bin whisper.cpp's ggml, a name without ending a Hugging Face directory",
        )
    return _SUFFIXES.get(suffix.lower(), "huggingface")


def convert(
    source: Path,
    output: Path,
    *,
    weights: str | None,
    overwrite: bool,
    on_progress: OnProgress,
    alignment_heads: Heads | None = None,
) -> Converted:
    """Write a model in the format that the output's name asks for.

    Args:
        source: a checkpoint of any kind that is read.
        output: ends with `.pt`, `.bin` or nothing, see `format_of`.
        weights: `f32`, `f16` or `bf16`; for ggml also a quantised type. By default those of the source are kept,
            except that ggml takes `f16`, which whisper.cpp's own files have.
        overwrite: whether something of that name may be replaced.
        on_progress: hears of tensors written.
        alignment_heads: instead of the source's.

    Raises:
        OptionError: the format or type is unknown, or the output is the source.
        ModelError: the source cannot be read, or does not fit the type.
        OutputError: the output exists, or cannot be written.
    """
    format = format_of(output)
    known = [*WEIGHT_TYPES] if format == "ggml" else [*_FLOATS]
    if weights is not None and weights not in known:
        raise OptionError(f"{weights!r} is no type of weights for {output.name}", hint=f"one of {', '.join(known)}")
    if output.exists() and (output.resolve() == source.resolve() or source.resolve().is_relative_to(output.resolve())):
        raise OptionError(f"{output} is the model to convert, and would be overwritten", hint="choose another name")
    if output.exists() and not overwrite and not (output.is_dir() and not any(output.iterdir())):
        raise OutputError(f"{output} exists", hint="choose another name, or replace it with --overwrite")
    checkpoint = read_checkpoint(source)
    if alignment_heads is not None:
        checkpoint = replace(checkpoint, alignment_heads=alignment_heads)
    if format == "huggingface":
        _save_directory(output, checkpoint, weights, overwrite=overwrite)
    else:
        with replacing([output]) as hidden:
            _write(hidden[output], checkpoint, weights, on_progress)
    lost = _lost(checkpoint, read_checkpoint(output))
    return Converted(output, format, size_of(output), lost)


def _write(path: Path, checkpoint: Checkpoint, weights: str | None, on_progress: OnProgress) -> None:
    if path.suffix.lower() == ".pt":
        write_openai(path, checkpoint, _FLOATS[weights] if weights else None)
        return

    def on_tensor(done: int, total: int) -> None:
        on_progress("writing", done, total)

    filters = mel_filters(checkpoint.dims.n_mels).numpy()
    write_ggml(path, checkpoint, filters, weights or "f16", on_tensor)


def _save_directory(folder: Path, checkpoint: Checkpoint, weights: str | None, *, overwrite: bool) -> None:
    suppress = checkpoint.suppress_tokens
    if suppress is None:  # our tokenizer knows them by itself; other programs must be told
        tokenizer = Tokenizer(checkpoint.vocabulary, is_multilingual=checkpoint.is_multilingual)
        suppress = tokenizer.non_speech_tokens
    told = replace(checkpoint, suppress_tokens=suppress)
    save_checkpoint(folder, told, dtype=_FLOATS[weights] if weights else None, overwrite=overwrite)


def _lost(before: Checkpoint, after: Checkpoint) -> tuple[str, ...]:
    if before.suppress_tokens is None:
        after = replace(after, suppress_tokens=None)
    return tuple(words for name, words in _KEPT.items() if getattr(before, name) != getattr(after, name))


def size_of(path: Path) -> int:
    """Bytes of a file, or of those in a folder."""
    files = [path] if path.is_file() else path.iterdir()
    return sum(file.stat().st_size for file in files if file.is_file())
