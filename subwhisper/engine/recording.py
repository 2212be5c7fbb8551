"""One recording on its way through the model: what holds for all of its windows.

The ladder, each rung adding one concern: `Recording.segments` (plan after plan of windows) →
`WindowReader.read` (several windows) → `decode_with_fallback` → `WindowDecoder.decode`.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from subwhisper.audio import AudioSource, Span
from subwhisper.engine.abilities import check
from subwhisper.engine.batched import LONGEST_STRETCH, BatchedPlan, clips_with_speech, pack
from subwhisper.engine.context import TextContext
from subwhisper.engine.coverage import Audit, Coverage, Maps, second_opinion
from subwhisper.engine.decoding.loop import WindowDecoder
from subwhisper.engine.features import FRAMES_PER_SECOND, MelReader
from subwhisper.engine.holes import Heard, in_order
from subwhisper.engine.invention import Evidence, doubt
from subwhisper.engine.language import WindowLanguages, hear_language, openings
from subwhisper.engine.memory import MemoryLadder, Sharing, give_back
from subwhisper.engine.options import TranscribeOptions, VadOptions
from subwhisper.engine.reader import Languages, WindowEncoder, WindowReader
from subwhisper.engine.room import windows_at_once
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
_TIDY_EVERY = 60.0
"""Seconds of a recording after which memory that has been freed is returned; it takes milliseconds."""
_GAVE_UP = "gave_up"
"""What was given up by then because memory had run out, in what a store keeps of a window."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording has been read, in seconds."""

    position: float
    duration: float | None


OnProgress = Callable[[Progress], None]
Read = Callable[[Sequence[Window]], Iterable[Settled]]
"""Gives what is kept of each of these windows, one after the other."""


class Recording:
    """Reads one recording; built anew for each."""

    def __init__(
        self,
        model: SpeechModel,
        audio: AudioSource,
        options: TranscribeOptions,
        store: WindowStore | None = None,
        *,
        surveyed: Survey | None = None,
        last_speech: float = 0.0,
    ) -> None:
        """Look at the whole recording once: its length, its loudest moment, its language.

        Args:
            model: in memory.
            audio: read twice; once if it is short.
            options: how.
            store: has windows read before, and keeps those read now.
            surveyed: what is known of the recording already.
            last_speech: seconds at which the last word before it ended, below 0 where it is a part of something longer.

        Raises:
            OptionError: an option that this model cannot serve.
            ModelError: translation with a model that cannot.
        """
        check(model, options)
        self.options = options
        self._store = store or NothingKept()
        self._model, self._tokenizer = model, model.tokenizer
        n_mels = model.network.dims.n_mels
        surveyed = surveyed or survey_recording(audio, n_mels, *self._vad(), device=model.placement.device)
        self.survey, self._speech = surveyed.mel, surveyed.speech
        self._audit = self._make_audit(surveyed)
        behind = round(2 * LONGEST_STRETCH * FRAMES_PER_SECOND) if self._speech else 0
        self._encoder = WindowEncoder(model, MelReader(audio, n_mels, self.survey, behind=behind))
        self.windows_at_once = windows_at_once(model, options)
        self._ladder = MemoryLadder(model, self.windows_at_once)
        self._sharing = Sharing()
        self._gave_up_before: list[str] = []
        self.language, self.language_probability = self._language()
        self.translation: list[Segment] = []
        """What has been read so far in English, where both texts are asked for."""
        self.tasks = self._tasks()
        decoder = WindowDecoder(
            model.network,
            self._tokenizer,
            options.decode,
            model_suppressed=model.suppress_tokens,
            spreads_timestamps=model.checkpoint.spreads_timestamps,
        )
        evidence = self._make_evidence()
        self._reader = WindowReader(
            self._encoder, decoder, options.fallback, self.tasks, self._languages(), doubt if evidence else None
        )
        self._settler = Settler(model, options, self.tasks, self.survey.n_frames, evidence)
        self.dropped: list[Dropped] = []
        """What has been recognised so far and was not believed."""
        self._plan = self._make_plan()
        self._contexts = [self._fresh_context(is_alone=not self._plan.reads_on) for _ in self.tasks]
        self.last_speech = last_speech
        """Seconds at which the last word so far ended."""

    @property
    def sacrifices(self) -> list[str]:
        """What was given up so far because memory ran out, kept windows included."""
        return [*dict.fromkeys([*self._gave_up_before, *self._ladder.steps])]

    @property
    def coverage(self) -> Coverage | None:
        """How much of the speech read so far has words; `None` where nobody looked."""
        return self._audit.coverage if self._audit else None

    def _vad(self) -> tuple[VadOptions | None, float | None, VadOptions | None]:
        """How to look for speech, how many seconds of it a window can hold, and how to check it."""
        vad, is_batched = self.options.vad, self.options.plan == "batched"
        longest = self._model.window_frames / FRAMES_PER_SECOND if is_batched else None
        looks_for_it = is_batched or vad.detector != "none"
        return vad if looks_for_it else None, longest, second_opinion(vad.detector)

    def _clips(self) -> tuple[tuple[int, int], ...]:
        """The parts to read, in frames."""
        return clips_in_frames(self.options.clip_timestamps, self.survey.n_frames)

    def _make_audit(self, surveyed: Survey) -> Audit | None:
        if surveyed.speech is None or surveyed.second is None:
            return None
        maps = Maps(surveyed.speech, surveyed.second, surveyed.faint)
        frames = [(first, end) for first, end in self._clips() if first < end]
        clips = [Span(first / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND) for first, end in frames]
        return Audit(maps, clips, self._model.window_frames, self._read_again)

    def _make_evidence(self) -> Evidence | None:
        """What speaks against invented text; nothing does where speech is not told from the rest."""
        if self._speech is None or self.options.vad.detector == "none":
            return None
        options = self.options
        threshold = options.fallback.logprob_threshold
        return Evidence(self._speech, self._tokenizer.encode, threshold, options.hallucination_silence_threshold)

    def _language(self) -> tuple[str, float | None]:
        """As stated, or as heard and how surely."""
        if self.options.language is not None:
            return language_code(self.options.language), None
        if not self._tokenizer.is_multilingual:
            return "en", None
        if known := self._store.get(_LANGUAGE):
            return known[_LANGUAGE], known[_PROBABILITY]
        firsts = [*self._openings()]
        heard = next(self._ladder.run(lambda asked: [hear_language(self._encoder, asked[0], self.options)], [firsts]))
        _log.info("detected %s (probability %.2f)", LANGUAGES[heard.language], heard.probability)
        self._store.put(_LANGUAGE, {_LANGUAGE: heard.language, _PROBABILITY: heard.probability})
        return heard.language, heard.probability

    def _openings(self) -> Iterable[int]:
        """First frames of windows to hear the language in."""
        window_frames = self._model.window_frames
        spoken = [] if self._speech is None else [*openings(self._clips(), self._speech, window_frames)]
        return spoken or range(0, max(1, self.survey.n_frames), window_frames)

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
        tidy_at = _TIDY_EVERY
        with closing(self._encoder.mel):
            while windows := self._plan.upcoming():
                found: list[Heard] = []
                for window, settled in self._settled(windows):
                    found.append(Heard(settled.kept.segments, settled.translation))
                    reached = min(settled.kept.next_frame, self.survey.n_frames) / FRAMES_PER_SECOND
                    if on_progress is not None:
                        on_progress(Progress(reached, self.survey.duration))
                    self._plan.settled(window, settled.kept.next_frame)
                yield from self._checked(in_order(found), reached)
                if reached >= tidy_at:
                    give_back()
                    tidy_at = reached + _TIDY_EVERY
            yield from self._checked(Heard(), self.survey.duration)

    def _checked(self, heard: Heard, until: float) -> tuple[Segment, ...]:
        """Fill the holes in what was heard up to this second, where somebody looks for them."""
        if self._audit is not None:
            heard = self._audit.checked(heard, until)
        shared = {
            segment: self._sharing.shared(segment) for text in (heard.segments, heard.translation) for segment in text
        }
        self.translation += (shared[segment] for segment in heard.translation)
        return tuple(shared[segment] for segment in heard.segments)

    def _settled(self, windows: Sequence[Window]) -> Iterator[tuple[Window, Settled]]:
        """What is kept of windows, built upon in those after them."""
        for window, settled in zip(windows, self._kept(windows, self._read), strict=True):
            self._remember(settled)
            yield window, settled

    def _read(self, windows: Sequence[Window]) -> Iterator[Settled]:
        """Read windows of the plan."""
        for reading in self._reader.read(windows, [context.prompt() for context in self._contexts]):
            yield self._settler.settle(reading, self.last_speech, is_alone=not self._plan.reads_on)

    def _read_again(self, windows: Sequence[Window], speech: SpeechMap) -> list[Heard]:
        """Read windows over holes, without the text before and without sampling."""
        once = replace(self.options.fallback, temperatures=self.options.fallback.temperatures[:1])
        reader = replace(self._reader, fallback=once)
        prompts = [self._fresh_context(is_alone=True).prompt() for _ in self.tasks]
        evidence = self._settler.evidence
        settler = replace(self._settler, evidence=evidence and replace(evidence, speech=speech))

        def read(some: Sequence[Window]) -> Iterator[Settled]:
            for reading in reader.read(some, prompts):
                yield settler.settle(reading, reading.window.start, is_alone=True)

        name = "known hole " if speech is self._speech else "hole "
        return [Heard(one.kept.segments, one.translation) for one in self._kept(windows, read, name)]

    def _kept(self, windows: Sequence[Window], read: Read, name: str = "") -> Iterator[Settled]:
        """Take each window from the store, or read it and put it there."""
        keys = [f"{name}{window.first}+{window.n_frames}" for window in windows]
        stored = [self._store.get(key) for key in keys]
        missing = [window for window, document in zip(windows, stored, strict=True) if document is None]
        fresh = self._ladder.run(read, missing)
        for key, document in zip(keys, stored, strict=True):
            if document is not None:
                self._gave_up_before += document.get(_GAVE_UP, ())
                yield Settled.from_dict(document)
                continue
            settled = next(fresh)
            self._store.put(key, {**settled.to_dict(), _GAVE_UP: self.sacrifices})
            yield settled

    def _remember(self, settled: Settled) -> None:
        """Build upon a window in those after it."""
        texts = (settled.kept.segments, settled.temperature), (settled.translation, settled.translation_temperature)
        for context, (segments, temperature) in zip(self._contexts, texts, strict=False):
            if temperature is not None:
                context.add((token for segment in segments for token in segment.tokens), temperature)
        self.dropped += settled.kept.dropped
        self.last_speech = settled.last_speech

    def _make_plan(self) -> Plan:
        clips = self._clips()
        if self._speech is None:
            return SequentialPlan(clips, self._model.window_frames)
        if self.options.plan == "batched":
            windows = pack(self._speech, clips, self._model.window_frames)
            return BatchedPlan(windows, self.windows_at_once)
        return SequentialPlan(clips_with_speech(clips, self._speech), self._model.window_frames)
