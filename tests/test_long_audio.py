"""The promises of long recordings, with the bundled model: nothing invented, nothing lost, no drift."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from subwhisper.audio import SAMPLE_RATE, Audio, Samples
from subwhisper.engine.options import DecodeOptions, PlanName, TranscribeOptions, VadOptions
from subwhisper.engine.transcriber import Transcriber, load_model
from subwhisper.media.decode import open_audio
from subwhisper.transcript import Transcript

pytest.importorskip("jiwer")
pytest.importorskip("whisper_normalizer")

from subwhisper.training.metrics import start_errors, word_errors

WELCOME = Path(__file__).resolve().parents[1] / "examples" / "welcome.mp4"
OPTIONS = TranscribeOptions(word_timestamps=True, decode=DecodeOptions(beam_size=1))


@pytest.fixture(scope="module")
def model() -> Transcriber:
    return load_model("bundled", device="cpu")


@pytest.fixture(scope="module")
def film() -> Samples:
    return np.concatenate([*open_audio(WELCOME).blocks()])


@pytest.fixture(scope="module")
def heard(model: Transcriber, film: Samples) -> Transcript:
    return model.transcribe(Audio(film), OPTIONS)


def n_words(transcript: Transcript) -> int:
    return len(transcript.text.split())


def test_nothing_is_written_where_nobody_speaks(model: Transcriber, samples: Path) -> None:
    sounds = [np.concatenate([*open_audio(path).blocks()]) for path in sorted((samples / "nonspeech").iterdir())]
    assert len(sounds) >= 6
    for sound in (*sounds, np.concatenate(sounds)):
        transcript = model.transcribe(Audio(sound), TranscribeOptions())
        assert transcript.text == ""
        assert transcript.provenance["coverage"]["holes_open"] == 0


@pytest.mark.parametrize("plan", ["sequential", "batched"])
def test_nothing_is_written_where_nobody_speaks_without_a_detector_either(
    model: Transcriber, samples: Path, plan: PlanName
) -> None:
    options = TranscribeOptions(plan=plan, vad=VadOptions(detector="none"))
    written = {
        path.name: model.transcribe(open_audio(path), options).text
        for path in sorted((samples / "nonspeech").iterdir())
    }
    assert len(written) >= 6
    assert not any(written.values()), written


def test_words_are_kept_that_are_found_without_a_detector(model: Transcriber, film: Samples, heard: Transcript) -> None:
    without = TranscribeOptions(plan="sequential", vad=VadOptions(detector="none"), decode=OPTIONS.decode)
    reference = model.transcribe(Audio(film), without)
    lost = word_errors(reference.text, heard.text)
    assert lost.deletions <= 0.05 * n_words(reference)


def test_speech_that_the_detector_overlooks_is_found_by_the_second_map(model: Transcriber, film: Samples) -> None:
    deaf = TranscribeOptions(vad=VadOptions(threshold=1.0), word_timestamps=True, decode=OPTIONS.decode)
    found = model.transcribe(Audio(film), deaf)
    report = found.provenance["coverage"]
    assert report["holes_repaired"] >= 1
    rate = word_errors((WELCOME.parent / "welcome.txt").read_text(encoding="utf-8"), found.text).rate
    assert rate is not None
    assert rate < 0.3
    assert all("listening again" in segment.quality.notes[-1] for segment in found.segments if segment.quality)


def test_words_stay_in_place_behind_minutes_of_noise(model: Transcriber, film: Samples, heard: Transcript) -> None:
    """Windows are laid over speech, but nothing is cut out: what is late stays late, to the sample."""
    random = np.random.default_rng(1)
    away = 180
    noise = (0.003 * random.normal(size=away * SAMPLE_RATE)).astype(np.float32)
    late = model.transcribe(Audio(np.concatenate([film, noise, film])), OPTIONS)
    shift = len(film) / SAMPLE_RATE + away
    behind = [word for word in late.words() if word.start > shift - 1]
    alone = list(heard.words())
    assert len(late.text.split()) == pytest.approx(2 * n_words(heard), abs=4)
    moved = start_errors([word.shifted(shift) for word in alone], behind)
    assert len(moved) > 0.7 * len(alone)
    assert np.median(np.abs(moved)) <= 0.05
    assert not [word for word in late.words() if len(film) / SAMPLE_RATE + 1 < word.start < shift - 1]


def test_a_stream_says_what_the_film_says(model: Transcriber, film: Samples) -> None:
    def blocks() -> Iterator[Samples]:
        for at in range(0, len(film), 1600):
            yield film[at : at + 1600]

    options = TranscribeOptions(decode=OPTIONS.decode, vad=VadOptions(min_silence_duration_ms=600))
    said = "".join(segment.text for segment in model.stream(blocks(), options))
    rate = word_errors((WELCOME.parent / "welcome.txt").read_text(encoding="utf-8"), said).rate
    assert rate is not None
    assert rate < 0.25, said
