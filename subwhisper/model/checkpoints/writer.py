"""Saves a model as the directory that `huggingface.py` reads, in the layout other Whisper programs know too."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from subwhisper.errors import OutputError
from subwhisper.model.checkpoints.checkpoint import Checkpoint
from subwhisper.model.checkpoints.huggingface import CONFIG_NAMES, hugging_face_name
from subwhisper.model.checkpoints.shapes import checked_tensors, expected_shapes
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import Vocabulary, byte_symbols, merges_of


def save_checkpoint(
    folder: Path, checkpoint: Checkpoint, *, dtype: torch.dtype | None = None, overwrite: bool = False
) -> None:
    """Write a checkpoint, or one with other weights (`dataclasses.replace`), as a model directory.

    `dtype`, `overwrite` and errors are those of `save_directory`.
    """
    save_directory(
        folder,
        dims=checkpoint.dims,
        tensors=checkpoint.tensors,
        vocabulary=checkpoint.vocabulary,
        alignment_heads=checkpoint.alignment_heads,
        is_multilingual=checkpoint.is_multilingual,
        suppress_tokens=checkpoint.suppress_tokens,
        reads_prompts=checkpoint.reads_prompts,
        noise_logprob=checkpoint.noise_logprob,
        spreads_timestamps=checkpoint.spreads_timestamps,
        dtype=dtype,
        overwrite=overwrite,
    )


def save_directory(
    folder: Path,
    *,
    dims: ModelDims,
    tensors: Mapping[str, torch.Tensor],
    vocabulary: Vocabulary,
    alignment_heads: Sequence[tuple[int, int]],
    is_multilingual: bool,
    suppress_tokens: Sequence[int] | None = None,
    reads_prompts: bool = True,
    noise_logprob: float | None = None,
    spreads_timestamps: bool = False,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
) -> None:
    """Write a model directory; it appears whole or not at all.

    Args:
        folder: where; with `overwrite`, other files in it (a model card) stay.
        dims: shape of the network.
        tensors: under OpenAI's names, as `Whisper.state_dict()` gives them; extra ones are left out.
        vocabulary: its ids must be merge ranks.
        alignment_heads: (layer, head) pairs.
        is_multilingual: whether the model writes more than English.
        suppress_tokens: ids text must not contain; None leaves the choice to the tokenizer.
        reads_prompts: whether decoders should give it the text before.
        noise_logprob: mean log-probability per token below which its text is noise; None where nobody knows.
        spreads_timestamps: whether its probability of a timestamp is spread over the neighbours.
        dtype: type to store the weights in; None keeps theirs.
        overwrite: replace a model that is there.

    Raises:
        ModelError: tensors or vocabulary do not fit the dimensions.
        OutputError: the folder exists and may not be replaced, or cannot be written.
    """
    if folder.exists() and not overwrite and any(folder.iterdir()):
        raise OutputError(f"{folder} exists and is not empty", hint="choose another folder")
    stored = _prepared(tensors, dims, dtype)
    tables = _vocabulary_files(vocabulary) | {
        "config.json": _config(dims, vocabulary, stored),
        "generation_config.json": _generation_config(vocabulary, alignment_heads, is_multilingual, suppress_tokens)
        | ({} if reads_prompts else {"prev_sot_token_id": None})
        | ({} if noise_logprob is None else {"noise_logprob": noise_logprob})
        | ({"spreads_timestamps": True} if spreads_timestamps else {}),
        "preprocessor_config.json": _preprocessor_config(dims),
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            new = Path(scratch) / "new"
            if folder.exists():
                shutil.copytree(folder, new)
            new.mkdir(exist_ok=True)
            save_file(stored, new / "model.safetensors", metadata={"format": "pt"})
            for name, content in tables.items():
                text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1)
                (new / name).write_text(text, encoding="utf-8", newline="\n")
            shutil.copymode(new / "config.json", new / "model.safetensors")  # safetensors lets only its owner read it
            _swap(new, folder, Path(scratch) / "old")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error
    except SafetensorError as error:  # a full disk, as its library tells it
        raise OutputError(f"{folder} cannot be written: {error}") from error


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Put `new` in the place of `folder`; only the moment between two renames has neither."""
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise


def _prepared(
    tensors: Mapping[str, torch.Tensor], dims: ModelDims, dtype: torch.dtype | None
) -> dict[str, torch.Tensor]:
    """Check, convert and rename the weights."""
    here = {name: tensors[name].detach().cpu() for name in expected_shapes(dims) if name in tensors}
    checked = checked_tensors(here, dims, file_bytes=sum(t.numel() * t.element_size() for t in here.values()))
    # Cloned because safetensors refuses tensors that share memory.
    return {hugging_face_name(name): t.to(dtype or t.dtype).contiguous().clone() for name, t in checked.items()}


def _vocabulary_files(vocabulary: Vocabulary) -> dict[str, Any]:
    symbols = byte_symbols()
    merges = [f"{_spelled(left, symbols)} {_spelled(right, symbols)}" for left, right in merges_of(vocabulary.ranks)]
    end = "<|endoftext|>"
    pieces = {_spelled(piece, symbols): rank for piece, rank in vocabulary.ranks.items()}
    if len(pieces) not in vocabulary.special_tokens.values():
        pieces[""] = len(pieces)  # OpenAI's empty piece: without it other programs number what follows anew
    return {
        "vocab.json": pieces | {end: vocabulary.special_tokens[end]},
        "merges.txt": "\n".join(["#version: 0.2", *merges, ""]),
        "tokenizer.json": _tokenizer_json(pieces, merges, vocabulary),
        "added_tokens.json": {name: number for name, number in vocabulary.special_tokens.items() if name != end},
        "tokenizer_config.json": {
            "tokenizer_class": "WhisperTokenizer",
            "add_prefix_space": False,
            "bos_token": end,
            "eos_token": end,
            "unk_token": end,
            "pad_token": end,
        },
    }


def _tokenizer_json(pieces: Mapping[str, int], merges: Sequence[str], vocabulary: Vocabulary) -> dict[str, Any]:
    """The same tables in the one file that the package tokenizers reads, and faster-whisper with it."""
    by_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    times = range(vocabulary.special_tokens["<|0.00|>"], vocabulary.size)  # shown by other programs when asked for
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": number, "content": name, **plain, "special": number not in times}
            for name, number in vocabulary.special_tokens.items()
        ],
        "normalizer": None,
        "pre_tokenizer": by_bytes,
        "post_processor": None,
        "decoder": by_bytes,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": pieces,
            "merges": merges,
        },
    }


def _spelled(piece: bytes, symbols: Mapping[int, str]) -> str:
    return "".join(symbols[byte] for byte in piece)


def _config(dims: ModelDims, vocabulary: Vocabulary, stored: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    special = vocabulary.special_tokens
    end = special["<|endoftext|>"]
    return {
        "model_type": "whisper",
        "architectures": ["WhisperForConditionalGeneration"],
        **{theirs: getattr(dims, ours) for ours, theirs in CONFIG_NAMES.items()},
        "encoder_ffn_dim": 4 * dims.n_audio_state,
        "decoder_ffn_dim": 4 * dims.n_text_state,
        "activation_function": "gelu",
        "scale_embedding": False,
        "tie_word_embeddings": True,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": special["<|startoftranscript|>"],
        "torch_dtype": str(stored["model.encoder.conv1.weight"].dtype).removeprefix("torch."),
    }


def _generation_config(
    vocabulary: Vocabulary,
    heads: Sequence[tuple[int, int]],
    is_multilingual: bool,
    suppress_tokens: Sequence[int] | None,
) -> dict[str, Any]:
    special = vocabulary.special_tokens
    end = special["<|endoftext|>"]
    stated: dict[str, Any] = {
        "alignment_heads": [list(pair) for pair in heads],
        "is_multilingual": is_multilingual,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": special["<|startoftranscript|>"],
        "no_timestamps_token_id": special["<|notimestamps|>"],
        "prev_sot_token_id": special["<|startofprev|>"],
        "max_initial_timestamp_index": 50,  # one second
        "begin_suppress_tokens": [*filter(None, [vocabulary.ranks.get(b" ")]), end],  # a window begins with a word
    }
    if is_multilingual:
        stated["lang_to_id"] = {f"<|{code}|>": special[f"<|{code}|>"] for code in vocabulary.languages}
        stated["task_to_id"] = {task: special[f"<|{task}|>"] for task in ("transcribe", "translate")}
    if suppress_tokens is not None:
        stated["suppress_tokens"] = list(suppress_tokens)
    return stated


def _preprocessor_config(dims: ModelDims) -> dict[str, Any]:
    seconds = dims.n_frames // 100
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": dims.n_mels,
        "sampling_rate": 16000,
        "n_fft": 400,
        "hop_length": 160,
        "chunk_length": seconds,
        "n_samples": seconds * 16000,
        "nb_max_frames": dims.n_frames,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
    }
