"""The engine's face: a loaded model that turns sound into a transcript.

The ladder, each rung adding one concern: `transcribe` (a whole recording) → `segments` (window after
window) → `_Recording.read` (one window) → `decode_with_fallback` → `WindowDecoder.decode`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from subwhisper.audio import AudioSource
from subwhisper.engine.alignment import Aligner
from subwhisper.engine.context import TextContext
from subwhisper.engine.decoding.loop import Decoded, WindowDecoder
from subwhisper.engine.device import place, set_threads
from subwhisper.engine.fallback import decode_with_fallback, is_silence
from subwhisper.engine.features import FRAMES_PER_SECOND, MelReader, survey
from subwhisper.engine.hallucination import Kept, skip_silence
from subwhisper.engine.language import detect_language
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.engine.windows import Place, Window, advanced, clips_in_frames, next_window, split_tokens
from subwhisper.errors import ModelError, OptionError
from subwhisper.languages import LANGUAGES, language_code
from subwhisper.model import catalog, store
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.quantization import quantize
from subwhisper.model.whisper import Whisper, sinusoids
from subwhisper.transcript import Quality, Segment, Transcript

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording has been read, in seconds."""

    position: float
    duration: float | None


OnProgress = Callable[[Progress], None]


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
        self.placement = place(device, compute)
        self.name = checkpoint.name
        self.fingerprint = checkpoint.fingerprint
        self.tokenizer = Tokenizer(
            checkpoint.vocabulary,
            is_multilingual=checkpoint.is_multilingual,
            reads_prompts=checkpoint.reads_prompts,
        )
        self.alignment_heads = checkpoint.alignment_heads
        self.suppress_tokens = checkpoint.suppress_tokens
        self.model = _network(checkpoint)
        if self.placement.compute == "int8":
            self.model.float()
            quantize(self.model)
        self.model.to(self.placement.device, self.placement.dtype)

    @property
    def can_translate(self) -> bool:
        """Whether the model was trained to put other languages into English."""
        entry = catalog.known(self.name)
        return self.tokenizer.can_translate and (entry is None or entry.can_translate)

    def transcribe(
        self,
        audio: AudioSource,
        options: TranscribeOptions | None = None,
        *,
        on_progress: OnProgress | None = None,
        on_segment: Callable[[Segment], None] | None = None,
    ) -> Transcript:
        """Turn a recording into a transcript.

        Args:
            audio: read twice, block by block: once for its loudest moment, once for its windows.
            options: how; openai-whisper's defaults when not given.
            on_progress: called after every window.
            on_segment: gets each segment as soon as it is recognised.

        Raises:
            OptionError: an option that this model cannot serve.
            ModelError: translation with a model that cannot.
        """
        recording = _Recording(self, audio, options or TranscribeOptions())
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
        yield from _Recording(self, audio, options or TranscribeOptions()).segments(on_progress)

    def provenance(self, options: TranscribeOptions) -> dict[str, Any]:
        """What a result depends on, as plain JSON values."""
        return {
            "model": self.name,
            "model_sha256": self.fingerprint,
            "device": str(self.placement.device),
            "compute": self.placement.compute,
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


def _network(checkpoint: Checkpoint) -> Whisper:
    """The network with its weights still where the checkpoint has them: nothing is copied yet."""
    tensors = dict(checkpoint.tensors)
    dims = checkpoint.dims
    positions = "encoder.positional_embedding"  # a formula; some checkpoints leave it out
    tensors.setdefault(positions, sinusoids(dims.n_audio_ctx, dims.n_audio_state))
    with torch.device("meta"):
        model = Whisper(dims)
    try:
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise ModelError(f"the weights of {checkpoint.name} do not fit a Whisper network: {error}") from error
    return model.eval().requires_grad_(False)


class _Recording:
    """One recording on its way through the model: what holds for all of its windows."""

    def __init__(self, owner: Transcriber, audio: AudioSource, options: TranscribeOptions) -> None:
        self.options = options
        self._owner, self._model, self._tokenizer = owner, owner.model, owner.tokenizer
        self._check(options)
        self.survey = survey(audio, self._model.dims.n_mels)
        self._mel = MelReader(audio, self._model.dims.n_mels, self.survey)
        self.language = self._language()
        start = self._tokenizer.start_sequence(self.language, options.task)
        self._decoder = WindowDecoder(
            self._model, self._tokenizer, options.decode, start, model_suppressed=owner.suppress_tokens
        )
        self._aligner = Aligner(
            self._model,
            self._tokenizer,
            owner.alignment_heads,
            start,
            self.language,
            options.prepend_punctuations,
            options.append_punctuations,
        )
        self._context = TextContext(
            self._tokenizer.encode_prompt(options.initial_prompt),
            room=max(1, self._model.dims.n_text_ctx // 2 - 1),
            carry=options.carry_initial_prompt,
            condition=options.condition_on_previous_text,
            hotwords=self._tokenizer.encode_prompt(options.hotwords),
            reset_above=options.prompt_reset_on_temperature,
        )
        self._last_speech = 0.0

    def _check(self, options: TranscribeOptions) -> None:
        if options.task == "translate" and not self._owner.can_translate:
            able = ", ".join(name for name, entry in catalog.CATALOG.items() if entry.can_translate)
            raise ModelError(f"the model {self._owner.name} cannot translate", hint=f"models that can: {able}")
        prompts = {"--initial-prompt": options.initial_prompt, "--hotwords": options.hotwords}
        given = [name for name, text in prompts.items() if text]
        if given and self._tokenizer.sot_prev is None:
            raise OptionError(f"the model {self._owner.name} reads no prompts", hint=f"leave {given[0]} out")
        if options.language and not self._tokenizer.is_multilingual and language_code(options.language) != "en":
            raise OptionError(
                f"the model {self._owner.name} knows English only, not {LANGUAGES[language_code(options.language)]}",
                hint="use a multilingual model, such as base or small",
            )

    def _language(self) -> str:
        """As stated, or as heard in the first window."""
        if self.options.language is not None:
            return language_code(self.options.language)
        if not self._tokenizer.is_multilingual:
            return "en"
        mel = self._mel.window(0, self._model.dims.n_frames)
        ranked = detect_language(self._model, self._tokenizer, self._encode(mel))[0]
        language, probability = next(iter(ranked.items()))
        _log.info("detected %s (probability %.2f)", LANGUAGES[language], probability)
        return language

    def segments(self, on_progress: OnProgress | None) -> Iterator[Segment]:
        """Read window after window, each from where the last one ended."""
        clips = clips_in_frames(self.options.clip_timestamps, self.survey.n_frames)
        upcoming = next_window(Place(), clips, self._model.dims.n_frames)
        while upcoming is not None:
            at, window = upcoming
            with torch.inference_mode():
                kept = self._read(window)
            yield from kept.segments
            if on_progress is not None:
                reached = min(kept.next_frame, self.survey.n_frames) / FRAMES_PER_SECOND
                on_progress(Progress(reached, self.survey.duration))
            upcoming = next_window(advanced(at, kept.next_frame, window), clips, self._model.dims.n_frames)

    def _read(self, window: Window) -> Kept:
        """Recognise one window: its segments, and where the next one starts."""
        missing = self._model.dims.n_frames - window.n_frames
        # what lies beyond a clip is zero, not silence: so the model was trained
        mel = torch.nn.functional.pad(self._mel.window(window.first, window.n_frames), (0, missing))
        features = self._encode(mel)
        prompt = self._context.prompt()
        decoded = decode_with_fallback(lambda t: self._decode(features, t, prompt, window), self.options.fallback)
        if is_silence(decoded, self.options.fallback):
            return Kept((), window.end_frame)
        split = split_tokens(decoded.tokens, window, self._tokenizer.timestamp_begin)
        segments = tuple(self._segment(p.start, p.end, p.tokens, window, decoded) for p in split.pieces)
        kept = Kept(segments, split.next_frame)
        if self.options.word_timestamps:
            kept = self._with_words(kept, features, window, is_complete=split.is_complete)
            if kept.is_abandoned:
                return kept
        kept = replace(kept, segments=tuple(_cleared(segment) for segment in kept.segments))
        self._context.add((t for segment in kept.segments for t in segment.tokens), decoded.temperature)
        return kept

    def _encode(self, mel: Tensor) -> Tensor:
        """(M, F) -> (1, A, D)."""
        with torch.inference_mode():
            return self._model.encode(mel[None].to(self._owner.placement.device))

    def _decode(self, features: Tensor, temperature: float, prompt: Sequence[int], window: Window) -> Decoded:
        seed = window.first * 1000 + round(temperature * 100)  # one per window and temperature, the same every time
        return self._decoder.decode(features, temperature=temperature, prompt=prompt, seeds=[seed])[0]

    def _segment(self, start: float, end: float, tokens: tuple[int, ...], window: Window, decoded: Decoded) -> Segment:
        return Segment(
            start=start,
            end=end,
            text=self._tokenizer.decode(token for token in tokens if token < self._tokenizer.eot),
            tokens=tokens,
            seek=window.first,
            language="en" if self.options.task == "translate" else self.language,
            quality=Quality(
                avg_logprob=decoded.avg_logprob,
                compression_ratio=decoded.compression_ratio,
                no_speech_prob=decoded.no_speech_prob,
                temperature=decoded.temperature,
            ),
        )

    def _with_words(self, kept: Kept, features: Tensor, window: Window, *, is_complete: bool) -> Kept:
        """Add word times, and let the next window start where the last word ends."""
        segments = self._aligner.add_words(kept.segments, features, window, self._last_speech)
        kept = replace(kept, segments=segments)
        full_end = (window.first + self._model.dims.n_frames) / FRAMES_PER_SECOND
        threshold = self.options.hallucination_silence_threshold
        end = _end_of(segments)
        if not is_complete and end is not None and end > window.start:
            is_rest_silent = threshold is None or full_end - end > threshold
            kept = replace(kept, next_frame=round(end * FRAMES_PER_SECOND) if is_rest_silent else window.end_frame)
        if threshold is not None:
            kept = skip_silence(
                kept,
                window,
                window_end=full_end,
                n_frames=self.survey.n_frames,
                last_speech=self._last_speech,
                threshold=threshold,
            )
        end = _end_of(kept.segments)
        if end is not None and not kept.is_abandoned:
            self._last_speech = end
        return kept


def _end_of(segments: Sequence[Segment]) -> float | None:
    """Seconds at which the last word ends, or the last segment if there are no words."""
    ends = (word.end for segment in reversed(segments) for word in reversed(segment.words))
    return next(ends, segments[-1].end if segments else None)


def _cleared(segment: Segment) -> Segment:
    """A segment without length or text says nothing; it stays, so that numbering is openai-whisper's."""
    if segment.start == segment.end or not segment.text.strip():
        return replace(segment, text="", tokens=(), words=())
    return segment
