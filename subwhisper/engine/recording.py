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
from subwhisper.engine.alignment import Aligner
from subwhisper.engine.batched import LONGEST_STRETCH, BatchedPlan, clips_with_speech, pack
from subwhisper.engine.context import TextContext
from subwhisper.engine.coverage import Audit, Coverage, second_opinion
from subwhisper.engine.decoding.loop import WindowDecoder
from subwhisper.engine.fallback import is_silence
from subwhisper.engine.features import FRAMES_PER_SECOND, MelReader
from subwhisper.engine.hallucination import Kept, skip_silence
from subwhisper.engine.invention import Evidence, doubt, judged
from subwhisper.engine.language import HeardLanguage, WindowLanguages, agreed_language, detect_language
from subwhisper.engine.options import TranscribeOptions, VadOptions
from subwhisper.engine.reader import Languages, Reading, WindowEncoder, WindowReader
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.survey import Survey, survey_recording
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.window_store import NothingKept, Settled, WindowStore
from subwhisper.engine.windows import (
    Piece,
    Plan,
    SequentialPlan,
    Window,
    clips_in_frames,
    every_piece,
    split_tokens,
    whole_window,
)
from subwhisper.errors import ModelError, OptionError
from subwhisper.languages import LANGUAGES, language_code
from subwhisper.model import catalog
from subwhisper.transcript import Dropped, Quality, Segment

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
        self._evidence = self._make_evidence()
        self._reader = WindowReader(
            self._encoder, decoder, options.fallback, self.tasks, self._languages(), doubt if self._evidence else None
        )
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

    def _aligner(self, language: str) -> Aligner:
        return Aligner(
            self._model.network,
            self._tokenizer,
            self._model.alignment_heads,
            self._tokenizer.start_sequence(language, self.tasks[0]),
            language,
            self.options.prepend_punctuations,
            self.options.append_punctuations,
        )

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
        evidence = self._evidence and replace(self._evidence, speech=speech)
        with torch.inference_mode():
            readings = reader.read(windows, prompts)
            settled = [self._settle(reading, reading.window.start, evidence, is_alone=True) for reading in readings]
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
                    settled = self._settle(next(readings), self._last_speech, self._evidence, is_alone=is_alone)
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

    def _settle(self, reading: Reading, last_speech: float, evidence: Evidence | None, *, is_alone: bool) -> Settled:
        """Make segments of a reading: what is kept of it, and where the next window starts.

        Args:
            reading: of one window.
            last_speech: seconds at which the last word before it ended.
            evidence: against invented text.
            is_alone: no other window goes on from it, so all of its text counts.
        """
        window, decoded = reading.window, reading.decoded
        if is_silence(decoded, self.options.fallback):
            return Settled(Kept((), window.end_frame, dropped=_silent(reading)), None, last_speech)
        split_window = whole_window if is_alone else split_tokens
        split = split_window(decoded.tokens, window, self._tokenizer.timestamp_begin)
        kept = Kept(tuple(self._segment(piece, reading, self.tasks[0]) for piece in split.pieces), split.next_frame)
        if self.options.word_timestamps:
            kept = self._with_words(kept, reading, last_speech, is_complete=split.is_complete, is_alone=is_alone)
            if kept.is_abandoned:
                return Settled(kept, None, last_speech)
            end = _end_of(kept.segments)
            last_speech = last_speech if end is None else end
        kept = replace(kept, segments=tuple(_cleared(segment) for segment in kept.segments))
        if evidence is not None:
            believed, dropped = judged(kept.segments, evidence)
            kept = replace(kept, segments=believed, dropped=dropped)
        settled = Settled(kept, decoded.temperature, last_speech)
        return self._with_translation(settled, reading) if len(self.tasks) > 1 else settled

    def _with_translation(self, settled: Settled, reading: Reading) -> Settled:
        """Add the English text of what is kept of a window; the rest is read, and translated, in the next one."""
        if reading.language == "en":
            return replace(settled, translation=settled.kept.segments, translation_temperature=settled.temperature)
        translated = reading.texts[1]
        end = min(settled.kept.next_frame, reading.window.end_frame) / FRAMES_PER_SECOND
        pieces = every_piece(translated.tokens, reading.window, self._tokenizer.timestamp_begin)
        segments = [
            _cleared(self._segment(replace(piece, end=min(piece.end, end)), reading, "translate"))
            for piece in pieces
            if (piece.start + piece.end) / 2 < end
        ]
        believed = tuple(segments) if self._evidence is None else judged(segments, self._evidence)[0]
        return replace(settled, translation=believed, translation_temperature=translated.temperature)

    def _segment(self, piece: Piece, reading: Reading, task: str) -> Segment:
        decoded = reading.texts[self.tasks.index(task)]
        return Segment(
            start=piece.start,
            end=piece.end,
            text=self._tokenizer.decode(token for token in piece.tokens if token < self._tokenizer.eot),
            tokens=piece.tokens,
            seek=reading.window.first,
            language="en" if task == "translate" else reading.language,
            quality=Quality(
                avg_logprob=decoded.avg_logprob,
                compression_ratio=decoded.compression_ratio,
                no_speech_prob=decoded.no_speech_prob,
                temperature=decoded.temperature,
                notes=decoded.doubts,
            ),
        )

    def _with_words(
        self, kept: Kept, reading: Reading, last_speech: float, *, is_complete: bool, is_alone: bool
    ) -> Kept:
        """Add word times, and let the next window start where the last word ends."""
        window = reading.window
        segments = self._aligner(reading.language).add_words(kept.segments, reading.features, window, last_speech)
        kept = replace(kept, segments=segments)
        full_end = (window.first + self._model.window_frames) / FRAMES_PER_SECOND
        threshold = self.options.hallucination_silence_threshold
        end = _end_of(segments)
        if not is_complete and end is not None and end > window.start:
            is_rest_silent = threshold is None or full_end - end > threshold
            kept = replace(kept, next_frame=round(end * FRAMES_PER_SECOND) if is_rest_silent else window.end_frame)
        if threshold is not None and not is_alone:
            kept = skip_silence(
                kept,
                window,
                window_end=full_end,
                n_frames=self.survey.n_frames,
                last_speech=last_speech,
                threshold=threshold,
            )
        return kept


def hear_language(encoder: WindowEncoder, firsts: Sequence[int], options: TranscribeOptions) -> HeardLanguage:
    """Listen to windows one after the other until the language is sure.

    Args:
        encoder: of a recording, with a model of many languages.
        firsts: frames at which the windows begin.
        options: how many windows at most, when to be sure, which languages there are.
    """
    model = encoder.model
    chosen = firsts[: options.language_detection_segments]
    features = (encoder.encode([Window(first, model.window_frames)]) for first in chosen)
    ranked = (detect_language(model.network, model.tokenizer, one, options.candidates)[0] for one in features)
    return agreed_language(ranked, options.language_detection_threshold)


def check(model: SpeechModel, options: TranscribeOptions) -> None:
    """Refuse what the model cannot do.

    Raises:
        OptionError: an option that this model cannot serve.
        ModelError: translation with a model that cannot.
    """
    if options.translates and not model.can_translate:
        able = ", ".join(name for name, entry in catalog.CATALOG.items() if entry.can_translate)
        raise ModelError(f"the model {model.name} cannot translate", hint=f"models that can: {able}")
    prompts = {"--initial-prompt": options.initial_prompt, "--hotwords": options.hotwords}
    given = [name for name, text in prompts.items() if text]
    if given and model.tokenizer.sot_prev is None:
        raise OptionError(f"the model {model.name} reads no prompts", hint=f"leave {given[0]} out")
    _check_languages(model, options)


def _check_languages(model: SpeechModel, options: TranscribeOptions) -> None:
    asked = {language_code(options.language)} if options.language else {*options.candidates}
    if model.tokenizer.is_multilingual:
        unknown = asked - {*model.tokenizer.language_tokens}
        if unknown:
            names = " and ".join(LANGUAGES[code] for code in sorted(unknown))
            hint = f"it knows {', '.join(model.tokenizer.language_tokens)}"
            raise OptionError(f"the model {model.name} does not know {names}", hint=hint)
        return
    hint = "use a multilingual model, such as base or small"
    if asked - {"en"}:
        names = " and ".join(LANGUAGES[code] for code in sorted(asked - {"en"}))
        raise OptionError(f"the model {model.name} knows English only, not {names}", hint=hint)
    if options.multilingual:
        raise OptionError(f"the model {model.name} knows English only, so languages cannot be mixed", hint=hint)


def _key(window: Window) -> str:
    """What a window is called in a store."""
    return f"{window.first}+{window.n_frames}"


def _silent(reading: Reading) -> tuple[Dropped, ...]:
    """The text of a window that is taken for silence."""
    decoded, window = reading.decoded, reading.window
    if not decoded.text:
        return ()
    reason = f"silence: no speech with probability {decoded.no_speech_prob:.2f}, and the text is a guess"
    return (Dropped(window.start, window.start + window.duration, decoded.text, reason),)


def _end_of(segments: Sequence[Segment]) -> float | None:
    """Seconds at which the last word ends, or the last segment if there are no words."""
    ends = (word.end for segment in reversed(segments) for word in reversed(segment.words))
    return next(ends, segments[-1].end if segments else None)


def _cleared(segment: Segment) -> Segment:
    """A segment without length or text says nothing; it stays, so that numbering is openai-whisper's."""
    if segment.start == segment.end or not segment.text.strip():
        return replace(segment, text="", tokens=(), words=())
    return segment
