"""What a batch would take: time, memory, disk and downloads, from a short measurement and without writing a thing.

What `bench` found out is believed. Without that, the beginnings of a few recordings from all over the list are
transcribed with the model and options of the job, each twice as long as the one before, for some ten seconds; where no
model is on this machine, nothing is measured and no time is promised.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from subwhisper.audio import SAMPLE_RATE, Opening
from subwhisper.engine.device import place, set_threads
from subwhisper.errors import ModelError, OptionError, SubwhisperError
from subwhisper.media.decode import open_audio
from subwhisper.pipeline import unheard
from subwhisper.pipeline.figures import find, peak_memory
from subwhisper.pipeline.meter import LengthGuess, kind_of, survey
from subwhisper.pipeline.models import load_from, locate, to_fetch
from subwhisper.pipeline.plan import BatchPlan, Planned
from subwhisper.pipeline.probe import duration_of
from subwhisper.pipeline.transcribe import TranscribeJob, audio_track_of

_FIRST_SECONDS = 30.0
"""Of sound, of the first recording that is tried."""
_MEASURING = 10.0
"""Seconds of work after which no other recording is tried."""
_MOST_TRIES = 8
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
    """What the beginnings were transcribed of."""
    sound: float
    """Seconds of sound transcribed."""
    took: float
    """Seconds that took, the loading of the model left out."""
    loading: float
    """Seconds until a worker can begin."""
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
    """Bytes: of the graphics card where one is used, else of driver and workers."""
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
    importing, driver = time.process_time(), peak_memory()  # as a driver, and every worker, before it begins
    guess = LengthGuess()
    survey(plan.todo, guess, duration_of, _SURVEY)
    sound = _sound(plan.todo, guess)
    missing = to_fetch(job.model, job.options)
    measured = (_known(job) or _measured(plan.todo, job)) if missing is None else None
    seconds = None
    if measured and sound is not None:
        at_once = max(1, min(n_workers, len(plan.todo)))
        seconds = 2 * importing + measured.loading + sound * measured.pace / at_once
    return Estimate(
        n_files=len(plan.todo),
        n_skipped=len(plan.skipped),
        n_refused=len(plan.refused),
        sound=sound,
        seconds=seconds,
        memory=measured.memory * n_workers + (0 if _is_on_card(job) else driver) if measured else None,
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


def _known(job: TranscribeJob) -> Measurement | None:
    """What `bench` found out about the model, under the same circumstances."""
    set_threads(job.model.threads)
    model = locate(job.model, job.options, several=True, on_progress=unheard)
    figures = find(model, place(job.model.device, job.model.compute), job.options)
    if figures is None:
        return None
    sample = f"{figures.sample} (subwhisper bench, {figures.when})"
    return Measurement(sample, figures.sound, figures.took, figures.loading, figures.memory)


def _measured(todo: Sequence[Planned], job: TranscribeJob) -> Measurement | None:
    """Transcribe for a while; `None` if nothing can be read."""
    started = time.monotonic()
    engine = load_from(locate(job.model, job.options, several=True, on_progress=unheard), job.model)
    loading = time.monotonic() - started
    tried: list[tuple[float, float]] = []
    names: list[str] = []
    length, ends = _FIRST_SECONDS, time.monotonic() + _MEASURING
    for path in _spread([one.source.path for one in todo if one.source.path]):
        try:
            audio = Opening(
                open_audio(path, track=audio_track_of(job.audio_track), sound=job.sound), round(length * SAMPLE_RATE)
            )
            started = time.monotonic()
            transcript = engine.transcribe(audio, job.options)
        except (ModelError, OptionError):
            raise
        except SubwhisperError:
            continue
        tried.append((transcript.duration or 0.0, time.monotonic() - started))
        names.append(path.name)
        length *= 2
        if time.monotonic() > ends:
            break
    counted = [(sound, took) for sound, took in tried[1:] or tried if sound]
    if not counted:
        return None
    return Measurement(", ".join(names), sum(s for s, _ in counted), sum(t for _, t in counted), loading, peak_memory())


def _spread(paths: Sequence[Path]) -> list[Path]:
    """A few, from all over the list, the middle first."""
    step = max(1, len(paths) // _MOST_TRIES)
    some = list(paths[step // 2 :: step][:_MOST_TRIES])
    return some[len(some) // 2 :] + some[: len(some) // 2]


def _is_on_card(job: TranscribeJob) -> bool:
    """Whether the model runs on a graphics card, whose memory is another."""
    return place(job.model.device, job.model.compute).device.type == "cuda"
