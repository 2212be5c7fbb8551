"""Where sound sets in, to a hundredth of a second."""

import numpy as np
import pytest

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.engine.energy import Loudness

RANDOM = np.random.default_rng(0)


def recording(bursts: list[tuple[float, float]], seconds: float, background: float) -> Samples:
    """Noise that is loud in the bursts."""
    samples = RANDOM.normal(0, 1, round(seconds * SAMPLE_RATE)).astype(np.float32)
    times = np.arange(len(samples)) / SAMPLE_RATE
    loud = np.any([(start <= times) & (times < end) for start, end in bursts], axis=0)
    return (samples * np.where(loud, 0.1, background)).astype(np.float32)


BURSTS = [(0.5, 1.2), (2.03, 2.5), (6.0, 9.0)]


@pytest.mark.parametrize("background", [0.0, 1e-4, 1e-2])
def test_edges_are_found_to_the_step(background: float) -> None:
    samples = recording(BURSTS, 10.0, background)
    spans = Loudness.of([samples]).spans()
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == pytest.approx([edge for burst in BURSTS for edge in burst], abs=0.011)


def test_blocks_of_any_size_give_the_same_levels() -> None:
    samples = recording(BURSTS, 10.0, 1e-3)
    whole = Loudness.of([samples])
    cut = Loudness.of(np.split(samples, [1, 77, 5000, 5001, 90_000]))
    np.testing.assert_allclose(cut.levels, whole.levels, atol=1e-3)
    assert (cut.is_sound == whole.is_sound).all()


def test_short_silences_are_bridged_and_short_sounds_dropped() -> None:
    samples = recording([(1.0, 2.0), (2.1, 3.0), (5.0, 5.03)], 6.0, 0.0)
    assert [(span.start, span.end) for span in Loudness.of([samples]).spans()] == [(1.0, 3.0)]


@pytest.mark.parametrize("blocks", [[], [np.zeros(0, np.float32)], [np.zeros(100, np.float32)]])
def test_a_recording_of_nothing_has_no_sound(blocks: list[Samples]) -> None:
    assert Loudness.of(blocks).spans() == []


def test_silence_has_no_sound() -> None:
    assert Loudness.of([np.zeros(SAMPLE_RATE * 12, np.float32)]).spans() == []


def test_what_leads_up_to_a_sound_belongs_to_it() -> None:
    samples = recording([(1.0, 2.0)], 4.0, 1e-4)
    attack = slice(int(0.95 * SAMPLE_RATE), SAMPLE_RATE)
    samples[attack] *= 4  # 12 dB above the quiet, 48 dB below the voice
    assert Loudness.of([samples]).spans()[0].start == pytest.approx(0.95, abs=0.011)
    assert Loudness.of([samples[::-1].copy()]).spans()[0].end == pytest.approx(3.0, abs=0.011)  # no room's echo does


@pytest.mark.parametrize(("background", "is_clear"), [(1e-3, True), (0.05, False)])
def test_a_voice_hardly_above_its_background_is_not_clear(background: float, is_clear: bool) -> None:
    assert (Loudness.of([recording(BURSTS, 10.0, background)]).is_clear == is_clear).all()
