"""One recording on its way through the model: what holds for all of its windows.

The ladder, each rung adding one concern: `Recording.segments` (plan after plan of windows) →
`WindowReader.read` (several windows) → `decode_with_fallback` → `WindowDecoder.decode`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import torch

from subwhisper.audio import AudioSource, Span
from subwhisper.engine.abilities import check
from subwhisper.engine.batched import LONGEST_STRETCH, BatchedPlan, clips_with_speech, pack
from subwhisper.engine.context import TextContext
from subwhisper.engine.coverage import Audit, Coverage, second_opinion
from subwhisper.engine.decoding.loop import WindowDecoder
from subwhisper.engine.features import FRAMES_PER_SECOND, MelReader
from subwhisper.engine.hallucination import Kept
from subwhisper.engine.invention import Evidence, doubt
from subwhisper.engine.language import WindowLanguages, hear_language
from subwhisper.engine.options import TranscribeOptions, VadOptions
from subwhisper.engine.reader import Languages, WindowEncoder, WindowReader
from subwhisper.engine.settling import Settler
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.survey import Survey, survey_recording
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.window_store import NothingKept, Settled, WindowStore
from subwhisper.engine.windows import (
    Plan,
    SequentialPlan,
    Window,
    clips_in_frames,
)
from subwhisper.languages import LANGUAGES, language_code
from subwhisper.transcript import Dropped, Segment

_log = logging.getLogger(__name__)

_LANGUAGE, _PROBABILITY = "language", "probability"
"""What the language heard is called in a store, and how sure it is."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording has been read, in seconds."""

    position: float
    duration: float | None


OnProgress = Callable[[Progress], None]


class Recording:
    """Reads one recording; built anew for each."""

    def __init__(
        self, model: SpeechModel, audio: AudioSource, options: TranscribeOptions, store: WindowStore | None = None
    ) -> None:
        """Look at the whole recording once: its length, its loudest moment, its language.

        Args:
            model: in memory.
            audio: read twice.
            options: how.
            store: has windows read before, and keeps those read now.

        Raises:
            OptionError: an option that this model cannot serve.
            ModelError: translation with a model that cannot.
        """
        check(model, options)
        self.options = options
        self._store = store or NothingKept()
        self._model, self._tokenizer = model, model.tokenizer
        n_mels = model.network.dims.n_mels
        surveyed = survey_recording(audio, n_mels, *self._vad())
        self.survey, self._speech = surveyed.mel, surveyed.speech
        self._audit = self._make_audit(surveyed)
        behind = round(2 * LONGEST_STRETCH * FRAMES_PER_SECOND) if self._speech else 0
        self._encoder = WindowEncoder(model, MelReader(audio, n_mels, self.survey, behind=behind))
        self.language, self.language_probability = self._language()
        self.translation: list[Segment] = []
        """What has been read so far in English, where both texts are asked for."""
        self.tasks = self._tasks()
        decoder = WindowDecoder(model.network, self._tokenizer, options.decode, model_suppressed=model.suppress_tokens)
        evidence = self._make_evidence()
        self._reader = WindowReader(
            self._encoder, decoder, options.fallback, self.tasks, self._languages(), doubt if evidence else None
        )
        self._settler = Settler(model, options, self.tasks, self.survey.n_frames, evidence)
        self.dropped: list[Dropped] = []
        """What has been recognised so far and was not believed."""
        self._plan = self._make_plan()
        self._contexts = [self._fresh_context(is_alone=not self._plan.reads_on) for _ in self.tasks]
        self._last_speech = 0.0

    @property
    def coverage(self) -> Coverage | None:
        """How much of the speech read so far has words; `None` where nobody looked."""
        return self._audit.coverage if self._audit else None

    def _vad(self) -> tuple[VadOptions | None, float | None, VadOptions | None]:
        """How to look for speech, how many seconds of it a window can hold, and how to check it."""
        vad, is_batched = self.options.vad, self.options.plan == "batched"
        longest = self._model.window_frames / FRAMES_PER_SECOND if is_batched else None
        if vad.detector == "none":
            return vad if is_batched else None, longest, None
        return vad, longest, second_opinion(vad.detector)

    def _clips(self) -> tuple[tuple[int, int], ...]:
        """The parts to read, in frames."""
        return clips_in_frames(self.options.clip_timestamps, self.survey.n_frames)

    def _make_audit(self, surveyed: Survey) -> Audit | None:
        if surveyed.speech is None or surveyed.second is None:
            return None
        frames = [(first, end) for first, end in self._clips() if first < end]
        clips = [Span(first / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND) for first, end in frames]
        return Audit(surveyed.speech, surveyed.second, clips, self._model.window_frames, self._read_again)

    def _make_evidence(self) -> Evidence | None:
        """What speaks against invented text; nothing does where speech is not told from the rest."""
        if self._speech is None or self.options.vad.detector == "none":
            return None
        return Evidence(self._speech, self._tokenizer.encode, self.options.hallucination_silence_threshold)

    def _language(self) -> tuple[str, float | None]:
        """As stated, or as heard and how surely."""
        if self.options.language is not None:
            return language_code(self.options.language), None
        if not self._tokenizer.is_multilingual:
            return "en", None
        if known := self._store.get(_LANGUAGE):
            return known[_LANGUAGE], known[_PROBABILITY]
        heard = hear_language(self._encoder, self._openings(), self.options)
        _log.info("detected %s (probability %.2f)", LANGUAGES[heard.language], heard.probability)
        self._store.put(_LANGUAGE, {_LANGUAGE: heard.language, _PROBABILITY: heard.probability})
        return heard.language, heard.probability

    def _openings(self) -> Sequence[int]:
        """First frames of windows, one behind the other, in which someone speaks."""
        length = self._model.window_frames
        starts = [round(span.start * FRAMES_PER_SECOND) for span in self._speech.spans] if self._speech else []
        firsts: list[int] = []
        for start in starts or range(0, max(1, self.survey.n_frames), length):
            if not firsts or start >= firsts[-1] + length:
                firsts.append(start)
            if len(firsts) == self.options.language_detection_segments:
                break
        return firsts

    def _languages(self) -> Languages:
        """How the language of each window is told."""
        options = self.options
        if not options.multilingual or not self._tokenizer.is_multilingual:
            return lambda features: [self.language] * len(features)
        return WindowLanguages(
            self._model.network,
            self._tokenizer,
            self.language,
            options.candidates,
            options.language_detection_threshold,
        )

    def _tasks(self) -> tuple[str, ...]:
        if self.options.task != "both":
            return (self.options.task,)
        if self.language == "en" and not self.options.multilingual:
            _log.warning("the language is English, so there is nothing to translate")
            return ("transcribe",)
        return ("transcribe", "translate")

    def _fresh_context(self, *, is_alone: bool) -> TextContext:
        """The text before a window; where windows are read alone, only what stands before all of them."""
        options = self.options
        return TextContext(
            self._tokenizer.encode_prompt(options.initial_prompt),
            room=max(1, self._model.network.dims.n_text_ctx // 2 - 1),
            carry=options.carry_initial_prompt or is_alone,
            condition=options.condition_on_previous_text and not is_alone,
            hotwords=self._tokenizer.encode_prompt(options.hotwords),
            reset_above=options.prompt_reset_on_temperature,
        )

    def segments(self, on_progress: OnProgress | None = None) -> Iterator[Segment]:
        """Read the windows of the plan, and yield what is said in them as soon as it is known."""
        with closing(self._encoder.mel):
            while windows := self._plan.upcoming():
                segments: list[Segment] = []
                for window, kept in self._settled(windows):
                    segments += kept.segments
                    reached = min(kept.next_frame, self.survey.n_frames) / FRAMES_PER_SECOND
                    if on_progress is not None:
                        on_progress(Progress(reached, self.survey.duration))
                    self._plan.settled(window, kept.next_frame)
                yield from self._audit.checked(segments, reached) if self._audit else segments
            if self._audit:
                yield from self._audit.checked((), self.survey.duration)

    def _read_again(self, windows: Sequence[Window], speech: SpeechMap) -> list[tuple[Segment, ...]]:
        """Read windows over a hole, without the text before and without sampling."""
        once = replace(self.options.fallback, temperatures=self.options.fallback.temperatures[:1])
        reader = replace(self._reader, fallback=once)
        prompts = [self._fresh_context(is_alone=True).prompt() for _ in self.tasks]
        evidence = self._settler.evidence
        settler = replace(self._settler, evidence=evidence and replace(evidence, speech=speech))
        with torch.inference_mode():
            readings = reader.read(windows, prompts)
            settled = [settler.settle(reading, reading.window.start, is_alone=True) for reading in readings]
        return [one.kept.segments for one in settled]

    def _settled(self, windows: Sequence[Window]) -> Iterator[tuple[Window, Kept]]:
        """Take each window from the store, or read it and put it there."""
        stored = {window: self._store.get(_key(window)) for window in windows}
        missing = [window for window in windows if stored[window] is None]
        prompts = [context.prompt() for context in self._contexts]
        readings = iter(self._reader.read(missing, prompts) if missing else ())
        for window in windows:
            document = stored[window]
            if document is not None:
                settled = Settled.from_dict(document)
            else:
                with torch.inference_mode():
                    is_alone = not self._plan.reads_on
                    settled = self._settler.settle(next(readings), self._last_speech, is_alone=is_alone)
                self._store.put(_key(window), settled.to_dict())
            self._remember(settled)
            yield window, settled.kept

    def _remember(self, settled: Settled) -> None:
        """Build upon a window in those after it."""
        texts = (settled.kept.segments, settled.temperature), (settled.translation, settled.translation_temperature)
        for context, (segments, temperature) in zip(self._contexts, texts, strict=False):
            if temperature is not None:
                context.add((token for segment in segments for token in segment.tokens), temperature)
        self.translation += settled.translation
        self.dropped += settled.kept.dropped
        self._last_speech = settled.last_speech

    def _make_plan(self) -> Plan:
        clips = self._clips()
        if self._speech is None:
            return SequentialPlan(clips, self._model.window_frames)
        if self.options.plan == "batched":
            windows = pack(self._speech.spans, clips, self._model.window_frames)
            return BatchedPlan(windows, self.options.batch_size)
        return SequentialPlan(clips_with_speech(clips, self._speech), self._model.window_frames)


def _key(window: Window) -> str:
    """What a window is called in a store."""
    return f"{window.first}+{window.n_frames}"
