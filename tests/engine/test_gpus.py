"""Graphics cards beside the processor, where there are any: CUDA's, and Apple's."""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import pytest
import torch

from subwhisper.engine.decoding.loop import Beginning, WindowDecoder
from subwhisper.engine.device import Compute, place
from subwhisper.engine.options import DecodeOptions, TranscribeOptions
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import OptionError
from subwhisper.model.quantization import Int8Linear
from subwhisper.model.whisper import Whisper

from .networks import micro_checkpoint
from .test_batched import BATCHED, noise
from .test_company import N_TOKENS, N_WINDOWS, START, TIE, TOKENIZER, random_network

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
MPS = pytest.mark.skipif(not torch.backends.mps.is_available(), reason="there is no Apple GPU here")
PLACES = [
    *(pytest.param("cuda", compute, marks=[pytest.mark.gpu, CUDA]) for compute in TIE),
    *(pytest.param("mps", compute, marks=[pytest.mark.gpu, MPS]) for compute in ("float32", "float16")),
]
ERROR = {"float32": 2e-2, "float16": 0.2, "bfloat16": 1.0, "int8": 1.0}
"""Largest difference of a logit from the processor's float32; logits spread by 5 in this network."""


@lru_cache(maxsize=1)
def network(device: str, compute: Compute) -> Whisper:
    return random_network(place(device, compute))


def features(device: str, compute: str) -> torch.Tensor:
    heard = torch.randn(N_WINDOWS, 1500, 384, generator=torch.Generator().manual_seed(6))
    return heard.to(device, torch.float32 if compute == "int8" else getattr(torch, compute))


@pytest.mark.parametrize(("device", "compute"), PLACES)
def test_a_card_computes_what_the_processor_does(device: str, compute: Compute) -> None:
    tokens = torch.randint(0, 50_000, (N_WINDOWS, N_TOKENS), generator=torch.Generator().manual_seed(7))
    mel = torch.randn(2, 80, 3000, generator=torch.Generator().manual_seed(8))
    found, expected = network(device, compute), random_network(place("cpu", "float32"))
    with torch.inference_mode():
        logits = [
            model.decode(tokens.to(where), model.start(model.hear(known), capacity=N_TOKENS)).float().cpu()
            for model, where, known in (
                (found, device, features(device, compute)),
                (expected, "cpu", features("cpu", "float32")),
            )
        ]
        heard = [
            model.encode(mel.to(where, dtype)).float().cpu()
            for model, where, dtype in (
                (found, device, place(device, compute).dtype),
                (expected, "cpu", torch.float32),
            )
        ]
    assert float((logits[0] - logits[1]).abs().max()) <= ERROR[compute]
    assert float((heard[0] - heard[1]).abs().mean()) <= ERROR[compute]


@pytest.mark.parametrize(("device", "compute"), PLACES)
def test_a_text_on_a_card_does_not_depend_on_those_it_is_decoded_with(device: str, compute: Compute) -> None:
    model, beginning = network(device, compute), Beginning(START)
    decoder = WindowDecoder(model, TOKENIZER, DecodeOptions(beam_size=1, sample_len=N_TOKENS))
    windows = features(device, compute)
    together = decoder.decode(model.hear(windows), [beginning] * N_WINDOWS)
    for window, text in zip(torch.split(windows, 1), together, strict=True):
        [alone] = decoder.decode(model.hear(window), [beginning])
        # where two tokens are as good as equal, the order of sums may decide
        assert alone.tokens == text.tokens or alone.avg_logprob == pytest.approx(text.avg_logprob, abs=TIE[compute])


@pytest.mark.parametrize(("device", "compute"), PLACES)
def test_a_recording_is_transcribed_on_a_card_from_start_to_end(device: str, compute: Compute) -> None:
    options = replace(BATCHED, word_timestamps=True)
    model = Transcriber(micro_checkpoint(languages=("en", "de")), device=device, compute=compute)
    found = model.transcribe(noise(9), options)
    assert found.segments
    assert found.provenance["compute"] == compute
    assert found.provenance["device"].startswith(device)
    assert found.provenance["gave_up"] == []
    starts = [word.start for word in found.words()]
    assert starts
    assert all(before <= after for before, after in pairwise(starts))
    assert model.transcribe(noise(9), options) == found
    assert model.hear_language(noise(4), TranscribeOptions()).language in ("en", "de")


@pytest.mark.gpu
@CUDA
def test_a_full_card_gives_way_to_the_processor() -> None:
    """Only a sliver of the card may be used: the network does not fit, whatever its precision."""
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-6)
    try:
        model = Transcriber(micro_checkpoint(), device="cuda", compute="float32")
        found = model.transcribe(noise(5), BATCHED)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert found.segments
    assert found.provenance["device"] == "cpu"
    assert found.provenance["gave_up"]


@pytest.mark.gpu
@CUDA
def test_whole_numbers_are_multiplied_exactly_on_a_card() -> None:
    random = torch.Generator().manual_seed(2)
    layer = Int8Linear(torch.randn(48, 64, generator=random), torch.randn(48, generator=random))
    for n_rows in (1, 17, 40):
        rows = torch.randn(n_rows, 64, generator=random)
        torch.testing.assert_close(layer.cuda()(rows.cuda()).cpu(), layer.cpu()(rows), atol=1e-5, rtol=1e-5)


@pytest.mark.gpu
@MPS
def test_an_apple_gpu_is_not_asked_for_whole_numbers() -> None:
    with pytest.raises(OptionError, match="no int8 on mps"):
        place("mps", "int8")
