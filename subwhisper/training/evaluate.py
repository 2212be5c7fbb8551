"""Scores of a model on speech it was not trained on: its own synthesiser's held-out voices, and real recordings."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from subwhisper.audio import SAMPLE_RATE, Audio, AudioSource
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.transcriber import Transcriber
from subwhisper.media.decode import open_audio
from subwhisper.training.dataset import HELD_OUT_VARIANTS
from subwhisper.training.metrics import TimeErrors, WordErrors, start_errors, summarize, word_errors
from subwhisper.training.synthesis import Espeak, Voice
from subwhisper.transcript import Word


@dataclass(frozen=True, slots=True)
class Clip:
    """Sound whose words are known."""

    name: str
    audio: AudioSource
    text: str
    """Empty where nobody speaks."""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """How a model did on a set of clips."""

    n_clips: int
    words: WordErrors
    times: TimeErrors | None
    invented: int
    """Words written for clips in which nobody speaks."""

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "word_error_rate": self.words.rate}


def score(transcriber: Transcriber, clips: Iterable[Clip], options: TranscribeOptions) -> Score:
    """Transcribe clips and compare."""
    errors, starts, invented, n_clips = WordErrors(), list[float](), 0, 0
    for clip in clips:
        n_clips += 1
        transcript = transcriber.transcribe(clip.audio, options)
        found = word_errors(clip.text, transcript.text)
        if clip.text:
            errors += found
            starts += start_errors(clip.words, transcript.words())
        else:
            invented += found.insertions
    return Score(n_clips, errors, summarize(starts), invented)


def held_out_clips(sentences: Sequence[str], *, n_clips: int, per_clip: int = 5) -> Iterator[Clip]:
    """Held-out sentences in held-out voices, some in a row with pauses between; the same ones at every call."""
    espeak, random = Espeak(), np.random.default_rng(3)
    for index in range(n_clips):
        variant = HELD_OUT_VARIANTS[index % len(HELD_OUT_VARIANTS)]
        voice = Voice(f"en-us+{variant}", rate=int(random.integers(145, 185)))
        pieces: list[np.ndarray] = []
        words: list[Word] = []
        chosen = [sentences[(index * per_clip + i) % len(sentences)] for i in range(per_clip)]
        clock = 0.0
        for sentence in chosen:
            gap = np.zeros(int(random.uniform(0.1, 1.0) * SAMPLE_RATE), np.float32)
            spoken = espeak.speak(sentence, voice)
            clock += len(gap) / SAMPLE_RATE
            words += [word.shifted(clock) for word in spoken.words]
            clock += spoken.duration
            pieces += [gap, spoken.samples]
        yield Clip(f"{variant} {index}", Audio(np.concatenate(pieces)), " ".join(chosen), tuple(words))


def sample_clips(manifest: Path, kind: str) -> Iterator[Clip]:
    """English recordings of one kind (`speech`, `nonspeech`) that a samples manifest lists."""
    for entry in json.loads(manifest.read_text(encoding="utf-8"))["clips"]:
        is_english = str(entry.get("language") or "").startswith("en")
        if entry["kind"] != kind or (kind == "speech" and not is_english):
            continue
        words = tuple(Word(f" {w['word']}", w["start"], w["end"]) for w in entry.get("words") or ())
        yield Clip(entry["path"], open_audio(manifest.parent / entry["path"]), entry.get("transcript") or "", words)
