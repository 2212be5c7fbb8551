"""Hugging Face directories: config.json, weights, vocabulary, and what generation_config.json adds.

The layout of openai/whisper-* and distil-whisper/* on the hub, and the one our own models are saved in.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from subwhisper.errors import ModelError
from subwhisper.model import catalog
from subwhisper.model.checkpoints.checkpoint import (
    Checkpoint,
    stated_heads,
    stated_ids,
    stated_number,
)
from subwhisper.model.checkpoints.pickled import load_pickled
from subwhisper.model.checkpoints.shapes import checked_tensors, expected_shapes
from subwhisper.model.dims import ModelDims
from subwhisper.model.files import blamed_on, read_json, weight_files
from subwhisper.model.fingerprint import fingerprint_of
from subwhisper.model.vocabulary import PUBLIC_SIZES, Vocabulary, hugging_face_vocabulary, public_vocabulary

logger = logging.getLogger(__name__)

CONFIG_NAMES = {
    "n_mels": "num_mel_bins",
    "n_audio_ctx": "max_source_positions",
    "n_audio_state": "d_model",
    "n_audio_head": "encoder_attention_heads",
    "n_audio_layer": "encoder_layers",
    "n_vocab": "vocab_size",
    "n_text_ctx": "max_target_positions",
    "n_text_state": "d_model",
    "n_text_head": "decoder_attention_heads",
    "n_text_layer": "decoder_layers",
}
"""Our dimensions -> the names in config.json."""


def read_directory(folder: Path) -> Checkpoint:
    """Read a Hugging Face directory.

    Raises:
        ModelError: a file is missing, damaged or hostile, or the parts do not fit one another.
    """
    config = read_json(folder / "config.json")
    with blamed_on(folder / "config.json"):
        dims = _dims(config)
    generation = _optional_json(folder / "generation_config.json")
    vocabulary = _read_vocabulary(folder, dims.n_vocab)
    files = weight_files(folder)
    stored = stored_tensors(files)
    with blamed_on(files[0] if len(files) == 1 else folder):
        tensors = checked_tensors(
            _under_our_names(stored, dims),
            dims,
            file_bytes=sum(path.stat().st_size for path in files),
            harmless=frozenset({"proj_out.weight"}),  # the same matrix as the token embedding
        )
    _check_tied(config, stored, tensors["decoder.token_embedding.weight"])
    name = name_of(folder)
    return Checkpoint(
        dims=dims,
        tensors=tensors,
        vocabulary=vocabulary,
        is_multilingual=_is_multilingual(generation, vocabulary),
        alignment_heads=stated_heads(generation.get("alignment_heads"), dims)
        or catalog.known_heads(name, dims)
        or catalog.known_heads(str(config.get("_name_or_path")), dims)
        or dims.upper_half_heads,
        suppress_tokens=stated_ids(generation.get("suppress_tokens", config.get("suppress_tokens")), dims.n_vocab),
        # null says that there is none; files that say nothing are those of models that read prompts
        reads_prompts=generation.get("prev_sot_token_id", 0) is not None,
        noise_logprob=stated_number(generation.get("noise_logprob")),
        spreads_timestamps=generation.get("spreads_timestamps") is True,
        name=name,
        fingerprint=fingerprint_of(files),
    )


def _optional_json(path: Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}


def _dims(config: Mapping[str, Any]) -> ModelDims:
    kind = config.get("model_type", "whisper")
    if kind != "whisper":
        raise ModelError(f"this is a {kind} model, not Whisper")
    if config.get("quantization_config"):
        raise ModelError("the weights are quantised for another program", hint="use the original, unquantised model")
    if config.get("scale_embedding") or config.get("activation_function", "gelu") != "gelu":
        raise ModelError("the model changes Whisper's network (activation_function or scale_embedding)")
    stated = {ours: config[theirs] for ours, theirs in CONFIG_NAMES.items() if theirs in config}
    missing = [CONFIG_NAMES[ours] for ours in CONFIG_NAMES if ours not in stated]
    if missing:
        raise ModelError(f"the model's dimensions are incomplete: {', '.join(dict.fromkeys(missing))} missing")
    return ModelDims.from_mapping(stated)


# Weights


def stored_tensors(files: Iterable[Path]) -> dict[str, torch.Tensor]:
    """Gather the tensors of all files under their own names, mapped and not copied.

    Raises:
        ModelError: a file is damaged, or holds anything but tensors.
    """
    stored: dict[str, torch.Tensor] = {}
    for path in files:
        with blamed_on(path):
            _refuse_pointer(path)
            stored |= _safetensors(path) if path.suffix == ".safetensors" else _pickled_tensors(path)
    return stored


def _check_tied(config: Mapping[str, Any], stored: Mapping[str, torch.Tensor], embedding: torch.Tensor) -> None:
    """Refuse a model whose output matrix is another than its token embedding: Whisper has one for both."""
    output = stored.get("proj_out.weight", embedding)
    if config.get("tie_word_embeddings") is False and not torch.equal(output, embedding):
        raise ModelError("the model's output matrix is not its token embedding, as it is in Whisper")


def _refuse_pointer(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(40).startswith(b"version https://git-lfs"):
            raise ModelError(f"{path} is a Git LFS pointer, not the weights", hint="run: git lfs pull")


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged: {error}", hint="fetch it again; it may be incomplete") from error


def _pickled_tensors(path: Path) -> dict[str, torch.Tensor]:
    table = load_pickled(path)
    if not isinstance(table, Mapping):
        raise ModelError(f"{path} holds no table of tensors")
    return {str(name): tensor for name, tensor in table.items() if isinstance(tensor, torch.Tensor)}


def hugging_face_name(name: str) -> str:
    """Translate a tensor's name from OpenAI's to Hugging Face's."""
    side, _, rest = name.partition(".")
    rest = {
        "positional_embedding": "embed_positions.weight",
        "token_embedding.weight": "embed_tokens.weight",
    }.get(rest, rest)
    rest = re.sub(r"^(ln_post|ln)\.", "layer_norm.", rest)
    if block := re.fullmatch(r"blocks\.(\d+)\.(\w+)\.(.+)", rest):
        rest = f"layers.{block[1]}.{_part_name(block[2], block[3])}"
    return f"model.{side}.{rest}"


def _part_name(part: str, leaf: str) -> str:
    if part == "mlp":  # leaf is "0.weight", "2.bias", ...
        return {"0": "fc1", "2": "fc2"}[leaf[0]] + leaf[1:]
    if part in ("attn", "cross_attn"):
        projection, _, kind = leaf.partition(".")
        short = {"query": "q", "key": "k", "value": "v", "out": "out"}[projection]
        return f"{'self' if part == 'attn' else 'encoder'}_attn.{short}_proj.{kind}"
    norms = {
        "attn_ln": "self_attn_layer_norm",
        "cross_attn_ln": "encoder_attn_layer_norm",
        "mlp_ln": "final_layer_norm",
    }
    return f"{norms[part]}.{leaf}"


def _under_our_names(stored: Mapping[str, torch.Tensor], dims: ModelDims) -> dict[str, torch.Tensor]:
    """Rename; names we do not know stay as they are. Models saved without a head lack the `model.` prefix."""
    ours = {}
    for name in expected_shapes(dims):
        ours[hugging_face_name(name)] = name
        ours[hugging_face_name(name).removeprefix("model.")] = name
    return {ours.get(name, name): tensor for name, tensor in stored.items()}


# Vocabulary


def _read_vocabulary(folder: Path, n_vocab: int) -> Vocabulary:
    tables, merges, whole = folder / "vocab.json", folder / "merges.txt", folder / "tokenizer.json"
    if tables.exists() and merges.exists():
        added = _ids(_optional_json(folder / "added_tokens.json"), folder / "added_tokens.json")
        pieces, pairs = _ids(read_json(tables), tables), _merges_txt(merges)
        with blamed_on(tables):
            return hugging_face_vocabulary(pieces, pairs, added, n_vocab=n_vocab)
    if whole.exists():
        with blamed_on(whole):
            pieces, pairs, added = _tokenizer_json(read_json(whole))
            return hugging_face_vocabulary(pieces, pairs, added, n_vocab=n_vocab)
    if n_vocab in PUBLIC_SIZES:
        logger.info("%s has no vocabulary; using OpenAI's of %d entries", folder, n_vocab)
        return public_vocabulary(n_vocab)
    raise ModelError(f"{folder} has no vocabulary: vocab.json and merges.txt, or tokenizer.json, are needed")


def _ids(table: Mapping[str, Any], path: Path) -> dict[str, int]:
    wrong = next((name for name, value in table.items() if type(value) is not int), None)
    if wrong is not None:
        raise ModelError(f"{path} gives {wrong!r} the id {table[wrong]!r}, which is not a whole number")
    return dict(table)


def _merges_txt(path: Path) -> list[tuple[str, str]]:
    with blamed_on(path):
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise ModelError("the file is not UTF-8 text") from error
        return _pairs([line.rstrip("\r") for line in lines if line.strip() and not line.startswith("#version")])


def _pairs(merges: Sequence[Any]) -> list[tuple[str, str]]:
    """Two pieces each, written with a space between or as a list."""
    split = [merge.split(" ") if type(merge) is str else merge for merge in merges]
    for merge, parts in zip(merges, split, strict=True):
        if type(parts) is not list or len(parts) != 2 or not (type(parts[0]) is type(parts[1]) is str and all(parts)):
            raise ModelError(f"{merge!r} is not a merge of two pieces")
    return [(left, right) for left, right in split]


def _tokenizer_json(table: Mapping[str, Any]) -> tuple[dict[str, int], list[tuple[str, str]], dict[str, int]]:
    """Take pieces, merges and added tokens out of a `tokenizer.json`."""
    model, added = table.get("model"), table.get("added_tokens", [])
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
        raise ModelError("the tokenizer is not a byte pair encoding")
    pieces, merges = model.get("vocab"), model.get("merges")
    if not isinstance(pieces, dict) or not isinstance(merges, list) or not isinstance(added, list):
        raise ModelError("the tokenizer lacks its 'vocab' or 'merges'")
    try:
        named = {str(token["content"]): token["id"] for token in added}
    except (TypeError, KeyError) as error:
        raise ModelError("an added token lacks its 'content' or 'id'") from error
    path = Path("tokenizer.json")
    return _ids(pieces, path), _pairs(merges), _ids(named, path)


# What generation_config.json adds


def _is_multilingual(generation: Mapping[str, Any], vocabulary: Vocabulary) -> bool:
    stated = generation.get("is_multilingual")
    return stated if isinstance(stated, bool) else vocabulary.is_multilingual


def name_of(folder: Path) -> str:
    """Name a model by its place in the hub's cache, else by its folder."""
    place = folder.resolve()
    if place.parent.name == "snapshots" and place.parent.parent.name.startswith("models--"):
        repo_id = place.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
        entry = catalog.known(repo_id)
        return entry.name if entry is not None else repo_id
    return place.name
