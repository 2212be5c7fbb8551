"""What this machine can do with each model: speed, loading, memory.

Every model is measured in a process of its own, so that its memory is its own. The whole way is measured, as
`transcribe` goes it: mel, encoder, search, word times, several windows at once.

The sound is a recording that was given, heard as it is; or a noise like talk, for which the model must write as
many tokens as people speak, since a text that ends at once costs next to nothing. Nobody's speech is told from the
rest in it, which takes about a hundredth of the time.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

from subwhisper.audio import SAMPLE_RATE, AudioSource, Opening, Samples
from subwhisper.engine.device import place, set_threads
from subwhisper.engine.features import FRAMES_PER_SECOND
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions, VadOptions
from subwhisper.engine.processor import processor
from subwhisper.engine.room import windows_at_once
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import SubwhisperError, ToolError
from subwhisper.media.decode import open_audio
from subwhisper.model import store
from subwhisper.model.catalog import BUNDLED
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.pipeline import OnProgress
from subwhisper.pipeline.figures import Figures, keep, peak_memory

TOKENS_A_SECOND = 100 / 30
"""Of a quick talk: about 150 words a minute."""
_MOST_BATCHES = 8

_MEASURE = """
from subwhisper.pipeline.quickstart import quick_imports
with quick_imports():
    from subwhisper.pipeline.bench import main
main()
"""


@dataclass(frozen=True, kw_only=True)
class BenchJob:
    """What to measure."""

    models: tuple[str, ...] = ()
    """Names or paths; empty: the bundled model and every one that was downloaded."""
    computes: tuple[str, ...] = ("auto",)
    audio: Path | None = None
    """A recording to listen to; `None`: a noise, and as many tokens as people speak."""
    language: str | None = None
    device: str = "auto"
    threads: int | None = None
    beam_size: int = DecodeOptions.beam_size
    batch_size: int | None = TranscribeOptions.batch_size
    seconds: float = 20.0
    """About as long as one model in one precision may take."""

    @property
    def options(self) -> TranscribeOptions:
        """Those of the command line, as far as they cost time."""
        return TranscribeOptions(
            language=self.language,
            word_timestamps=True,
            batch_size=self.batch_size,
            decode=DecodeOptions(beam_size=self.beam_size),
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of one model in one precision."""

    model: str
    compute: str
    device: str
    figures: Figures | None = None
    error: SubwhisperError | None = None

    def to_dict(self) -> dict[str, Any]:
        """A row of the machine-readable report."""
        row: dict[str, Any] = {"model": self.model, "compute": self.compute, "device": self.device}
        row |= {"speed": None, "loading": None, "memory": None} if self.figures is None else self.figures.to_dict()
        return row | {"error": self.error.to_dict() if self.error else None}


def measure_models(job: BenchJob, on_progress: OnProgress) -> Iterator[Measured]:
    """Measure one model after another, in every precision asked for; what fails does not stop the rest.

    Raises:
        OptionError: no such device or precision.
        MediaError: the recording cannot be read.
    """
    set_threads(job.threads)
    placements = tuple(dict.fromkeys(place(job.device, compute) for compute in job.computes))
    if job.audio:
        open_audio(job.audio)  # what cannot be heard is told before anything else
    names = job.models or (BUNDLED, *(model.name for model in store.installed()))
    done, total = 0, len(names) * len(placements)
    for name in names:
        for placement in placements:
            on_progress(f"measuring {name} in {placement.compute}", done, total)
            device, done = str(placement.device), done + 1
            try:
                path = store.locate(name, offline=True)
                figures = _in_its_own_process(job, path, placement.compute)
                keep(figures, path, placement, job.options)
                yield Measured(name, placement.compute, device, figures)
            except SubwhisperError as error:
                yield Measured(name, placement.compute, device, error=error)


def _in_its_own_process(job: BenchJob, path: Path, compute: str) -> Figures:
    order = asdict(job) | {"models": [str(path)], "computes": [compute], "audio": job.audio and str(job.audio)}
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURE], input=json.dumps(order), stdout=subprocess.PIPE, text=True, check=False
    )
    if ran.returncode < 0:
        raise ToolError(f"measuring {path} was ended by signal {-ran.returncode}", hint="memory may have run out")
    answer = json.loads(ran.stdout.splitlines()[-1]) if ran.returncode == 0 else {}
    if "figures" in answer:
        return Figures(**answer["figures"])
    raise ToolError(answer.get("message", f"measuring {path} ended with {ran.returncode}"), hint=answer.get("hint"))


def main() -> None:
    """Measure one model in this process: the job comes on standard input, the figures go to standard output."""
    order = json.load(sys.stdin)
    audio = Path(order["audio"]) if order["audio"] else None
    job = BenchJob(**order | {"models": tuple(order["models"]), "computes": tuple(order["computes"]), "audio": audio})
    try:
        answer: dict[str, Any] = {"figures": asdict(measure(job))}
    except SubwhisperError as error:
        answer = {"message": error.message, "hint": error.hint}
    print(json.dumps(answer), flush=True)


def measure(job: BenchJob) -> Figures:
    """Measure the first model in the first precision, in this process, whose memory counts as the model's.

    Raises:
        ModelError: it is damaged.
        MediaError: the recording cannot be read.
    """
    started = time.perf_counter()
    checkpoint = read_checkpoint(Path(job.models[0]))
    engine = Transcriber(checkpoint, device=job.device, compute=job.computes[0], threads=job.threads)
    loading = time.perf_counter() - started
    window = engine.model.window_frames / FRAMES_PER_SECOND
    options = job.options if job.audio else _as_talk(job.options, engine.model)
    source: AudioSource = open_audio(job.audio) if job.audio else Noise()
    whole = _heard(engine, source, options, window)
    left = job.seconds - (time.perf_counter() - started)
    at_once = windows_at_once(engine.model, options)
    n_windows = max(1, min(round(left / whole.took), at_once * _MOST_BATCHES))
    if n_windows > 1:  # else the first, which was slowed down by being the first, must do
        whole = _heard(engine, source, options, window * _whole_batches(n_windows, at_once))
    if job.audio is None:  # noise is cut where it is quietest, so windows are not quite full; talk would fill them
        whole = replace(whole, sound=whole.n_windows * window)
    sample = job.audio.name if job.audio else f"a noise like talk, {TOKENS_A_SECOND:.1f} tokens a second"
    return replace(whole, sample=sample, loading=loading, memory=peak_memory(), when=date.today().isoformat())


def _whole_batches(n_windows: int, batch_size: int) -> int:
    return n_windows if n_windows < batch_size else n_windows // batch_size * batch_size


def _heard(engine: Transcriber, source: AudioSource, options: TranscribeOptions, seconds: float) -> Figures:
    """Transcribe the beginning of a source."""
    started = time.perf_counter()
    transcript = engine.transcribe(Opening(source, round(seconds * SAMPLE_RATE)), options)
    took = time.perf_counter() - started
    windows = {segment.seek for segment in transcript.segments}
    words = sum(1 for _ in transcript.words())
    return Figures("", min(seconds, transcript.duration or seconds), took, 0.0, 0, len(windows), words, "")


def _as_talk(options: TranscribeOptions, model: SpeechModel) -> TranscribeOptions:
    """Let every window be read once and become as many tokens as people speak in it."""
    n_tokens = round(TOKENS_A_SECOND * model.window_frames / FRAMES_PER_SECOND)
    return replace(
        options,
        language="en",
        vad=VadOptions(detector="none"),
        decode=replace(
            options.decode,
            sample_len=max(1, min(n_tokens, model.network.dims.n_text_ctx // 2)),
            suppress_tokens=(*options.decode.suppress_tokens, model.tokenizer.eot),
        ),
        fallback=FallbackOptions(
            temperatures=(0.0,), compression_ratio_threshold=None, logprob_threshold=None, no_speech_threshold=None
        ),
    )


class Noise:
    """Endless noise that swells and fades four times a second, as syllables do; the same every time."""

    def blocks(self) -> Iterator[Samples]:
        random = np.random.default_rng(7)
        times = np.arange(SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE
        loudness = (0.055 + 0.045 * np.sin(times * np.float32(8 * np.pi))).astype(np.float32)
        while True:
            yield random.standard_normal(SAMPLE_RATE, dtype=np.float32) * loudness


def machine() -> dict[str, Any]:
    """What the figures are of."""
    device = place().device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor().partition(",")[0]
    return {"processor": name, "threads": torch.get_num_threads(), "torch": torch.__version__}
