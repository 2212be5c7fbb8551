from collections.abc import Callable

import numpy as np
import pytest
import torch

from subwhisper.training import augment

SOUND = np.sin(np.arange(16_001) / 8).astype(np.float32) * np.float32(0.3)


@pytest.mark.parametrize("change", [augment.tilted, augment.in_room, augment.narrowed])
def test_a_changed_sound_keeps_its_length_and_is_sound(change: Callable[..., np.ndarray]) -> None:
    changed = change(SOUND, np.random.default_rng(1))
    assert changed.shape == SOUND.shape
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert not np.allclose(changed, SOUND)


def test_a_telephone_lets_through_what_lies_between() -> None:
    """Tones of 1 kHz stay as they are; those of 7.5 kHz are gone."""
    seconds = np.arange(16_001) / 16_000
    for tone, share in ((1000, 1.0), (7500, 0.0)):
        sound = np.sin(2 * np.pi * tone * seconds).astype(np.float32)
        heard = augment.narrowed(sound, np.random.default_rng(1))
        assert float(heard[800:-800].std() / sound.std()) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("make", [augment.coloured_noise, augment.music, augment.knocks])
@pytest.mark.parametrize("seed", range(3))
def test_noises_have_unit_power_and_their_own_seed(make: Callable[..., np.ndarray], seed: int) -> None:
    noise = make(24_000, np.random.default_rng(seed))
    assert noise.shape == (24_000,)
    assert noise.std() == pytest.approx(1.0, rel=0.01)
    np.testing.assert_array_equal(noise, make(24_000, np.random.default_rng(seed)))


@pytest.mark.parametrize("seed", range(10))
def test_recorded_speech_never_leaves_the_range_of_samples(seed: int) -> None:
    heard = augment.recorded(SOUND * 50, np.random.default_rng(seed), augment.AugmentOptions())
    assert np.abs(heard).max() <= 1
    assert heard.shape == SOUND.shape


def test_masks_hide_bands_and_moments_of_a_copy() -> None:
    mel = torch.randn(80, 300)
    kept = mel.clone()
    options = augment.AugmentOptions(masks=1.0)
    shares = [
        float((augment.masked(mel, np.random.default_rng(seed), options) != mel).float().mean()) for seed in range(9)
    ]
    assert torch.equal(mel, kept)
    assert 0.05 < sum(shares) / len(shares) < 0.5
    assert augment.masked(mel, np.random.default_rng(2), augment.AugmentOptions(masks=0.0)) is mel


def test_another_throat_moves_frequencies_and_nothing_else() -> None:
    """A tone becomes one a sixth higher or lower at most; times, loudness, the lowest and highest bins stay."""
    mel = torch.zeros(80, 30)
    mel[40, 10:20] = 1.0
    kept = mel.clone()
    options = augment.AugmentOptions(throat=1.0)
    heard = [augment.from_another_throat(mel, np.random.default_rng(seed), options) for seed in range(40)]
    assert torch.equal(mel, kept)
    peaks = [int(one[:, 15].argmax()) for one in heard]
    assert min(peaks) in range(36, 40)
    assert max(peaks) in range(41, 45)
    for one in heard:
        assert one.shape == mel.shape
        assert not one[:, :10].any()
        assert not one[:, 20:].any()
        assert 0.4 < float(one.max()) <= 1
    flat = torch.full((80, 30), 0.3)
    torch.testing.assert_close(augment.from_another_throat(flat, np.random.default_rng(1), options), flat)
    assert augment.from_another_throat(mel, np.random.default_rng(1), augment.AugmentOptions(throat=0.0)) is mel
