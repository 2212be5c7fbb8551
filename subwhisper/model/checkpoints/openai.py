"""OpenAI's own `.pt` files: dimensions and weights, no vocabulary, no alignment heads.

Those we write hold the rest in an entry of their own, so that nothing is lost on the way.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from subwhisper.errors import ModelError
from subwhisper.model import catalog
from subwhisper.model.checkpoints.checkpoint import (
    Checkpoint,
    stated_heads,
    stated_ids,
    stated_number,
)
from subwhisper.model.checkpoints.pickled import load_pickled
from subwhisper.model.checkpoints.shapes import POSITIONS, checked_tensors
from subwhisper.model.dims import ModelDims
from subwhisper.model.fingerprint import fingerprint_of
from subwhisper.model.vocabulary import PUBLIC_SIZES, Vocabulary, named_vocabulary, public_vocabulary
from subwhisper.model.whisper import sinusoids

_OURS = "subwhisper"
_FLAGS = ("is_multilingual", "reads_prompts", "spreads_timestamps")
_MULTILINGUAL_FROM = 51865  # entries of the vocabulary; how openai-whisper tells the models apart


def read_openai(path: Path) -> Checkpoint:
    """Read a `.pt` file; the vocabulary it lacks is OpenAI's public one of the same size.

    Alignment heads, where the file does not state them, are the published ones when it keeps its public name
    (`large-v3.pt`), else the upper half of the decoder, as in openai-whisper.

    Raises:
        ModelError: the file is damaged, hostile, or no Whisper checkpoint.
    """
    table = load_pickled(path)
    if not isinstance(table, Mapping) or not {"dims", "model_state_dict"} <= table.keys():
        raise ModelError(
            f"{path} holds no Whisper checkpoint: 'dims' and 'model_state_dict' are expected in it",
            hint="for Hugging Face weights give the folder that also holds config.json",
        )
    stated, tensors = table["dims"], table["model_state_dict"]
    if not isinstance(stated, Mapping) or not isinstance(tensors, Mapping):
        raise ModelError(f"{path} holds no Whisper checkpoint: 'dims' and 'model_state_dict' are not tables")
    dims = ModelDims.from_mapping(stated)
    entry = catalog.known(path.stem)
    more = _more(table)
    return Checkpoint(
        dims=dims,
        tensors=checked_tensors(
            tensors, dims, file_bytes=path.stat().st_size, harmless=frozenset({"decoder.mask", "alignment_heads"})
        ),
        vocabulary=_vocabulary(more.get("words"), dims.n_vocab),
        is_multilingual=more.get("is_multilingual", dims.n_vocab >= _MULTILINGUAL_FROM),
        alignment_heads=stated_heads(more.get("alignment_heads"), dims)
        or catalog.known_heads(path.stem, dims)
        or dims.upper_half_heads,
        suppress_tokens=stated_ids(more.get("suppress_tokens"), dims.n_vocab),
        reads_prompts=more.get("reads_prompts", True),
        noise_logprob=stated_number(more.get("noise_logprob")),
        spreads_timestamps=more.get("spreads_timestamps", False),
        name=entry.name if entry is not None and entry.dims == dims else path.stem,
        fingerprint=fingerprint_of([path]),
    )


def _more(table: Mapping[str, object]) -> Mapping[str, Any]:
    """What `write_openai` adds, with the types it has there."""
    more = table.get(_OURS, {})
    if not isinstance(more, Mapping) or any(type(more.get(name, True)) is not bool for name in _FLAGS):
        raise ModelError(f"the entry {_OURS!r} of the file is not as subwhisper writes it")
    return more


def _vocabulary(words: object, n_vocab: int) -> Vocabulary:
    if words is None:
        return public_vocabulary(n_vocab)
    try:
        return named_vocabulary([word.encode("latin-1") for word in words], n_vocab=n_vocab)  # type: ignore[attr-defined]
    except (TypeError, AttributeError, UnicodeEncodeError) as error:
        raise ModelError("the file's words are not bytes, written as Latin-1") from error


def write_openai(path: Path, checkpoint: Checkpoint, dtype: torch.dtype | None = None) -> None:
    """Write a `.pt` file that openai-whisper reads; what its own files do not hold lies in an entry it ignores.

    Args:
        path: the file, which is written as it goes: whoever calls gives a name that does not count yet.
        checkpoint: the model.
        dtype: type to store the weights in; None keeps theirs.

    Raises:
        OSError: the file cannot be written.
    """
    dims = checkpoint.dims
    positions = {POSITIONS: sinusoids(dims.n_audio_ctx, dims.n_audio_state)}  # checkpoints may leave them out
    tensors = positions | {name: tensor.to(dtype or tensor.dtype) for name, tensor in checkpoint.tensors.items()}
    is_public = dims.n_vocab in PUBLIC_SIZES and checkpoint.vocabulary == public_vocabulary(dims.n_vocab)
    more = {
        "alignment_heads": [list(pair) for pair in checkpoint.alignment_heads],
        "suppress_tokens": None if checkpoint.suppress_tokens is None else list(checkpoint.suppress_tokens),
        "is_multilingual": checkpoint.is_multilingual,
        "reads_prompts": checkpoint.reads_prompts,
        "noise_logprob": checkpoint.noise_logprob,
        "spreads_timestamps": checkpoint.spreads_timestamps,
        "words": None if is_public else [word.decode("latin-1") for word in checkpoint.vocabulary.words()],
    }
    with path.open("wb") as file:  # given the name alone, torch says of a full disk that something is wrong
        torch.save({"dims": asdict(dims), "model_state_dict": tensors, _OURS: more}, file)
