"""Whole recordings: the same windows, segments and word times as openai-whisper's `transcribe`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from subwhisper.audio import Audio
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions, VadOptions
from subwhisper.engine.transcriber import Transcriber
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.vocabulary import public_vocabulary
from subwhisper.transcript import Transcript

from .conftest import Pair

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",  # openai-whisper leaves its vocabulary file open
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:Word-level timestamps on translations",
    "ignore:__array_wrap__:DeprecationWarning",  # its beam search, on a new NumPy
)

CLIPS = [
    "speech/jfk.flac",
    "speech/shakespeare-sonnet-1.mp3",
    "speech/mfa-cold_corpus_24bit.wav",
    "speech/leopard-es.flac",
]
SURE = FallbackOptions(temperatures=(0.0,))  # sampling cannot be compared: each has its own randomness
N_TOKENS = 20
Build = Callable[[str], Pair]


@pytest.fixture(scope="module")
def recording(clip: Callable[[str], np.ndarray]) -> np.ndarray:
    samples = np.concatenate([clip(name) for name in CLIPS])
    assert len(samples) > 90 * 16_000
    return samples


def transcriber(checkpoint: Pair) -> Transcriber:
    dims = checkpoint.ours.dims
    return Transcriber(
        Checkpoint(
            dims=dims,
            tensors=checkpoint.tensors,
            vocabulary=public_vocabulary(dims.n_vocab),
            is_multilingual=checkpoint.is_multilingual,
            alignment_heads=dims.upper_half_heads,
            suppress_tokens=None,
            reads_prompts=True,
            name="random",
            fingerprint="",
        ),
        device="cpu",
        compute="float32",
    )


def both(
    checkpoint: Pair, samples: np.ndarray, *, beam_size: int = 1, fallback: FallbackOptions = SURE, **options: Any
) -> tuple[dict[str, Any], Transcript]:
    theirs = checkpoint.theirs.transcribe(
        samples,
        temperature=fallback.temperatures,
        no_speech_threshold=fallback.no_speech_threshold,
        logprob_threshold=fallback.logprob_threshold,
        beam_size=beam_size if beam_size > 1 else None,
        sample_len=N_TOKENS,
        fp16=False,
        **options,
    )
    chosen = TranscribeOptions(
        plan="sequential",
        vad=VadOptions(detector="none"),
        decode=DecodeOptions(beam_size=beam_size, sample_len=N_TOKENS),
        fallback=fallback,
        **{name: tuple(value) if isinstance(value, list) else value for name, value in options.items()},
    )
    return theirs, transcriber(checkpoint).transcribe(Audio(samples), chosen)


def assert_segments_equal(theirs: dict[str, Any], ours: Transcript) -> None:
    assert len(theirs["segments"]) > 2
    found = [(s.seek, list(s.tokens), s.text) for s in ours.segments]
    assert found == [(s["seek"], s["tokens"], s["text"]) for s in theirs["segments"]]
    for expected, segment in zip(theirs["segments"], ours.segments, strict=True):
        assert segment.start == pytest.approx(expected["start"], abs=1e-6)
        assert segment.end == pytest.approx(expected["end"], abs=1e-6)
        assert segment.quality is not None
        assert segment.quality.avg_logprob == pytest.approx(expected["avg_logprob"], abs=1e-3)


CARRIED = {"language": "de", "initial_prompt": "Hallo Welt", "carry_initial_prompt": True}
CLIPPED = {"clip_timestamps": [3.0, 20.0, 40.5], "condition_on_previous_text": False}
TRANSLATED = {"language": "fr", "task": "translate", "initial_prompt": "Dear all"}
CASES = [
    pytest.param("tiny", {}, id="language detected"),
    pytest.param("tiny", CARRIED, id="carried prompt"),
    pytest.param("tiny", CLIPPED, id="clips"),
    pytest.param("tiny", TRANSLATED, id="translated", marks=pytest.mark.slow),
    pytest.param("tiny.en", {"beam_size": 5}, id="English, beam 5", marks=pytest.mark.slow),
    pytest.param("base", {"language": "en"}, id="base", marks=pytest.mark.slow),
    pytest.param("base.en", {}, id="base.en", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_segments_of_a_long_recording_are_equal(
    pair: Build, recording: np.ndarray, name: str, options: dict[str, Any]
) -> None:
    theirs, ours = both(pair(name), recording, **options)
    assert_segments_equal(theirs, ours)
    if options.get("task") != "translate":
        assert ours.language == theirs["language"]


def test_silent_windows_are_skipped_alike(pair: Build, recording: np.ndarray) -> None:
    """Every random text is a guess, so a threshold of nothing makes every window silence."""
    fallback = FallbackOptions(temperatures=(0.0,), no_speech_threshold=0.0, logprob_threshold=-0.01)
    theirs, ours = both(pair("tiny"), recording[: 40 * 16_000], fallback=fallback, language="en")
    assert theirs["segments"] == []
    assert ours.segments == ()


@pytest.mark.parametrize(
    ("name", "seconds", "options"),
    [
        ("tiny", 40, {"language": "en"}),
        ("tiny", 25, {"language": "zh"}),
        ("tiny", 8, {"language": "en", "hallucination_silence_threshold": 2.0}),
        pytest.param("tiny.en", 34, {}, marks=pytest.mark.slow),
        pytest.param("base", 34, {"language": "en"}, marks=pytest.mark.slow),
    ],
)
def test_word_times_are_equal(
    pair: Build, recording: np.ndarray, name: str, seconds: int, options: dict[str, Any]
) -> None:
    theirs, ours = both(pair(name), recording[: seconds * 16_000], word_timestamps=True, **options)
    assert [s["tokens"] for s in theirs["segments"]] == [list(s.tokens) for s in ours.segments]
    expected = [word for segment in theirs["segments"] for word in segment["words"]]
    found = list(ours.words())
    assert len(found) > 1
    assert [word.text for word in found] == [word["word"] for word in expected]
    for word, other in zip(found, expected, strict=True):
        assert word.start == pytest.approx(other["start"], abs=0.02)
        assert word.end == pytest.approx(other["end"], abs=0.02)
        assert word.probability == pytest.approx(other["probability"], abs=1e-3)
