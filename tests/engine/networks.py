"""A network small enough to run in milliseconds, with random weights whose output is not degenerate."""

import torch

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import Vocabulary, special_token_table
from subwhisper.model.whisper import Whisper

from .vocabularies import BYTES

DIMS = {
    "n_mels": 16,
    "n_audio_ctx": 100,  # windows of two seconds
    "n_audio_state": 32,
    "n_audio_head": 2,
    "n_audio_layer": 1,
    "n_text_ctx": 64,
    "n_text_state": 32,
    "n_text_head": 2,
    "n_text_layer": 2,
}


def micro_checkpoint(seed: int = 1, *, languages: tuple[str, ...] = (), name: str = "micro") -> Checkpoint:
    """Bytes for text, windows of two seconds; English only unless languages are given."""
    special = special_token_table(256, languages or ("en",), n_timestamps=101)
    dims = ModelDims(n_vocab=max(special.values()) + 1, **DIMS)
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for key, shaped in Whisper(dims).state_dict().items():
        noise = torch.empty(shaped.shape).normal_(generator=generator)
        is_matrix = shaped.ndim > 1 and "embedding" not in key
        tensors[key] = noise * (2.0 * shaped[0].numel() ** -0.5 if is_matrix else 0.7)
    tensors["encoder.positional_embedding"] = Whisper(dims).encoder.positional_embedding
    return Checkpoint(
        dims=dims,
        tensors=tensors,
        vocabulary=Vocabulary(BYTES, special),
        is_multilingual=bool(languages),
        alignment_heads=dims.upper_half_heads,
        suppress_tokens=None,
        reads_prompts=True,
        name=name,
        fingerprint="",
    )


def micro_network(seed: int = 1) -> tuple[Whisper, Tokenizer]:
    checkpoint = micro_checkpoint(seed)
    model = Whisper(checkpoint.dims)
    model.load_state_dict(checkpoint.tensors)
    return model.eval().requires_grad_(False), Tokenizer(checkpoint.vocabulary, is_multilingual=False)


def ending_checkpoint() -> Checkpoint:
    """Its texts end, each at another time, where no two tokens may come twice (`no_repeat_ngram_size=2`)."""
    made = micro_checkpoint()
    weights, end, most_said = made.tensors["decoder.token_embedding.weight"], 256, 36
    weights[end] = 0.97 * weights[most_said]  # nearly as probable: it comes when the other may not
    return made
