"""The engine's face: a loaded model that turns sound into a transcript."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import torch

from subwhisper.audio import AudioSource
from subwhisper.engine.device import set_threads
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.recording import OnProgress, Recording
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.window_store import WindowStore
from subwhisper.model import store
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.transcript import Segment, Transcript


class Transcriber:
    """A model in memory. Safe to use for one recording at a time; options are given per recording."""

    def __init__(
        self, checkpoint: Checkpoint, *, device: str = "auto", compute: str = "auto", threads: int | None = None
    ) -> None:
        """Build the network.

        Args:
            checkpoint: from `read_checkpoint`.
            device: `auto` (CUDA if present, else CPU), `cpu`, `cuda`, `cuda:1` …
            compute: `auto` (float32 on a CPU, float16 on CUDA), `float32`, `bfloat16`, `float16`, `int8`.
            threads: of the processor, for the whole process; `None` leaves torch's choice.

        Raises:
            OptionError: no such device or precision.
            ModelError: the checkpoint's tensors do not fit its dimensions.
        """
        set_threads(threads)
        self.model = SpeechModel.build(checkpoint, device=device, compute=compute)

    @property
    def can_translate(self) -> bool:
        """Whether the model was trained to put other languages into English."""
        return self.model.can_translate

    def transcribe(
        self,
        audio: AudioSource,
        options: TranscribeOptions | None = None,
        *,
        windows: WindowStore | None = None,
        on_progress: OnProgress | None = None,
        on_segment: Callable[[Segment], None] | None = None,
    ) -> Transcript:
        """Turn a recording into a transcript.

        Args:
            audio: read twice, block by block: once for its loudest moment, once for its windows.
            options: how; openai-whisper's defaults when not given.
            windows: has those read before, which are not read again, and keeps those read now.
            on_progress: called after every window.
            on_segment: gets each segment as soon as it is recognised.

        Raises:
            OptionError: an option that this model cannot serve.
            ModelError: translation with a model that cannot.
        """
        recording = Recording(self.model, audio, options or TranscribeOptions(), windows)
        segments = []
        for segment in recording.segments(on_progress):
            segments.append(segment)
            if on_segment is not None:
                on_segment(segment)
        return Transcript(
            tuple(segments),
            language="en" if recording.options.task == "translate" else recording.language,
            duration=recording.survey.duration,
            provenance=self.provenance(recording.options),
        )

    def segments(
        self,
        audio: AudioSource,
        options: TranscribeOptions | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Segment]:
        """Yield the segments of `transcribe` as they are found, window after window."""
        yield from Recording(self.model, audio, options or TranscribeOptions()).segments(on_progress)

    def provenance(self, options: TranscribeOptions) -> dict[str, Any]:
        """What a result depends on, as plain JSON values."""
        return {
            "model": self.model.name,
            "model_sha256": self.model.fingerprint,
            "device": str(self.model.placement.device),
            "compute": self.model.placement.compute,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "options": asdict(options),
        }


def load_model(
    name: str = "turbo",
    *,
    device: str = "auto",
    compute: str = "auto",
    threads: int | None = None,
    offline: bool = False,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Transcriber:
    """Find a model, download it if need be, and load it.

    Args:
        name: of the catalog, `bundled`, or the path of a file or folder.
        device: see `Transcriber`.
        compute: see `Transcriber`.
        threads: see `Transcriber`.
        offline: never download.
        on_progress: called with bytes downloaded and bytes in all.

    Raises:
        ModelError: unknown, damaged, or not to be had.
    """
    path = store.locate(name, offline=offline, on_progress=on_progress)
    return Transcriber(read_checkpoint(path), device=device, compute=compute, threads=threads)
