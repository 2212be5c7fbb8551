"""Speech whose words are known, and sounds that are no speech, for the benchmarks; nothing here knows a model."""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.media.decode import open_audio
from subwhisper.training.augment import knocks, music
from subwhisper.training.synthesis import Espeak, Voice
from subwhisper.transcript import Word

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SENTENCES = """\
The weather was cold, but we walked to the river anyway.
She said that nothing would ever change in this town.
He opened the door slowly. Nobody was there.
Our government must protect the rights of every citizen.
It was a long road, full of stones and dust.
The doctor told him to rest, to eat, and to wait.
We will not forget what they did for us.
They bought bread, milk, and a little sugar.
The teacher asked a question, but no one answered.
My brother writes letters to his friends every week.""".splitlines()
VOICES = ("en-us+m3", "en-us+f2", "en-us+f3", "en-us+belinda")


class Clip(NamedTuple):
    """Sound, what is said in it, and when its words are said if that is known."""

    samples: Samples
    text: str = ""
    words: Sequence[Word] = ()

    def behind(self, lead: float, *, tail: float = 0.5) -> "Clip":
        """The same after so many seconds of silence, and with some after it."""
        pads = [np.zeros(int(seconds * SAMPLE_RATE), np.float32) for seconds in (lead, tail)]
        samples = np.concatenate([pads[0], self.samples, pads[1]])
        return Clip(samples, self.text, [word.shifted(len(pads[0]) / SAMPLE_RATE) for word in self.words])


def load(path: Path) -> Samples:
    """All samples of a file, 16 kHz mono."""
    return np.concatenate([*open_audio(path).blocks()])


def film() -> Clip:
    """The example film."""
    rows = json.loads((EXAMPLES / "welcome.words.json").read_text(encoding="utf-8"))
    words = [Word(f" {row['word']}", row["start"], row["end"]) for row in rows]
    return Clip(load(EXAMPLES / "welcome.mp4"), (EXAMPLES / "welcome.txt").read_text(encoding="utf-8"), words)


def spoken(
    sentences: Sequence[str] = SENTENCES, voices: Sequence[str] = VOICES, lead: tuple[float, float] = (0.0, 0.0)
) -> Iterator[Clip]:
    """Every sentence in every voice of espeak-ng, at rates and pitches that vary; the same ones in every run.

    Each comes after so many seconds of silence, from the first number of `lead` to the second, and before half a one.
    """
    random, espeak = np.random.default_rng(11), Espeak()
    for name in voices:
        for sentence in sentences:
            voice = Voice(name, rate=int(random.integers(140, 180)), pitch=int(random.integers(35, 65)))
            utterance = espeak.speak(sentence, voice)
            yield Clip(utterance.samples, sentence, utterance.words).behind(random.uniform(*lead))


def flite(voice: str = "rms", sentences: Sequence[str] = SENTENCES) -> Iterator[Clip]:
    """Sentences in a voice of flite."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        for sentence in sentences:
            subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", str(path)], check=True)
            yield Clip(load(path), sentence)


def listed(samples: Path, kind: str, language: str = "") -> dict[str, Clip]:
    """The clips of one kind that the manifest of a samples folder names, and of one language."""
    clips: dict[str, Clip] = {}
    for entry in json.loads((samples / "manifest.json").read_text(encoding="utf-8"))["clips"]:
        if entry["kind"] == kind and str(entry.get("language") or "").startswith(language):
            said = [word for word in entry.get("words", ()) if word["word"] != "*"]  # a noise
            words = [Word(f" {word['word']}", word["start"], word["end"]) for word in said]
            text = entry.get("transcript") or ""
            clips[entry["path"].partition("/")[2]] = Clip(load(samples / entry["path"]), text, words)
    return clips


def read_by(manifest: Path, speakers: Iterable[str], most: int) -> list[Clip]:
    """So many clips of each of these speakers from a JSONL manifest."""
    clips: list[Clip] = []
    entries = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    for speaker in speakers:
        for entry in [entry for entry in entries if str(entry["speaker"]) == speaker][:most]:
            words = [Word(f" {w['word'].lower()}", w["start"], w["end"]) for w in entry.get("words", ())]
            clips.append(Clip(load(manifest.parent / entry["path"]), entry["text"].lower(), words))
    return clips


def prose() -> list[str]:
    """Sentences of the passages, without digits and abbreviations."""
    text = (Path(__file__).parent / "passages.txt").read_text(encoding="utf-8")
    plain = re.sub(r"[\"()]", "", text)
    found = re.split(r"(?<=[.!?])\s+", " ".join(plain.split()))
    return [sentence for sentence in found if not re.search(r"\d|\b(Mr|Mrs|Dr|No)\.", sentence)]


def _coloured(slope: float) -> Callable[[int], Samples]:
    """Noise of unit power that falls by so many times 6 dB an octave above 40 Hz."""

    def noise(n_samples: int) -> Samples:
        spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(n_samples))
        frequency = np.maximum(np.arange(len(spectrum)) / n_samples * SAMPLE_RATE, 40)
        return _unit(np.fft.irfft(spectrum * frequency**-slope, n_samples))

    return noise


def _hum(n_samples: int) -> Samples:
    at = np.arange(n_samples) / SAMPLE_RATE
    return _unit(sum(np.sin(2 * np.pi * 50 * harmonic * at) / harmonic for harmonic in range(1, 12)))


def _chirps(n_samples: int) -> Samples:
    """Birds of a kind: short glides between 2 and 5 kHz."""
    random, sound = np.random.default_rng(6), np.zeros(n_samples)
    for first in np.sort(random.integers(0, max(1, n_samples - 4000), n_samples // 6000)):
        at = np.arange(int(random.integers(800, 3200))) / SAMPLE_RATE
        pitch, glide = random.uniform(2000, 4500), random.uniform(-6000, 6000)
        sound[first : first + len(at)] += (np.sin(2 * np.pi * (pitch + glide * at / 2) * at) * np.hanning(len(at)))[
            : n_samples - first
        ]
    return _unit(sound)


def _unit(sound: np.ndarray) -> Samples:
    return (sound / max(float(sound.std()), 1e-9)).astype(np.float32)


NOISES: dict[str, Callable[[int], Samples]] = {
    "white noise": _coloured(0.0),
    "pink noise": _coloured(0.5),
    "brown noise": _coloured(1.0),
    "hum": _hum,
    "chirps": _chirps,
    "knocks": lambda n_samples: knocks(n_samples, np.random.default_rng(7)),
    "chords": lambda n_samples: music(n_samples, np.random.default_rng(8)),
}
"""So many samples of each, of unit power; the same at every call."""


def looped(samples: Samples) -> Callable[[int], Samples]:
    """A sound over and over, with unit power."""
    return lambda n_samples: _unit(np.resize(samples, n_samples))


def power_of_speech(samples: Samples) -> float:
    """Root mean square where someone speaks: of the frames of 20 ms within 30 dB of the loudest."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    powers = np.square(frames).mean(axis=1)
    return float(np.sqrt(powers[powers > powers.max(initial=0.0) / 1000].mean())) if powers.any() else 0.0


def mixed(speech: Samples, noise: Callable[[int], Samples], decibels: float) -> Samples:
    """Speech in noise that is so much quieter."""
    return speech + noise(len(speech)) * np.float32(power_of_speech(speech) * 10 ** (-decibels / 20))


def in_a_row(clips: Iterable[Clip], pause: float) -> Clip:
    """One behind the other, so many seconds between them."""
    parts, words, texts, clock = [], [], [], 0.0
    for clip in clips:
        padded = clip.behind(pause / 2, tail=pause / 2)
        words += [word.shifted(clock) for word in padded.words]
        clock += len(padded.samples) / SAMPLE_RATE
        parts.append(padded.samples)
        texts.append(clip.text)
    return Clip(np.concatenate(parts), " ".join(texts), words)
