"""Graphics cards beside the processor, where there are any: CUDA's, and Apple's."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from threading import Event

import pytest
import torch

from subwhisper.engine.decoding.loop import Beginning, Decoded, WindowDecoder
from subwhisper.engine.device import Compute, place
from subwhisper.engine.features import MelReader, survey
from subwhisper.engine.options import DecodeOptions, TranscribeOptions
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import OptionError
from subwhisper.model import graphs
from subwhisper.model.graphs import CudaRecorder, Step
from subwhisper.model.quantization import Int8Linear
from subwhisper.model.whisper import Whisper

from .networks import ending_checkpoint, micro_checkpoint
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


@pytest.mark.gpu
@CUDA
def test_frames_reckoned_on_a_card_are_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    for kept_seconds in (60, 0):  # kept, and read again
        monkeypatch.setattr("subwhisper.engine.features.KEPT_SECONDS", kept_seconds)
        windows = []
        for device in ("cuda", "cpu"):
            surveyed = survey(noise(30.0), 80, torch.device(device))
            reader = MelReader(noise(30.0), 80, surveyed)
            windows.append(reader.window(500, 2800))
            reader.close()
        torch.testing.assert_close(windows[0], windows[1], atol=1e-3, rtol=0)


@pytest.mark.gpu
@CUDA
def test_a_card_has_room_for_the_windows_that_it_is_given() -> None:
    options = replace(BATCHED, batch_size=None, language="en")
    transcript = Transcriber(micro_checkpoint(), device="cuda").transcribe(noise(200.0), options)
    assert transcript.provenance["gave_up"] == []


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


def six_texts(device: str, options: DecodeOptions, prompts: Sequence[tuple[int, ...]]) -> list[Decoded]:
    """Texts of different lengths, so that windows leave while others go on."""
    model = SpeechModel.build(ending_checkpoint(), device=device, compute="float32")
    windows = torch.empty(6, 100, 32).normal_(generator=torch.Generator().manual_seed(5)).to(device)
    start = model.tokenizer.start_sequence("en", "transcribe")
    beginnings = [Beginning(start, prompts[at % len(prompts)]) for at in range(6)]
    with torch.inference_mode():
        heard = model.network.hear(windows)
    return WindowDecoder(model.network, model.tokenizer, options).decode(heard, beginnings)


@pytest.mark.gpu
@CUDA
@pytest.mark.parametrize("prompts", [((),), ((72, 105), (), tuple(range(65, 91)))])
@pytest.mark.parametrize("beam_size", [1, 5])
def test_replayed_steps_write_what_others_do(
    beam_size: int,
    prompts: Sequence[tuple[int, ...]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As steps taken one by one, and as the processor; in batches whose windows leave at different times."""
    recorded: list[Step] = []
    record = CudaRecorder.record

    def counted(recorder: CudaRecorder, step: Step) -> Step:
        recorded.append(step)
        return record(recorder, step)

    monkeypatch.setattr(CudaRecorder, "record", counted)
    monkeypatch.setattr(graphs, "_given_up", Event())
    options = DecodeOptions(beam_size=beam_size, no_repeat_ngram_size=2)
    replayed = six_texts("cuda", options, prompts)
    n_recorded = len(recorded)
    monkeypatch.setenv("SUBWHISPER_GRAPHS", "0")
    others = [six_texts(device, options, prompts) for device in ("cuda", "cpu")]
    assert n_recorded == len(recorded) > 2
    assert caplog.messages == []
    for texts in others:
        assert [text.tokens for text in replayed] == [text.tokens for text in texts]
        assert [text.avg_logprob for text in replayed] == pytest.approx([t.avg_logprob for t in texts], abs=1e-4)


@pytest.mark.gpu
@CUDA
@pytest.mark.parametrize("compute", TIE)
def test_a_replay_gives_the_logits_of_the_step(compute: Compute, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every precision, with several rows of a window and with filler, before and after windows leave."""
    monkeypatch.setattr(graphs, "_given_up", Event())
    replaying = network("cuda", compute)
    monkeypatch.setenv("SUBWHISPER_GRAPHS", "0")
    stepping = random_network(place("cuda", compute))
    random = torch.Generator().manual_seed(7)
    filler = torch.tensor([0, 0, 2, 2, 1, 1], device="cuda")
    with torch.inference_mode():
        caches = [
            model.start(model.hear(features("cuda", compute)), rows_per_window=2, capacity=30, filler=filler)
            for model in (replaying, stepping)
        ]
        for n_tokens, n_rows in [(4, 6), *[(1, 6)] * 5, *[(1, 4)] * 5]:
            tokens = torch.randint(0, 50_000, (n_rows, n_tokens), generator=random).to("cuda")
            if n_rows < len(caches[0].known[0, 0]):
                for cache in caches:
                    cache.keep(torch.tensor([0, 1, 4, 5], device="cuda"))
            found, expected = (
                model.decode(tokens, cache) for model, cache in zip((replaying, stepping), caches, strict=True)
            )
            assert float((found - expected).abs().max()) <= ERROR[compute]
    assert not graphs._given_up.is_set()


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
