"""Recorded speech to learn from: a manifest of transcribed clips, packed into one file of samples.

The corpora write their transcripts in capitals without marks. Case is restored from how a word is mostly written
inside the sentences of the text corpus; a clip ends with a full stop, and a comma marks a long pause once the words
have been found in the sound (see `forced`). The words themselves are never touched.
"""

import json
import re
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.errors import InputError, MissingExtra, ToolError
from subwhisper.training.synthesis import SILENCE, Espeak, Voice

LEFT_OUT_SPEAKERS = frozenset({"5652", "1737", "32", "7312"})
"""LibriSpeech readers that only evaluation hears; 5652 is also what `finetune` is measured with."""
LONGEST = 20.0
"""Seconds; longer clips are not packed."""
FLITE_VOICES = ("slt", "awb", "kal16")


@dataclass(frozen=True, slots=True)
class Recording:
    """One clip of a pack."""

    text: str
    speaker: str
    corpus: str
    first: int
    """Index of its first sample in the pack."""
    n_samples: int
    sounds: tuple[tuple[str, ...], ...]
    """Names of the speech sounds of each space-separated word, as espeak-ng reads them."""

    @property
    def words(self) -> list[str]:
        return self.text.split(" ")


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """Recordings and their samples, one behind the other."""

    recordings: tuple[Recording, ...]
    samples: npt.NDArray[np.int16]
    """Mapped from the disk, 16 kHz."""

    def sound(self, recording: Recording, start: float = 0.0, end: float | None = None) -> Samples:
        """The samples of a recording between two of its seconds."""
        first = recording.first + max(0, round(start * SAMPLE_RATE))
        last = recording.first + recording.n_samples
        if end is not None:
            last = min(last, recording.first + round(end * SAMPLE_RATE))
        return self.samples[first:last].astype(np.float32) / np.float32(32768)


class Truecaser:
    """How words are mostly written when no sentence begins with them."""

    def __init__(self, sentences: Iterable[str]) -> None:
        forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for sentence in sentences:
            for word in re.findall(r"[A-Za-z][A-Za-z']*", sentence)[1:]:
                forms[word.lower()][word] += 1
        self._forms = {low: best for low, seen in forms.items() if (best := seen.most_common(1)[0][0]) != low}

    def restore(self, text: str) -> str:
        """Write a transcript in capitals the way a book would, without marks but a full stop at the end."""
        words = [self._forms.get(word, word) for word in text.lower().split()]
        words = [re.sub(r"^i(?=$|')", "I", word) for word in words]
        return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]]) + "."


def read_manifest(manifest: Path, truecaser: Truecaser) -> Iterator[tuple[Path, str, str, str]]:
    """Yield path, text, speaker and corpus of each usable clip of a JSON-lines manifest."""
    for line in manifest.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        text = " ".join(str(entry["text"]).replace('"', "").split())
        if not text or float(entry["duration"]) > LONGEST:
            continue
        written = truecaser.restore(text) if text.isupper() else text
        yield manifest.parent / entry["path"], written, str(entry["speaker"]), str(entry["corpus"])


def word_sounds(espeak: Espeak, text: str) -> tuple[tuple[str, ...], ...]:
    """The speech sounds of each word of a text as espeak-ng would say it."""
    spoken = espeak.speak(text, Voice("en-us"))
    starts = [word.start for word in spoken.words[1:]]
    words: list[list[str]] = [[] for _ in spoken.words]
    for phoneme in spoken.phonemes:
        if phoneme.name != SILENCE:
            words[int(np.searchsorted(starts, phoneme.start + 1e-6, side="right"))].append(phoneme.name)
    return tuple(tuple(word) for word in words)


def pack(
    clips: Iterable[tuple[Path, str, str, str]],
    folder: Path,
    *,
    read: Callable[[Path], npt.NDArray[np.int16]] | None = None,
) -> int:
    """Decode clips into `folder`; returns how many.

    Raises:
        MissingExtra: the soundfile package is not installed.
    """
    espeak = Espeak()
    folder.mkdir(parents=True, exist_ok=True)
    rows, clock = [], 0
    with (folder / "samples.s16").open("wb") as sound, ThreadPoolExecutor(2) as threads:
        listed = list(clips)
        decoded = threads.map(read or read_clip, [path for path, *_ in listed])
        for (_, text, speaker, corpus), samples in zip(listed, decoded, strict=True):
            sounds = word_sounds(espeak, text)
            rows.append([text, speaker, corpus, clock, len(samples), sounds])
            sound.write(samples.tobytes())
            clock += len(samples)
    (folder / "recordings.json").write_text(json.dumps(rows), encoding="utf-8")
    return len(rows)


def open_pack(folder: Path) -> Pack:
    """Map a packed folder.

    Raises:
        InputError: there is none.
    """
    try:
        rows = json.loads((folder / "recordings.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no packed recordings", hint="make them with the pack command") from error
    recordings = tuple(
        Recording(text, speaker, corpus, first, n, tuple(tuple(word) for word in sounds))
        for text, speaker, corpus, first, n, sounds in rows
    )
    return Pack(recordings, np.memmap(folder / "samples.s16", np.int16, mode="r"))


def read_clip(path: Path) -> npt.NDArray[np.int16]:
    """All samples of a 16 kHz mono file."""
    try:
        import soundfile
    except ImportError as error:
        raise MissingExtra("soundfile", "train") from error
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    if rate != SAMPLE_RATE:
        raise InputError(f"{path} is sampled at {rate} Hz", hint="training reads 16 kHz files")
    first: npt.NDArray[np.int16] = np.ascontiguousarray(samples[:, 0])
    return first


def flite_clips(
    sentences: Sequence[str], voices: Sequence[str], folder: Path, *, per_voice: int
) -> Iterator[tuple[Path, str, str, str]]:
    """Have flite speak sentences into `folder`; yield what `pack` takes.

    Raises:
        ToolError: flite is not installed.
    """

    def speak(job: tuple[Path, str, str]) -> None:
        path, voice, sentence = job
        try:
            subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", str(path)], check=True, capture_output=True)
        except FileNotFoundError as error:
            raise ToolError("flite is not installed", hint="apt-get install flite") from error

    jobs = [
        (folder / f"{voice}-{index}.wav", voice, sentences[(7 * index + 3 * number) % len(sentences)])
        for number, voice in enumerate(voices)
        for index in range(per_voice)
    ]
    with ThreadPoolExecutor(2) as threads:
        for (path, voice, sentence), _ in zip(jobs, threads.map(speak, jobs), strict=True):
            yield path, sentence, f"flite-{voice}", "flite"


def scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    """Where synthesised files lie until they are packed."""
    return tempfile.TemporaryDirectory(prefix="subwhisper-flite-")
