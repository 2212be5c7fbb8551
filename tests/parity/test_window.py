"""One window: every number and every token equals openai-whisper's."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from subwhisper.engine.decoding.loop import Beginning, WindowDecoder
from subwhisper.engine.features import log_mel
from subwhisper.engine.language import detect_language
from subwhisper.engine.options import DecodeOptions

from .conftest import Pair

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",  # openai-whisper leaves its vocabulary file open
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:__array_wrap__:DeprecationWarning",  # its beam search, on a new NumPy
)

CLIP = "speech/jfk.flac"
NEAR_TIE = 2e-3  # the reference's two best logits may be told apart differently below this distance
SIZES = [
    "tiny",
    pytest.param("tiny.en", marks=pytest.mark.slow),
    pytest.param("base", marks=pytest.mark.slow),
    pytest.param("base.en", marks=pytest.mark.slow),
]
Build = Callable[[str], Pair]
Encoded = tuple[Pair, torch.Tensor, torch.Tensor]
Read = Callable[[str], np.ndarray]


@pytest.fixture(scope="session")
def window(whisper: ModuleType, clip: Read) -> torch.Tensor:
    """(1, 80, 3000): the clip's mel, zero behind its end."""
    samples = torch.from_numpy(clip(CLIP))
    return whisper.pad_or_trim(whisper.log_mel_spectrogram(samples, 80), 3000)[None]


@pytest.fixture(scope="session")
def encoded(pair: Build, window: torch.Tensor) -> Callable[[str], Encoded]:
    """A checkpoint, and the window as each program's encoder hears it."""
    made: dict[str, Encoded] = {}

    def encode(name: str) -> Encoded:
        if name not in made:
            made.clear()
            checkpoint = pair(name)
            with torch.inference_mode():
                made[name] = checkpoint, checkpoint.theirs.encoder(window), checkpoint.ours.encode(window)
        return made[name]

    return encode


@pytest.mark.parametrize("n_mels", [80, 128])
def test_mel_frames_are_equal(whisper: ModuleType, clip: Read, n_mels: int) -> None:
    samples = torch.from_numpy(clip(CLIP))
    theirs = whisper.log_mel_spectrogram(samples, n_mels)
    torch.testing.assert_close(log_mel(samples, n_mels), theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", SIZES)
@torch.inference_mode()
def test_encoder_logits_and_languages_are_equal(encoded: Callable[[str], Encoded], name: str) -> None:
    checkpoint, features, ours = encoded(name)
    tokenizer, heard = checkpoint.tokenizer, checkpoint.ours.hear(ours)
    torch.testing.assert_close(ours, features, atol=1e-4, rtol=0)

    tokens = torch.tensor([[tokenizer.sot, 440, tokenizer.timestamp_begin + 30, 1000, tokenizer.eot]])
    cached = checkpoint.ours.decode(tokens, checkpoint.ours.start(heard))
    expected = checkpoint.theirs.logits(tokens, features)
    assert expected.std() > 1  # the random weights say something
    torch.testing.assert_close(cached, expected, atol=1e-3, rtol=0)

    if checkpoint.is_multilingual:
        _, [theirs] = checkpoint.theirs.detect_language(features)
        [found] = detect_language(checkpoint.ours, tokenizer, heard)
        assert found.keys() == theirs.keys()
        assert max(abs(found[code] - theirs[code]) for code in found) <= 1e-4
        assert next(iter(found)) == max(theirs, key=theirs.get)


ENGLISH = [
    pytest.param({}, {}, id="greedy"),
    pytest.param({"beam_size": 5}, {}, id="beam 5"),
    pytest.param({"beam_size": 3, "patience": 2.0, "length_penalty": 0.5}, {}, id="patience"),
    pytest.param({}, {"prompt": " Ask not what it was"}, id="prompt"),
    pytest.param({"beam_size": 5, "prefix": "And so, my"}, {}, id="prefix and beam 5"),
    pytest.param({"prefix": "And so"}, {"prompt": " President"}, id="prompt and prefix"),
    pytest.param({"without_timestamps": True}, {}, id="without timestamps"),
    pytest.param({"suppress_tokens": (), "suppress_blank": False, "max_initial_timestamp": None}, {}, id="no rules"),
]
MULTILINGUAL = [
    pytest.param({}, {"task": "translate", "language": "de"}, id="greedy"),
    pytest.param({"beam_size": 5, "without_timestamps": True}, {"task": "translate", "language": "ja"}, id="beam 5"),
]


@pytest.mark.parametrize(("search", "given"), ENGLISH)
@pytest.mark.parametrize("name", SIZES)  # varies slowest: a checkpoint is made and heard once
def test_tokens_are_equal(
    encoded: Callable[[str], Encoded], name: str, search: dict[str, Any], given: dict[str, Any]
) -> None:
    assert_tokens_equal(*encoded(name), search, **given)


@pytest.mark.parametrize(("search", "given"), MULTILINGUAL)
@pytest.mark.parametrize("name", ["tiny", pytest.param("base", marks=pytest.mark.slow)])
def test_translations_are_equal(
    encoded: Callable[[str], Encoded], name: str, search: dict[str, Any], given: dict[str, Any]
) -> None:
    assert_tokens_equal(*encoded(name), search, **given)


@torch.inference_mode()
def assert_tokens_equal(
    checkpoint: Pair,
    their_features: torch.Tensor,
    our_features: torch.Tensor,
    search: dict[str, Any],
    *,
    prompt: str = "",
    task: str = "transcribe",
    language: str = "en",
) -> None:
    from whisper.decoding import DecodingOptions, DecodingTask

    search = {"sample_len": 24, **search}
    prompt_tokens = checkpoint.tokenizer.encode(prompt)
    theirs = DecodingTask(
        checkpoint.theirs,
        DecodingOptions(
            **{**search, "suppress_tokens": list(search.get("suppress_tokens", [-1]))},
            task=task,
            language=language,
            prompt=prompt_tokens,
            fp16=False,
        ),
    )
    [expected] = theirs.run(their_features)

    options = DecodeOptions(**{"beam_size": 1, **search})
    beginning = Beginning(checkpoint.tokenizer.start_sequence(language, task), tuple(prompt_tokens))
    decoder = WindowDecoder(checkpoint.ours, checkpoint.tokenizer, options)
    [decoded] = decoder.decode(checkpoint.ours.hear(our_features), [beginning])

    assert len(expected.tokens) > 1
    if list(decoded.tokens) != expected.tokens:
        step, gap = nearest_rival(theirs, checkpoint.theirs, their_features, expected.tokens, decoded.tokens)
        assert gap <= NEAR_TIE, f"token {step} differs although the reference was sure by {gap}"
        return
    assert decoded.text == expected.text
    assert decoded.avg_logprob == pytest.approx(expected.avg_logprob, abs=1e-3)
    assert decoded.no_speech_prob == pytest.approx(expected.no_speech_prob, abs=1e-4)
    assert decoded.compression_ratio == expected.compression_ratio


@torch.inference_mode()
def nearest_rival(
    task: Any, model: Any, features: torch.Tensor, expected: Sequence[int], found: Sequence[int]
) -> tuple[int, float]:
    """The first step at which the texts part, and how far apart the reference's two best logits lie there."""
    shared = min(len(expected), len(found))
    step = next((at for at in range(shared) if expected[at] != found[at]), shared)
    tokens = torch.tensor([[*task.initial_tokens, *expected[:step]]])
    logits = model.logits(tokens, features)[:, -1]
    for rule in task.logit_filters:
        rule.apply(logits, tokens)
    best, second = logits[0].topk(2).values.tolist()
    return step, best - second
