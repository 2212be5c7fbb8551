"""Rooms, microphones and noises, put on clean speech: what is learnt from clean voices alone holds for them alone.

Every function takes its randomness from a generator. Shapes: N samples, M mel bins, F frames.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.engine.features import mel_centres

Random = np.random.Generator
Curve = npt.NDArray[np.floating]
"""A number for each frequency."""
_EASY = 4000
"""Lengths that are multiples of it are transformed quickly, in single precision."""


@dataclass(frozen=True, kw_only=True)
class AugmentOptions:
    """How often what happens to a stretch."""

    tilt: float = 0.5
    room: float = 0.25
    narrow: float = 0.12
    noise: float = 0.35
    throat: float = 0.6
    masks: float = 0.9
    moments: float = 1.0
    """At most so many are hidden in four seconds, and one more."""


def tilted(samples: Samples, random: Random) -> Samples:
    """Another microphone: a smooth curve of ± 8 dB over five octaves."""
    bands = np.linspace(0, 1, 6)
    decibels = np.clip(random.normal(0, 4, len(bands)), -8, 8)

    def gain(frequency: Curve) -> Curve:
        at = np.clip(np.log2(np.maximum(2 * frequency / SAMPLE_RATE, 2**-6)) / 6 + 1, 0, 1)
        return 10 ** (np.interp(at, bands, decibels) / 20)

    return _filtered(samples, gain)


def _filtered(samples: Samples, gain: Callable[[Curve], Curve]) -> Samples:
    """Samples whose every frequency, in hertz, is multiplied."""
    size = -(-len(samples) // _EASY) * _EASY
    spectrum = torch.fft.rfft(torch.from_numpy(samples), size)
    factors = gain(np.arange(len(spectrum)) * (SAMPLE_RATE / size)).astype(np.float32)
    changed: Samples = torch.fft.irfft(spectrum * torch.from_numpy(factors), size)[: len(samples)].numpy()
    return changed


def in_room(samples: Samples, random: Random) -> Samples:
    """A small room: an exponentially decaying tail of noise (Polack's model), 0.1 to 0.5 s to -60 dB."""
    decay = random.uniform(0.1, 0.5)
    n = int(decay * SAMPLE_RATE)
    tail = random.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail *= random.uniform(0.1, 0.7) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    size = -(-(len(samples) + n) // _EASY) * _EASY
    room = torch.fft.rfft(torch.from_numpy(tail.astype(np.float32)), size)
    wet = torch.fft.irfft(torch.fft.rfft(torch.from_numpy(samples), size) * room, size)
    heard: Samples = wet[: len(samples)].numpy()
    return heard


def narrowed(samples: Samples, random: Random) -> Samples:
    """A telephone or an old recording: nothing above 3.4 to 7 kHz, nothing below up to 300 Hz."""
    highest, lowest = random.uniform(3400, 7000), random.uniform(0, 300)
    return _filtered(samples, lambda frequency: ((frequency <= highest) & (frequency >= lowest)).astype(np.float32))


def coloured_noise(n_samples: int, random: Random) -> Samples:
    """Noise of unit power whose spectrum falls by 0 to 6 dB an octave."""
    white: Samples = random.standard_normal(n_samples, dtype=np.float32)
    steepness = random.uniform(0, 1)
    shaped = _filtered(white, lambda frequency: np.maximum(frequency, 40) ** -steepness)
    return shaped / np.float32(max(float(shaped.std()), 1e-9))


def music(n_samples: int, random: Random) -> Samples:
    """Chords and a melody of decaying harmonics, unit power: what must not be taken for words."""
    seconds = np.arange(n_samples) / SAMPLE_RATE
    sound = np.zeros(n_samples)
    beat = random.uniform(0.15, 0.8)
    root = random.uniform(80, 260)
    scale = 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 16, 19]) / 12)
    brightness, fade = random.uniform(0.4, 1.6), random.uniform(1, 8)
    for start in np.arange(0, seconds[-1], beat):
        first = int(start * SAMPLE_RATE)
        length = min(n_samples - first, int(random.uniform(1, 4) * beat * SAMPLE_RATE))
        at = seconds[:length]
        for pitch in root * random.choice(scale, random.integers(1, 4)):
            wobble = 1 + 0.004 * np.sin(2 * np.pi * 5 * at) * (random.random() < 0.3)
            for harmonic in range(1, int(random.integers(2, 8))):
                tone = np.sin(2 * np.pi * pitch * harmonic * at * wobble)
                sound[first : first + length] += tone * harmonic**-brightness * np.exp(-fade * at)
    noise: Samples = (sound / max(float(sound.std()), 1e-9)).astype(np.float32)
    return noise


def knocks(n_samples: int, random: Random) -> Samples:
    """Ticks, knocks and barks: short bursts of filtered noise, now and then or in a steady beat."""
    sound = np.zeros(n_samples, np.float32)
    beat = random.uniform(0.2, 1.5)
    steady = random.random() < 0.5
    length = int(random.uniform(0.005, 0.35) * SAMPLE_RATE)
    clock = random.uniform(0, beat)
    pitch = random.uniform(150, 3000)
    while (first := int(clock * SAMPLE_RATE)) < n_samples:
        at = np.arange(min(length, n_samples - first)) / SAMPLE_RATE
        burst = random.standard_normal(len(at)) * random.uniform(0, 1)
        burst += np.sin(2 * np.pi * pitch * at * (1 - at)) + 0.5 * np.sin(4 * np.pi * pitch * at * (1 - at))
        sound[first : first + len(at)] += (burst * np.exp(-5 * at / (length / SAMPLE_RATE))).astype(np.float32)
        clock += beat if steady else random.exponential(beat) + 0.05
    return sound / np.float32(max(float(sound.std()), 1e-9))


def not_speech(n_samples: int, random: Random) -> Samples:
    """Any of the noises, of unit power."""
    kind = random.random()
    if kind < 0.4:
        return coloured_noise(n_samples, random)
    return music(n_samples, random) if kind < 0.75 else knocks(n_samples, random)


def recorded(samples: Samples, random: Random, options: AugmentOptions) -> Samples:
    """Clean speech as a random microphone in a random room would have it, at a random loudness."""
    if random.random() < options.tilt:
        samples = tilted(samples, random)
    if random.random() < options.room:
        samples = in_room(samples, random)
    if random.random() < options.narrow:
        samples = narrowed(samples, random)
    peak = float(np.abs(samples).max(initial=0))
    if peak > 0:
        samples = samples / np.float32(peak)
    if random.random() < options.noise:
        noise = coloured_noise if random.random() < 0.7 else not_speech
        decibels = random.uniform(5, 40)
        samples = samples + noise(len(samples), random) * np.float32(0.25 * 10 ** (-decibels / 20))
    loud: Samples = np.clip(samples * np.float32(10 ** random.uniform(-1.2, -0.02)), -1, 1)
    return loud


def from_another_throat(mel: Tensor, random: Random, options: AugmentOptions) -> Tensor:
    """The same words from a longer or shorter vocal tract, at the same pace and pitch, in a copy of an (M, F) mel.

    Frequencies are stretched by up to a sixth, those at the top less, so that they end where they did (Jaitly and
    Hinton 2013, Vocal tract length perturbation). It stands in for the readers that a small corpus does not have.
    """
    if random.random() >= options.throat:
        return mel
    longer = random.uniform(0.86, 1.16)
    centres, top = mel_centres(len(mel)), SAMPLE_RATE / 2
    bend = 0.6 * top * min(longer, 1) / longer
    above = top - (top - bend * longer) / (top - bend) * (top - centres)
    at = np.interp(np.where(centres <= bend, centres * longer, above), centres, np.arange(len(mel)))
    below = np.minimum(at.astype(np.int64), len(mel) - 2)
    share = torch.from_numpy((at - below).astype(np.float32))[:, None]
    return torch.lerp(mel[below], mel[below + 1], share)


def masked(mel: Tensor, random: Random, options: AugmentOptions) -> Tensor:
    """SpecAugment (Park et al. 2019): up to two bands of bins and a few moments hidden, in a copy of an (M, F) mel."""
    if random.random() >= options.masks:
        return mel
    mel = mel.clone()
    n_mels, n_frames = mel.shape
    quiet = float(mel.mean())
    for _ in range(int(random.integers(0, 3))):
        width = int(random.integers(1, n_mels // 6))
        first = int(random.integers(0, n_mels - width))
        mel[first : first + width] = quiet
    for _ in range(int(random.integers(0, 2 + int(options.moments * n_frames / 400)))):
        width = int(random.integers(1, 30))
        first = int(random.integers(0, max(1, n_frames - width)))
        mel[:, first : first + width] = quiet
    return mel
