"""OpenAI's own `.pt` files: dimensions and weights, no vocabulary, no alignment heads."""

from collections.abc import Mapping
from pathlib import Path

from subwhisper.errors import ModelError
from subwhisper.model import catalog
from subwhisper.model.checkpoints.checkpoint import Checkpoint, fingerprint_of
from subwhisper.model.checkpoints.pickled import load_pickled
from subwhisper.model.checkpoints.shapes import checked_tensors
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import public_vocabulary


def read_openai(path: Path) -> Checkpoint:
    """Read a `.pt` file; the vocabulary it lacks is OpenAI's public one of the same size.

    Alignment heads are the published ones when the file keeps its public name (`large-v3.pt`),
    else the upper half of the decoder, as in openai-whisper.

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
    return Checkpoint(
        dims=dims,
        tensors=checked_tensors(
            tensors, dims, file_bytes=path.stat().st_size, harmless=frozenset({"decoder.mask", "alignment_heads"})
        ),
        vocabulary=public_vocabulary(dims.n_vocab),
        is_multilingual=dims.n_vocab >= 51865,  # how openai-whisper tells them apart
        alignment_heads=catalog.known_heads(path.stem, dims) or dims.upper_half_heads,
        suppress_tokens=None,
        reads_prompts=True,
        name=entry.name if entry is not None and entry.dims == dims else path.stem,
        fingerprint=fingerprint_of([path]),
    )
