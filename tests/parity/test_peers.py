"""What openai-whisper does not have, beside CTranslate2 and faster-whisper, on weights made by their own converter."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from subwhisper.audio import Audio
from subwhisper.engine.context import TextContext
from subwhisper.engine.decoding.loop import Beginning, WindowDecoder
from subwhisper.engine.features import log_mel
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions, VadOptions
from subwhisper.model.checkpoints.writer import save_directory
from subwhisper.model.vocabulary import public_vocabulary

from .conftest import Pair
from .test_recording import transcriber

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::DeprecationWarning"
)

N_TOKENS = 16
Build = Callable[[str], Pair]


@pytest.fixture(scope="module")
def checkpoint(pair: Build) -> Pair:
    return pair("tiny")


@pytest.fixture(scope="module")
def converted(checkpoint: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights as CTranslate2 keeps them, with the tokenizer that faster-whisper asks for."""
    # The converter of CTranslate2 reads Hugging Face directories, so this also proves that ours is one.
    ctranslate2 = pytest.importorskip("ctranslate2", reason="CTranslate2 is not installed")
    transformers = pytest.importorskip("transformers", reason="CTranslate2's converter needs transformers")
    folder = tmp_path_factory.mktemp("ctranslate2")
    save_directory(
        folder / "ours",
        dims=checkpoint.ours.dims,
        tensors=checkpoint.tensors,
        vocabulary=public_vocabulary(checkpoint.ours.dims.n_vocab),
        alignment_heads=checkpoint.ours.dims.upper_half_heads,
        is_multilingual=True,
        suppress_tokens=checkpoint.tokenizer.non_speech_tokens,
    )
    ctranslate2.converters.TransformersConverter(str(folder / "ours")).convert(str(folder / "theirs"))
    transformers.AutoTokenizer.from_pretrained(folder / "ours").backend_tokenizer.save(
        str(folder / "theirs" / "tokenizer.json")
    )
    return folder / "theirs"


@pytest.fixture(scope="module")
def recording(clip: Callable[[str], np.ndarray]) -> np.ndarray:
    return np.concatenate([clip("speech/jfk.flac"), clip("speech/mfa-cold_corpus_24bit.wav")])


@pytest.fixture(scope="module")
def features(checkpoint: Pair, recording: np.ndarray) -> torch.Tensor:
    mel = torch.nn.functional.pad(log_mel(torch.from_numpy(recording[: 20 * 16_000]), 80), (0, 1000))
    with torch.inference_mode():
        return checkpoint.ours.encode(mel[None])


CASES = [
    pytest.param({"repetition_penalty": 1.3}, id="repetition penalty"),
    pytest.param({"repetition_penalty": 0.8}, id="repetition wanted"),
    pytest.param({"repetition_penalty": 1.2, "beam_size": 4}, id="repetition penalty, beam 4"),
    pytest.param({"no_repeat_ngram_size": 1}, id="no token twice"),
    pytest.param({"no_repeat_ngram_size": 2}, id="no pair twice"),
    pytest.param({"no_repeat_ngram_size": 2, "repetition_penalty": 0.7, "beam_size": 3}, id="both, beam 3"),
    pytest.param({"repetition_penalty": 1.3, "suppress_blank": False, "suppress_tokens": ()}, id="nothing suppressed"),
]


@pytest.mark.parametrize("without_timestamps", [False, True])
@pytest.mark.parametrize("options", CASES)
@torch.inference_mode()
def test_repetition_is_judged_as_ctranslate2_does(
    checkpoint: Pair, converted: Path, features: torch.Tensor, options: dict[str, Any], without_timestamps: bool
) -> None:
    import ctranslate2

    theirs = ctranslate2.models.Whisper(str(converted), compute_type="float32", intra_threads=1)
    tokenizer = checkpoint.tokenizer
    start = tokenizer.start_sequence("en", "transcribe")
    prompt = [*start, *([tokenizer.no_timestamps] if without_timestamps else [])]
    given = {"beam_size": 1, "suppress_tokens": (-1,), **options}
    [expected] = theirs.generate(
        ctranslate2.StorageView.from_array(features.numpy()),
        [prompt],
        max_length=2 * N_TOKENS,  # it writes at most half of that
        max_initial_timestamp_index=50,
        **{**given, "suppress_tokens": list(given["suppress_tokens"])},
    )
    ours = WindowDecoder(
        checkpoint.ours,
        tokenizer,
        DecodeOptions(sample_len=N_TOKENS, without_timestamps=without_timestamps, **given),
    )
    [decoded] = ours.decode(checkpoint.ours.hear(features), [Beginning(start)])
    assert len(decoded.tokens) > 4
    assert list(decoded.tokens) == expected.sequences_ids[0]


HOTWORDS = "Zbigniew Quux, Kubernetes"


def test_hotwords_are_heard_in_every_window_as_in_faster_whisper(
    checkpoint: Pair, converted: Path, recording: np.ndarray
) -> None:
    faster_whisper = pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    theirs = faster_whisper.WhisperModel(str(converted), device="cpu", compute_type="float32", cpu_threads=1)
    given = {"language": "en", "hotwords": HOTWORDS}
    found, _ = theirs.transcribe(recording, beam_size=1, temperature=0.0, no_speech_threshold=None, **given)
    expected = [(segment.seek, list(segment.tokens)) for segment in found]
    options = TranscribeOptions(
        plan="sequential",
        vad=VadOptions(detector="none"),
        decode=DecodeOptions(beam_size=1),
        fallback=FallbackOptions(temperatures=(0.0,), no_speech_threshold=None),
        **given,
    )
    ours = transcriber(checkpoint).transcribe(Audio(recording), options)
    assert len({seek for seek, _ in expected}) > 1
    assert [(segment.seek, list(segment.tokens)) for segment in ours.segments] == expected


@pytest.mark.parametrize("before", ["", " So far so good."])
def test_hotwords_stand_where_faster_whisper_puts_them(checkpoint: Pair, converted: Path, before: str) -> None:
    faster_whisper = pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    theirs = faster_whisper.WhisperModel(str(converted), device="cpu", compute_type="float32", cpu_threads=1)
    names = faster_whisper.tokenizer.Tokenizer(theirs.hf_tokenizer, multilingual=True, task="transcribe", language="en")
    tokenizer = checkpoint.tokenizer
    text = tokenizer.encode(before)
    context = TextContext(text, room=223, carry=False, condition=True, hotwords=tokenizer.encode_prompt(HOTWORDS))
    expected = theirs.get_prompt(names, text, hotwords=HOTWORDS)
    assert [tokenizer.sot_prev, *context.prompt(), *tokenizer.start_sequence("en", "transcribe")] == expected
