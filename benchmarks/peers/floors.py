"""How long a stage must take at least, from what it computes and reads and what the machine can do at best.

Encoder: the products of linear layers at the fastest precision, attention and convolutions at the faster of the two
floating ones. Decoding: every step reads all weights once, in 8 bits, and the keys and values of each window in 16;
before the first, keys and values are computed.
"""

from collections.abc import Mapping

from benchmarks.peers.engines.work import WINDOW_TOKENS
from subwhisper.model.catalog import find
from subwhisper.model.dims import ModelDims

SHARES = {"encoder": (0.50, 0.60), "greedy-8": (0.40, 0.55)}
"""Stage -> share of the floor's speed that was promised, and hoped for."""


def floor(size: str, stage: str, ceilings: Mapping[str, float]) -> float:
    """Seconds, with these ceilings (see `machine.ceilings`)."""
    dims = find(size).dims
    whole = max(value for name, value in ceilings.items() if "GFLOP" in name) * 1e9
    floating = max(ceilings["float32 GFLOP/s"], ceilings["bfloat16 GFLOP/s"]) * 1e9
    if stage == "encoder":
        return _encoder_linear(dims) / whole + _encoder_rest(dims) / floating
    windows = int(stage.removeprefix("greedy-"))
    cross = 2 * 2 * dims.n_audio_ctx * dims.n_text_state**2 * dims.n_text_layer * windows
    read = WINDOW_TOKENS * (_decoder_bytes(dims) + windows * _cross_bytes(dims))
    return cross / whole + read / (ceilings["memory read GB/s"] * 1e9)


def _encoder_linear(dims: ModelDims) -> float:
    return 2 * 12 * dims.n_audio_ctx * dims.n_audio_state**2 * dims.n_audio_layer


def _encoder_rest(dims: ModelDims) -> float:
    width, positions = dims.n_audio_state, dims.n_audio_ctx
    attention = 4 * positions**2 * width * dims.n_audio_layer
    convolutions = 2 * 3 * width * (dims.n_mels * dims.n_frames + width * positions)
    return attention + convolutions


def _decoder_bytes(dims: ModelDims) -> float:
    """Attention to itself 4 matrices, to the sound 2 (its keys and values are known), the rest 8; and the words."""
    return 14 * dims.n_text_state**2 * dims.n_text_layer + dims.n_vocab * dims.n_text_state


def _cross_bytes(dims: ModelDims) -> float:
    return 2 * 2 * dims.n_audio_ctx * dims.n_text_state * dims.n_text_layer
