"""How many windows are read at once where nobody says it.

Shapes: A audio positions, D width, V vocabulary.
"""

import torch

from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.model.dims import ModelDims

_ON_A_PROCESSOR = 8
"""It gains nothing from more, and neither do its caches."""
_AT_MOST = 64
_FILLED = 0.5
"""Share of the memory that is free: the rest is for what other programs, and kernels, may yet take."""


def windows_at_once(model: SpeechModel, options: TranscribeOptions) -> int:
    """As many as are asked for, else as suit the device."""
    if options.batch_size is not None:
        return options.batch_size
    placement = model.placement
    if placement.device.type != "cuda":
        return _ON_A_PROCESSOR
    n_free, _ = torch.cuda.mem_get_info(placement.device)
    n_held = torch.cuda.memory_reserved(placement.device) - torch.cuda.memory_allocated(placement.device)  # by torch
    decode, is_sampled = options.decode, any(options.fallback.temperatures)
    n_texts = max(decode.beam_size, decode.best_of if is_sampled else 1)
    n_rows = n_texts * (2 if options.task == "both" else 1)
    return fitting(model.network.dims, n_free + n_held, n_rows=n_rows, n_bytes=placement.dtype.itemsize)


def fitting(dims: ModelDims, n_free: int, *, n_rows: int, n_bytes: int) -> int:
    """How many windows memory has room for, 1 to 64.

    Args:
        dims: of the network.
        n_free: bytes.
        n_rows: decoder rows of each window: beams, tasks.
        n_bytes: of each number that is kept.
    """
    width, positions = dims.n_audio_state, dims.n_audio_ctx
    encoding = 12 * positions * width  # queries, keys, values, what is heard, the feed-forward part, before and after
    heard = 2 * dims.n_text_layer * positions * width
    said = 2 * dims.n_text_layer * dims.n_text_ctx * width * n_rows
    logits = 3 * dims.n_vocab * n_rows * torch.float32.itemsize  # theirs, the rules', the search's
    return min(_AT_MOST, max(1, int(_FILLED * n_free / ((encoding + heard + said) * n_bytes + logits))))
