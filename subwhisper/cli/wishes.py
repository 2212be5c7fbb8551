"""What can be asked of a transcription: every option, and how they are packed for the library."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, cast, get_args

from subwhisper.cli import decoding as dec
from subwhisper.cli import options as opt
from subwhisper.cli import profile as cap
from subwhisper.cli import sound as snd
from subwhisper.cli import speech
from subwhisper.cli.values import parse_look, parse_times, parse_tokens
from subwhisper.engine.options import (
    DecodeOptions,
    DetectorName,
    FallbackOptions,
    PlanName,
    Task,
    TranscribeOptions,
    VadOptions,
    temperature_ladder,
)
from subwhisper.errors import OptionError
from subwhisper.pipeline.names import parse_lang_style, parse_variant
from subwhisper.pipeline.outputs import OutputPlan
from subwhisper.settings import JOURNAL_DAYS, JOURNAL_MB
from subwhisper.subtitles.choices import CHOICES

if TYPE_CHECKING:
    from subwhisper.pipeline.journal import Journal, JournalLimits
    from subwhisper.pipeline.models import ModelChoice
    from subwhisper.pipeline.search import Search
    from subwhisper.pipeline.transcribe import TranscribeJob

_LADDER = FallbackOptions.temperatures
_FORMATS = ",".join(OutputPlan.formats)
_CLIPS = ",".join(map(str, TranscribeOptions.clip_timestamps))
_SUPPRESSED = ",".join(map(str, DecodeOptions.suppress_tokens))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TranscribeArguments:
    """What was typed, one field per option; its methods pack it for the library."""

    inputs: opt.Inputs = field(default_factory=list)

    include: opt.Include = None
    exclude: opt.Exclude = None
    lists: opt.Lists = None
    recursive: opt.Recursive = True
    redo: opt.Redo = False
    tracks_count: opt.TracksCount = True

    formats: opt.Formats = _FORMATS
    output_dir: opt.OutputFolder = OutputPlan.folder
    overwrite: opt.Overwrite = OutputPlan.overwrite
    lang_style: opt.LangStyle = OutputPlan.lang_style
    variant: opt.Variant = OutputPlan.variant
    burn: opt.Burn = OutputPlan.burn
    bilingual: opt.Bilingual = False
    json: opt.Json = False
    quiet: opt.Quiet = False
    verbose: opt.Verbose = False

    journal: opt.Journal = True
    journal_size: opt.JournalSize = JOURNAL_MB
    journal_days: opt.JournalDays = JOURNAL_DAYS

    model: opt.Model = None
    model_dir: opt.ModelFolder = None
    offline: opt.Offline = False
    device: opt.Device = "auto"
    compute: opt.Compute = "auto"
    fp16: opt.Fp16 = None
    threads: opt.Threads = None

    language: opt.Language = TranscribeOptions.language
    multilingual: dec.Multilingual = TranscribeOptions.multilingual
    language_detection_segments: dec.LanguageDetectionSegments = TranscribeOptions.language_detection_segments
    language_detection_threshold: dec.LanguageDetectionThreshold = TranscribeOptions.language_detection_threshold
    task: opt.Task = TranscribeOptions.task
    audio_track: opt.AudioTrack = None
    prefer_subtitles: opt.PreferSubtitles = False
    channels: snd.Channels = "mix"
    denoise: snd.Denoise = False
    high_pass: snd.HighPass = None
    loudness: snd.Loudness = None
    clip_timestamps: opt.ClipTimestamps = _CLIPS

    plan: speech.Plan = TranscribeOptions.plan
    batched: speech.Batched = None
    batch_size: speech.BatchSize = TranscribeOptions.batch_size
    vad: speech.Vad = VadOptions.detector
    vad_filter: speech.VadFilter = None
    vad_threshold: speech.VadThreshold = VadOptions.threshold
    vad_neg_threshold: speech.VadNegThreshold = VadOptions.neg_threshold
    vad_min_speech_duration_ms: speech.VadMinSpeech = VadOptions.min_speech_duration_ms
    vad_max_speech_duration_s: speech.VadMaxSpeech = VadOptions.max_speech_duration_s
    vad_min_silence_duration_ms: speech.VadMinSilence = VadOptions.min_silence_duration_ms
    vad_speech_pad_ms: speech.VadPad = VadOptions.speech_pad_ms

    beam_size: dec.BeamSize = DecodeOptions.beam_size
    best_of: dec.BestOf = DecodeOptions.best_of
    patience: dec.Patience = DecodeOptions.patience
    length_penalty: dec.LengthPenalty = DecodeOptions.length_penalty
    repetition_penalty: dec.RepetitionPenalty = DecodeOptions.repetition_penalty
    no_repeat_ngram_size: dec.NoRepeatNgramSize = DecodeOptions.no_repeat_ngram_size
    suppress_blank: dec.SuppressBlank = DecodeOptions.suppress_blank
    suppress_tokens: dec.SuppressTokens = _SUPPRESSED
    without_timestamps: dec.WithoutTimestamps = DecodeOptions.without_timestamps
    max_initial_timestamp: dec.MaxInitialTimestamp = DecodeOptions.max_initial_timestamp
    max_new_tokens: dec.MaxNewTokens = DecodeOptions.sample_len
    prefix: dec.Prefix = DecodeOptions.prefix
    hotwords: dec.Hotwords = TranscribeOptions.hotwords
    initial_prompt: dec.InitialPrompt = TranscribeOptions.initial_prompt
    carry_initial_prompt: dec.CarryInitialPrompt = TranscribeOptions.carry_initial_prompt
    condition_on_previous_text: dec.ConditionOnPreviousText = TranscribeOptions.condition_on_previous_text
    prompt_reset_on_temperature: dec.PromptResetOnTemperature = TranscribeOptions.prompt_reset_on_temperature

    temperature: dec.Temperature = _LADDER[0]
    temperature_increment: dec.TemperatureIncrement = _LADDER[1] - _LADDER[0]
    compression_ratio_threshold: dec.CompressionRatio = FallbackOptions.compression_ratio_threshold
    logprob_threshold: dec.Logprob = FallbackOptions.logprob_threshold
    no_speech_threshold: dec.NoSpeech = FallbackOptions.no_speech_threshold
    hallucination_silence_threshold: dec.HallucinationSilence = TranscribeOptions.hallucination_silence_threshold

    word_timestamps: opt.WordTimestamps = None
    prepend_punctuations: opt.PrependPunctuations = TranscribeOptions.prepend_punctuations
    append_punctuations: opt.AppendPunctuations = TranscribeOptions.append_punctuations
    refine: opt.RefineFound = None
    highlight_words: opt.HighlightWords = False
    highlight: opt.Highlight = "none"
    style: opt.CaptionStyle = None
    profile: cap.ProfileName = "netflix"
    max_line_width: cap.MaxLineWidth = None
    max_line_count: cap.MaxLineCount = None
    max_words_per_line: cap.MaxWordsPerLine = None
    min_duration: cap.MinDuration = None
    max_duration: cap.MaxDuration = None
    min_gap: cap.MinGap = None
    reading_speed: cap.ReadingSpeed = None
    shot_changes: cap.ShotChanges = False
    disfluencies: cap.Disfluencies = CHOICES["disfluencies"][0]
    numbers: cap.Numbers = CHOICES["numbers"][0]
    profanity: cap.Profanity = CHOICES["profanity"][0]
    casing: cap.Casing = CHOICES["casing"][0]
    sdh: cap.Sdh = CHOICES["sdh"][0]
    replacements: cap.Replacements = None

    def job(self) -> "TranscribeJob":
        """Everything, as the pipeline takes it.

        Raises:
            OptionError: a value cannot be.
        """
        from subwhisper.pipeline.quickstart import quick_imports

        with quick_imports(self.inputs):
            from subwhisper.media.sound import SoundOptions
            from subwhisper.pipeline.transcribe import TranscribeJob, parse_formats

        formats = parse_formats(self.formats)
        if self.bilingual and self.task != "both":
            raise OptionError("--bilingual needs two texts", hint="add --task both")
        options = self.transcribe_options(formats)
        finds_speech = options.vad.detector != "none"  # else all is as openai-whisper has it
        return TranscribeJob(
            model=self.model_choice(),
            options=options,
            outputs=self.output_plan(formats),
            profile=cap.chosen_profile(self),
            shot_changes=self.shot_changes,
            wording=cap.chosen_wording(self),
            look=parse_look(self.style, "underline" if self._only_underlines else self.highlight),
            refine=options.word_timestamps and (finds_speech if self.refine is None else self.refine),
            audio_track=self.audio_track,
            sound=SoundOptions(denoise=self.denoise, high_pass=self.high_pass, loudness=self.loudness),
            channels=snd.parse_channels(self.channels),
            bilingual=self.bilingual,
            prefer_subtitles=self.prefer_subtitles,
        )

    def search(self) -> "Search":
        """How the inputs become recordings.

        Raises:
            OptionError: there are no inputs.
        """
        from subwhisper.pipeline.search import Search

        if not self.inputs and not self.lists:
            raise OptionError("nothing was named", hint="name files or folders, or give a --list")
        return Search(
            include=tuple(self.include or ()),
            exclude=tuple(self.exclude or ()),
            recursive=self.recursive,
            lists=tuple(self.lists or ()),
        )

    def output_plan(self, formats: tuple[str, ...]) -> OutputPlan:
        return OutputPlan(
            formats,
            self.output_dir,
            self.burn,
            self.overwrite,
            lang_style=parse_lang_style(self.lang_style),
            variant=parse_variant(self.variant),
            beside_tracks=not self.tracks_count,
        )

    def open_journal(self) -> "Journal | None":
        """The user's journal; `None` without one."""
        if not self.journal:
            return None
        from subwhisper.pipeline.journal import open_journal

        return open_journal(self.journal_limits())

    def journal_limits(self) -> "JournalLimits":
        from subwhisper.pipeline.journal import JournalLimits

        return JournalLimits(max_bytes=int(self.journal_size * 1e6), max_days=self.journal_days)

    @property
    def _only_underlines(self) -> bool:
        return self.highlight_words and self.highlight == "none"

    def model_choice(self) -> "ModelChoice":
        from subwhisper.pipeline.models import ModelChoice

        exact = self.fp16 is False and self.compute == "auto"
        return ModelChoice(
            name=self.model,
            folder=self.model_dir,
            offline=self.offline,
            device=self.device,
            compute="float32" if exact else self.compute,
            threads=self.threads or None,
        )

    def transcribe_options(self, formats: tuple[str, ...]) -> TranscribeOptions:
        from subwhisper.subtitles.formats import CAPTION_FORMATS

        words = self.word_timestamps
        if self.refine and words is False:
            raise OptionError("--refine needs word times", hint="leave out --no-word-timestamps")
        if words is None:  # captions are laid out by words, now or later from JSON; segments' times are too coarse
            shown = self.burn or not CAPTION_FORMATS.isdisjoint(formats) or "json" in formats
            words = shown or bool(self.refine) or self.hallucination_silence_threshold is not None
        words = words or self.channels == "split"  # it is words that have speakers
        language, languages = dec.parse_languages(self.language)
        return TranscribeOptions(
            language=language,
            languages=languages,
            multilingual=self.multilingual,
            language_detection_segments=self.language_detection_segments,
            language_detection_threshold=self.language_detection_threshold,
            task=_task(self.task),
            initial_prompt=self.initial_prompt,
            carry_initial_prompt=self.carry_initial_prompt,
            condition_on_previous_text=self.condition_on_previous_text,
            prompt_reset_on_temperature=self.prompt_reset_on_temperature,
            hotwords=self.hotwords,
            clip_timestamps=parse_times(self.clip_timestamps),
            word_timestamps=words,
            prepend_punctuations=self.prepend_punctuations,
            append_punctuations=self.append_punctuations,
            hallucination_silence_threshold=self.hallucination_silence_threshold,
            plan=self._plan(),
            batch_size=self.batch_size,
            vad=self._vad(),
            decode=DecodeOptions(
                beam_size=self.beam_size,
                best_of=self.best_of,
                patience=self.patience,
                length_penalty=self.length_penalty,
                repetition_penalty=self.repetition_penalty,
                no_repeat_ngram_size=self.no_repeat_ngram_size,
                suppress_blank=self.suppress_blank,
                suppress_tokens=parse_tokens(self.suppress_tokens),
                without_timestamps=self.without_timestamps,
                max_initial_timestamp=self.max_initial_timestamp,
                sample_len=self.max_new_tokens,
                prefix=self.prefix,
            ),
            fallback=FallbackOptions(
                temperatures=temperature_ladder(self.temperature, self.temperature_increment),
                compression_ratio_threshold=self.compression_ratio_threshold,
                logprob_threshold=self.logprob_threshold,
                no_speech_threshold=self.no_speech_threshold,
            ),
        )

    def _plan(self) -> PlanName:
        if self.batched is not None:
            return "batched" if self.batched else "sequential"
        return _one_of("--plan", self.plan, get_args(PlanName))  # type: ignore[return-value]  # just checked

    def _vad(self) -> VadOptions:
        detector = self.vad
        if self.vad_filter is not None:
            detector = VadOptions.detector if self.vad_filter else "none"
        longest = self.vad_max_speech_duration_s
        return VadOptions(
            detector=_one_of("--vad", detector, get_args(DetectorName)),  # type: ignore[arg-type]  # just checked
            threshold=self.vad_threshold,
            neg_threshold=self.vad_neg_threshold,
            min_speech_duration_ms=self.vad_min_speech_duration_ms,
            max_speech_duration_s=None if longest == inf else longest,
            min_silence_duration_ms=self.vad_min_silence_duration_ms,
            speech_pad_ms=self.vad_speech_pad_ms,
        )


def _task(name: str) -> Task:
    if name not in get_args(Task):
        raise OptionError(f"unknown task {name!r}", hint=f"one of {', '.join(get_args(Task))}")
    return cast(Task, name)


def _one_of(option: str, name: str, names: Sequence[str]) -> str:
    if name not in names:
        raise OptionError(f"{option} cannot be {name!r}", hint=f"one of {', '.join(names)}")
    return name
