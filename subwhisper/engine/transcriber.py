"""The engine's face: a loaded model that turns sound into a transcript."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from subwhisper.audio import AudioSource, Opening, Samples
from subwhisper.engine.abilities import check
from subwhisper.engine.coverage import second_opinion
from subwhisper.engine.device import set_threads
from subwhisper.engine.features import FRAMES_PER_SECOND, HOP, MelReader, survey
from subwhisper.engine.language import HeardLanguage, first_openings, hear_language
from subwhisper.engine.memory import MemoryLadder
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.reader import WindowEncoder
from subwhisper.engine.recording import OnProgress, Recording
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.streaming import stretches
from subwhisper.engine.survey import survey_stretch
from subwhisper.engine.window_store import WindowStore
from subwhisper.errors import OptionError
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
            device: `auto` (CUDA if present, else CPU), `cpu`, `cuda`, `cuda:1`, `mps` …
            compute: `auto` (see `engine.device.place`), `float32`, `bfloat16`, `float16`, `int8`.
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
            audio: read block by block: once for its loudest moment, and, if it is long, again for its windows.
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
        whole = Transcript(
            tuple(segments),
            language="en" if recording.tasks == ("translate",) else most_spoken(segments, recording.language),
            duration=recording.survey.duration,
            language_probability=recording.language_probability,
            provenance={
                **self.provenance(recording.options),
                "coverage": recording.coverage.to_dict() if recording.coverage else None,
                "dropped": [asdict(dropped) for dropped in recording.dropped],
                "windows_at_once": recording.windows_at_once,
                "gave_up": recording.sacrifices,
            },
        )
        if len(recording.tasks) == 1:
            return whole
        english = replace(whole, segments=tuple(recording.translation), language="en")
        return replace(whole, translation=english)

    def hear_language(self, audio: AudioSource, options: TranscribeOptions | None = None) -> HeardLanguage:
        """Tell the language of a recording without writing down what is said.

        Args:
            audio: read as far as the windows that are listened to; someone speaks in them, if anyone does.
            options: those of language detection count, and those of speech.

        Raises:
            OptionError: the model knows only English, or not a language that was asked for.
        """
        chosen = options or TranscribeOptions()
        self.require_languages(chosen)
        n_mels, n_frames = self.model.network.dims.n_mels, self.model.window_frames
        firsts = first_openings(audio, chosen.vad, chosen.language_detection_segments, n_frames)
        opening = Opening(audio, (firsts[-1] + n_frames) * HOP)
        surveyed = survey(opening, n_mels, self.model.placement.device)
        encoder = WindowEncoder(self.model, MelReader(opening, n_mels, surveyed))
        ladder = MemoryLadder(self.model, 1)
        return next(ladder.run(lambda asked: [hear_language(encoder, asked[0], chosen)], [firsts]))

    def require_languages(self, options: TranscribeOptions) -> None:
        """Make sure that the model can tell languages apart, those asked for among them.

        Raises:
            OptionError: it cannot.
        """
        check(self.model, replace(options, multilingual=True))

    def segments(
        self,
        audio: AudioSource,
        options: TranscribeOptions | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Segment]:
        """Yield the segments of `transcribe` as they are found, window after window."""
        yield from Recording(self.model, audio, options or TranscribeOptions()).segments(on_progress)

    def stream(self, blocks: Iterable[Samples], options: TranscribeOptions | None = None) -> Iterator[Segment]:
        """Yield segments of sound that is read only once, a microphone's or a file's, as soon as they are final.

        A stretch of speech is final when the pause behind it has lasted `vad.min_silence_duration_ms`, or when it is as
        long as a window; smaller values answer sooner. Stretches are told nothing of each other, and each is as
        loud as its own loudest moment. The language is the first one heard surely, unless it is stated.

        Args:
            blocks: mono float32 samples at 16 kHz, in order, of any length.
            options: how; the plan does not matter.

        Raises:
            OptionError: an option that this model or a stream cannot serve.
            ModelError: translation with a model that cannot.
        """
        chosen = replace(options or TranscribeOptions(), plan="batched")
        check(self.model, chosen)
        if chosen.clip_timestamps or chosen.task == "both":
            what = "clips" if chosen.clip_timestamps else "two texts"
            raise OptionError(f"a stream cannot be read for {what}", hint="use transcribe for a whole recording")
        second, last_speech = second_opinion(chosen.vad.detector), 0.0
        for stretch in stretches(blocks, chosen.vad, self.model.window_frames / FRAMES_PER_SECOND):
            n_mels, device = self.model.network.dims.n_mels, self.model.placement.device
            surveyed = survey_stretch(stretch.audio, n_mels, second, device=device)
            silent_since = last_speech - stretch.start
            recording = Recording(self.model, stretch.audio, chosen, surveyed=surveyed, last_speech=silent_since)
            for segment in recording.segments():
                yield replace(segment.shifted(stretch.start), seek=segment.seek + stretch.first // HOP)
            last_speech = recording.last_speech + stretch.start
            sure = recording.language_probability or 0.0
            if not chosen.multilingual and sure > chosen.language_detection_threshold:
                chosen = replace(chosen, language=recording.language)

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


def most_spoken(segments: Sequence[Segment], otherwise: str) -> str:
    """Code of the language that most seconds of the segments are in; `otherwise` where there are none."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for segment in segments:
        if segment.language and segment.text.strip():
            seconds[segment.language] += segment.end - segment.start
    return max(seconds, key=seconds.__getitem__, default=otherwise)


def load_model(
    name: Path | str = "turbo",
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
    path = store.locate(str(name), offline=offline, on_progress=on_progress)
    return Transcriber(read_checkpoint(path), device=device, compute=compute, threads=threads)
