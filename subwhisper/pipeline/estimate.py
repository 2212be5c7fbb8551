"""What a batch would take: time, memory, disk and downloads, from a short measurement and without writing a thing.

Half a minute of a recording in the middle of the list is transcribed with the model and options of the job; where no
model is on this machine, nothing is measured and no time is promised.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from subwhisper.errors import ModelError, SubwhisperError
from subwhisper.media.decode import open_audio
from subwhisper.pipeline import unheard
from subwhisper.pipeline.meter import LengthGuess, kind_of, survey
from subwhisper.pipeline.models import load_from, locate, to_fetch
from subwhisper.pipeline.plan import BatchPlan, Planned
from subwhisper.pipeline.probe import duration_of
from subwhisper.pipeline.transcribe import TranscribeJob

SAMPLE_SECONDS = 30.0
_SURVEY = 3.0
"""Seconds spent on looking how long recordings are."""
_TEXT_BYTES = 60.0
"""Bytes of captions per second of talk and format, generously."""
_JOURNAL_BYTES = 170.0
"""Bytes the journal keeps per second of talk."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A short try on this machine."""

    sample: str
    sound: float
    """Seconds of sound transcribed."""
    took: float
    """Seconds that took, the loading of the model left out."""
    loading: float
    memory: int
    """Bytes one worker needs."""

    @property
    def pace(self) -> float:
        """Seconds of work per second of sound."""
        return self.took / self.sound


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a batch would take. `None`: cannot be said."""

    n_files: int
    n_skipped: int
    n_refused: int
    sound: float | None
    """Seconds."""
    seconds: float | None
    memory: int | None
    """Bytes, of all workers."""
    disk: int | None
    """Bytes, of captions, journal and captioned videos."""
    download: int
    """Bytes of the model, where it is not here yet."""
    model: str | None
    """What would be downloaded."""
    measurement: Measurement | None

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable report: seconds and bytes."""
        return asdict(self)


def estimate(plan: BatchPlan, job: TranscribeJob, n_workers: int) -> Estimate:
    """Reckon what a batch would take."""
    guess = LengthGuess()
    survey(plan.todo, guess, duration_of, _SURVEY)
    sound = _sound(plan.todo, guess)
    missing = to_fetch(job.model, job.options)
    measured = _measured(plan.todo, job) if missing is None else None
    seconds = None
    if measured and sound is not None:
        at_once = max(1, min(n_workers, len(plan.todo)))
        seconds = measured.loading + sound * measured.pace / at_once
    return Estimate(
        n_files=len(plan.todo),
        n_skipped=len(plan.skipped),
        n_refused=len(plan.refused),
        sound=sound,
        seconds=seconds,
        memory=measured.memory * n_workers if measured else None,
        disk=None if sound is None else _disk(plan.todo, job, sound),
        download=missing.size_bytes if missing else 0,
        model=missing.name if missing else None,
        measurement=measured,
    )


def _sound(todo: Sequence[Planned], guess: LengthGuess) -> float | None:
    n_bytes = Counter[str]()
    for one in todo:
        n_bytes[kind_of(one)] += one.n_bytes
    return guess.total(n_bytes)


def _disk(todo: Sequence[Planned], job: TranscribeJob, sound: float) -> int:
    text = sound * (_TEXT_BYTES * len(job.outputs.formats) + _JOURNAL_BYTES)
    videos = sum(one.n_bytes for one in todo) if job.outputs.burn else 0
    return round(text) + videos


def _measured(todo: Sequence[Planned], job: TranscribeJob) -> Measurement | None:
    """Transcribe the beginning of the first recording from the middle of the list that can be read."""
    started = time.monotonic()
    engine = load_from(locate(job.model, job.options, several=True, on_progress=unheard), job.model)
    loading = time.monotonic() - started
    options = replace(job.options, clip_timestamps=(0.0, SAMPLE_SECONDS))
    files = [(one, one.source.path) for one in todo if one.source.path]
    middle = len(files) // 2
    for one, path in [*files[middle:], *files[:middle]][:5]:
        try:
            audio = open_audio(path)
            started = time.monotonic()
            transcript = engine.transcribe(audio, options)
        except ModelError:
            raise
        except SubwhisperError:
            continue
        took = time.monotonic() - started
        sound = min(SAMPLE_SECONDS, transcript.duration or SAMPLE_SECONDS)
        return Measurement(str(one.source), sound, took, loading, _memory())
    return None


def _memory() -> int:
    """Bytes this process has needed at most: of the graphics card where one is used, else of the machine."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated()
    if Path("/proc/self/status").exists():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return 0
