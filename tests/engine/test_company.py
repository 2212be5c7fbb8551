"""A text depends neither on the windows it is decoded with nor on the cache: in every precision, at a true size.

The order of sums depends on the number of rows, so numbers differ in their last digits, and where two tokens are as
good as equal the choice may differ with them. How near they must lie to be excused stands in `TIE`.
"""

from functools import lru_cache

import pytest
import torch
from torch import Tensor

from subwhisper.engine.decoding.loop import Beginning, Decoded, WindowDecoder
from subwhisper.engine.device import Compute, Placement
from subwhisper.engine.options import DecodeOptions
from subwhisper.engine.speech_model import ready
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import public_vocabulary
from subwhisper.model.whisper import Whisper

VOCABULARY = public_vocabulary(51865)
TOKENIZER = Tokenizer(VOCABULARY, is_multilingual=True)
START = TOKENIZER.start_sequence("de", "transcribe")
TINY = ModelDims(
    n_mels=80, n_audio_ctx=1500, n_audio_state=384, n_audio_head=6, n_audio_layer=1,
    n_vocab=VOCABULARY.size, n_text_ctx=448, n_text_state=384, n_text_head=6, n_text_layer=4,
)  # fmt: skip
N_WINDOWS, N_TOKENS = 3, 12
TIE = {"float32": 1e-4, "int8": 0.05, "bfloat16": 0.15, "float16": 0.04}
"""Difference of logits, which spread by 5 in this network and reach 20, where float16 has steps of 0.016."""


@lru_cache(maxsize=1)
def network(compute: Compute) -> Whisper:
    return random_network(Placement(torch.device("cpu"), compute))


def random_network(placement: Placement) -> Whisper:
    """Random weights whose logits are not degenerate."""
    random = torch.Generator().manual_seed(5)
    made = Whisper(TINY).eval().requires_grad_(False)
    for name, tensor in made.state_dict().items():
        is_matrix = tensor.ndim > 1 and "embedding" not in name
        spread = 2.0 * tensor[0].numel() ** -0.5 if is_matrix else 0.25 if "token_embedding" in name else 0.7
        tensor.normal_(generator=random).mul_(spread)
    return ready(made, placement)


def heard(compute: str) -> Tensor:
    """(B, A, D) of windows that sound different."""
    features = torch.randn(N_WINDOWS, 1500, 384, generator=torch.Generator().manual_seed(6))
    return features.to(torch.float32 if compute == "int8" else getattr(torch, compute))


def gap(compute: str, features: Tensor, beginning: Beginning, one: Decoded, other: Decoded) -> float:
    """How far the two tokens lie apart in which texts part ways: the difference of their logits."""
    at = next(n for n, pair in enumerate(zip((*one.tokens, -1), (*other.tokens, -1), strict=False)) if len({*pair}) > 1)
    before = (TOKENIZER.sot_prev, *beginning.prompt) if beginning.prompt else ()
    read = torch.tensor([[*before, *beginning.start, *one.tokens[:at]]])
    model = network(compute)
    logits = model.decode(read, model.start(model.hear(features), capacity=read.shape[1]))[0, -1].float()
    first, second = ((*text.tokens, TOKENIZER.eot)[at] for text in (one, other))
    return float((logits[first] - logits[second]).abs())


@pytest.mark.parametrize("compute", TIE)
@pytest.mark.parametrize("beam_size", [1, 5])
def test_a_text_does_not_depend_on_those_it_is_decoded_with(compute: str, beam_size: int) -> None:
    options = DecodeOptions(beam_size=beam_size, sample_len=N_TOKENS)
    model, features = network(compute), heard(compute)
    decoder = WindowDecoder(model, TOKENIZER, options)
    beginnings = [Beginning(START, tuple(range(1000, 1000 + 7 * n))) for n in range(N_WINDOWS)]
    together = decoder.decode(model.hear(features), beginnings)
    alone = [decoder.decode(model.hear(features[n : n + 1]), [beginnings[n]])[0] for n in range(N_WINDOWS)]
    assert {len(text.tokens) for text in alone} == {N_TOKENS}
    for n, (one, other) in enumerate(zip(alone, together, strict=True)):
        if one.tokens == other.tokens:
            assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=TIE[compute])
        elif beam_size == 1:
            assert gap(compute, features[n : n + 1], beginnings[n], one, other) <= TIE[compute]
        else:  # beams that are as good as equal
            assert abs(one.avg_logprob - other.avg_logprob) <= TIE[compute]


@pytest.mark.parametrize("compute", TIE)
def test_what_is_cached_is_what_would_be_computed(compute: str) -> None:
    model, features = network(compute), heard(compute)
    tokens = torch.randint(0, 50_000, (N_WINDOWS, N_TOKENS), generator=torch.Generator().manual_seed(7))
    tokens[:, : len(START)] = torch.tensor(START)
    whole = model.decode(tokens, model.start(model.hear(features), capacity=N_TOKENS)).float()
    cache = model.start(model.hear(features), capacity=N_TOKENS)
    steps = torch.cat([model.decode(tokens[:, at : at + 1], cache) for at in range(N_TOKENS)], dim=1).float()
    chosen, other = whole.argmax(-1, keepdim=True), steps.argmax(-1, keepdim=True)
    assert float((whole.gather(-1, chosen) - whole.gather(-1, other)).max()) <= TIE[compute]
    assert float((whole - steps).abs().max()) <= 4 * TIE[compute]
