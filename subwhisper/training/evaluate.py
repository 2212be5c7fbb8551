"""Scores of a model: words, letters, and the times of words, on speech it was not trained on."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from subwhisper.audio import SAMPLE_RATE, Audio, AudioSource
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.transcriber import Transcriber
from subwhisper.media.decode import open_audio
from subwhisper.training.dataset import HELD_OUT_VARIANTS
from subwhisper.training.material import Pair
from subwhisper.training.metrics import (
    TimeErrors,
    WordErrors,
    character_errors,
    normalized,
    start_errors,
    summarize,
    word_errors,
)
from subwhisper.training.synthesis import Espeak, Voice
from subwhisper.transcript import Transcript, Word

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clip:
    """Sound whose words are known."""

    name: str
    audio: AudioSource
    text: str
    """Empty where nobody speaks."""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class ClipScore:
    """How a model did on one clip."""

    name: str
    duration: float
    """Seconds of sound."""
    seconds: float
    """Spent on it."""
    words: WordErrors
    characters: WordErrors
    starts: tuple[float, ...]
    """Found minus true start of each recognised word whose time is known, in seconds."""
    is_spoken: bool
    heard: str
    """What the model wrote."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "duration": round(self.duration, 3),
            "seconds": round(self.seconds, 3),
            "word_error_rate": self.words.rate,
            "character_error_rate": self.characters.rate,
            "words": asdict(self.words),
            "heard": self.heard,
        }


@dataclass(frozen=True, slots=True)
class Score:
    """How a model did on a set of clips."""

    clips: tuple[ClipScore, ...]

    @property
    def words(self) -> WordErrors:
        """Of the clips in which somebody speaks."""
        return sum((clip.words for clip in self.clips if clip.is_spoken), WordErrors())

    @property
    def characters(self) -> WordErrors:
        """Of the clips in which somebody speaks."""
        return sum((clip.characters for clip in self.clips if clip.is_spoken), WordErrors())

    @property
    def times(self) -> TimeErrors | None:
        """Of the starts of all words whose time is known."""
        return summarize([error for clip in self.clips for error in clip.starts])

    @property
    def invented(self) -> int:
        """Words written for clips in which nobody speaks."""
        return sum(clip.words.insertions for clip in self.clips if not clip.is_spoken)

    @property
    def speed(self) -> float:
        """Seconds of sound for each second of work."""
        return sum(clip.duration for clip in self.clips) / max(sum(clip.seconds for clip in self.clips), 1e-9)

    def to_dict(self) -> dict[str, Any]:
        """Totals as plain JSON values."""
        return {
            "n_clips": len(self.clips),
            "word_error_rate": self.words.rate,
            "character_error_rate": self.characters.rate,
            "words": asdict(self.words),
            "times": asdict(self.times) if self.times else None,
            "invented": self.invented,
            "times_real_time": round(self.speed, 2),
        }


def score(
    transcriber: Transcriber,
    clips: Iterable[Clip],
    options: TranscribeOptions,
    *,
    on_clip: Callable[[ClipScore], None] = lambda clip: None,
) -> Score:
    """Transcribe clips and compare."""
    scores = []
    for clip in clips:
        scores.append(score_clip(transcriber, clip, options))
        on_clip(scores[-1])
    return Score(tuple(scores))


def score_clip(transcriber: Transcriber, clip: Clip, options: TranscribeOptions) -> ClipScore:
    """Transcribe one clip and compare."""
    started = time.monotonic()
    transcript = transcriber.transcribe(clip.audio, options)
    return _compared(clip, transcript, time.monotonic() - started)


def score_pair(transcriber: Transcriber, pair: Pair, options: TranscribeOptions) -> ClipScore:
    """Transcribe a recording of a user's and compare; cues that do not count are told.

    Raises:
        MediaError: it cannot be read.
    """
    audio = open_audio(pair.media)
    started = time.monotonic()
    transcript = transcriber.transcribe(audio, options)
    seconds = time.monotonic() - started
    clip = Clip(pair.media.name, audio, _text_within(pair, transcript.duration or 0.0), pair.words)
    return _compared(clip, transcript, seconds)


def _text_within(pair: Pair, seconds: float) -> str:
    """What is said before the end of a recording."""
    if pair.sung:
        _log.warning("%s: cues that are sung do not count (%d)", pair.media, len(pair.sung))
    if pair.sentences is None:
        return pair.text
    within = [sentence.text for sentence in pair.sentences if sentence.start < seconds]
    if beyond := len(pair.sentences) - len(within):
        _log.warning("%s: cues that begin after its end do not count (%d)", pair.media, beyond)
    return " ".join(within)


def _compared(clip: Clip, transcript: Transcript, seconds: float) -> ClipScore:
    return ClipScore(
        name=clip.name,
        duration=transcript.duration or 0.0,
        seconds=seconds,
        words=word_errors(clip.text, transcript.text, transcript.language),
        characters=character_errors(clip.text, transcript.text, transcript.language),
        starts=tuple(start_errors(clip.words, transcript.words())),
        is_spoken=bool(normalized(clip.text, transcript.language)),
        heard=transcript.text.strip(),
    )


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
