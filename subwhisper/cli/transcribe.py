"""`subwhisper transcribe` and `subwhisper translate`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, cast, get_args

from subwhisper.cli import decoding as dec
from subwhisper.cli import options as opt
from subwhisper.cli import profile as cap
from subwhisper.cli import sound as snd
from subwhisper.cli import speech
from subwhisper.cli.console import Console, report
from subwhisper.cli.verdict import verdict
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
from subwhisper.errors import OptionError, SubwhisperError
from subwhisper.pipeline.names import parse_lang_style, parse_variant
from subwhisper.pipeline.outputs import OutputPlan
from subwhisper.settings import JOURNAL_DAYS, JOURNAL_MB
from subwhisper.subtitles.choices import CHOICES

if TYPE_CHECKING:
    from subwhisper.pipeline.journal import Journal
    from subwhisper.pipeline.models import ModelChoice
    from subwhisper.pipeline.transcribe import Outcome, TranscribeJob
    from subwhisper.transcript import Segment

_LADDER = FallbackOptions.temperatures
_FORMATS = ",".join(OutputPlan.formats)
_CLIPS = ",".join(map(str, TranscribeOptions.clip_timestamps))
_SUPPRESSED = ",".join(map(str, DecodeOptions.suppress_tokens))


@dataclass(frozen=True, kw_only=True)
class TranscribeArguments:
    """What was typed, one field per option; its methods pack it for the library."""

    inputs: opt.Inputs

    formats: opt.Formats = _FORMATS
    output_dir: opt.OutputFolder = OutputPlan.folder
    overwrite: opt.Overwrite = OutputPlan.overwrite
    lang_style: opt.LangStyle = OutputPlan.lang_style
    variant: opt.Variant = OutputPlan.variant
    burn: opt.Burn = OutputPlan.burn
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
    refine: opt.Refine = False
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
        from subwhisper.media.sound import SoundOptions
        from subwhisper.pipeline.transcribe import TranscribeJob, parse_formats

        formats = parse_formats(self.formats)
        return TranscribeJob(
            model=self.model_choice(),
            options=self.transcribe_options(formats),
            outputs=self.output_plan(formats),
            profile=cap.chosen_profile(self),
            shot_changes=self.shot_changes,
            wording=cap.chosen_wording(self),
            look=opt.parse_look(self.style, "underline" if self._only_underlines else self.highlight),
            refine=self.refine,
            audio_track=self.audio_track,
            sound=SoundOptions(denoise=self.denoise, high_pass=self.high_pass, loudness=self.loudness),
            channels=snd.parse_channels(self.channels),
        )

    def output_plan(self, formats: tuple[str, ...]) -> OutputPlan:
        return OutputPlan(
            formats,
            self.output_dir,
            self.burn,
            self.overwrite,
            lang_style=parse_lang_style(self.lang_style),
            variant=parse_variant(self.variant),
        )

    def open_journal(self) -> "Journal | None":
        """The user's journal; `None` without one."""
        if not self.journal:
            return None
        from subwhisper.pipeline.journal import JournalLimits, open_journal

        return open_journal(JournalLimits(max_bytes=int(self.journal_size * 1e6), max_days=self.journal_days))

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
        from subwhisper.pipeline.transcribe import CAPTION_FORMATS

        words = self.word_timestamps
        if self.refine and words is False:
            raise OptionError("--refine needs word times", hint="leave out --no-word-timestamps")
        if words is None:  # captions are laid out by words, and times of whole segments are too coarse for them
            shown = self.burn or bool(CAPTION_FORMATS & {*formats})
            words = shown or self.refine or self.hallucination_silence_threshold is not None
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
            clip_timestamps=opt.parse_times(self.clip_timestamps),
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
                suppress_tokens=opt.parse_tokens(self.suppress_tokens),
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


def run_transcribe(arguments: TranscribeArguments) -> None:
    """Turn the speech of audio or video into captions.

    Results are STEM.LANGUAGE.FORMAT beside each input. Running again replaces them; an input is never replaced.
    Every option can also be set by the environment (SUBWHISPER_BEAM_SIZE) and in config.toml or subwhisper.toml.
    """
    rows: list[dict[str, Any]] = []
    problem: SubwhisperError | None = None
    try:
        _work(arguments, rows)
    except SubwhisperError as error:
        problem = error
        raise
    finally:
        if arguments.json:
            _report(rows, problem)


def run_translate(arguments: TranscribeArguments) -> None:
    """Turn speech in any language into English captions.

    The short form of: subwhisper transcribe --task translate.
    """
    run_transcribe(arguments)


def _work(arguments: TranscribeArguments, rows: list[dict[str, Any]]) -> None:
    with Console(quiet=arguments.quiet) as console:
        job = arguments.job()
        from subwhisper.pipeline.transcribe import transcribe_files  # brings torch: keep it in here

        journal = arguments.open_journal()
        with console.working():
            outcomes = transcribe_files(
                arguments.inputs,
                job,
                archive=journal.archive if journal else None,
                on_progress=console.progress,
                on_segment=_teller(console) if arguments.verbose else None,
            )
            problems = _tell(console, outcomes, rows)
        if problems:
            raise verdict(problems, len(rows))


def _tell(console: Console, outcomes: "Iterable[Outcome]", rows: list[dict[str, Any]]) -> list[SubwhisperError]:
    """Say what became of each input, put its row in the report, and return what went wrong."""
    problems: list[SubwhisperError] = []
    held: SubwhisperError | None = None  # an only input's error is what the command ends with
    try:
        for outcome in outcomes:
            if held:
                console.fail(held)
                held = None
            rows.append(outcome.to_dict())
            for path in outcome.outputs:
                console.line(f"wrote {path}")
            if outcome.transcript:
                _say_coverage(console, outcome.transcript.provenance.get("coverage"))
            if outcome.error:
                problems.append(outcome.error)
                if len(rows) == 1:
                    held = outcome.error
                else:
                    console.fail(outcome.error)
    except SubwhisperError:
        if held:
            console.fail(held)
        raise
    return problems


def _say_coverage(console: Console, found: Mapping[str, Any] | None) -> None:
    """Say how much of the speech has words; nothing where nobody looked."""
    if found is None:
        return
    if not found["speech_seconds"]:
        console.line("nobody speaks")
        return
    counts = ((found["holes_repaired"], "repaired"), (found["holes_open"], "left"))
    told = [f", {n} {'hole' if n == 1 else 'holes'} {what}" for n, what in counts if n]
    console.line(f"speech covered {100 * found['covered']:.1f} %{''.join(told)}")


def _teller(console: Console) -> "Callable[[Segment], None]":
    def tell(segment: "Segment") -> None:
        console.line(f"[{_clock(segment.start)} --> {_clock(segment.end)}] {segment.text}")

    return tell


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02d}:{int(minutes % 60):02d}:{rest:06.3f}"


def _report(rows: list[dict[str, Any]], problem: SubwhisperError | None) -> None:
    from subwhisper.pipeline.transcribe import error_row

    report({"inputs": rows, "error": error_row(problem) if problem else None})


def _task(name: str) -> Task:
    if name not in get_args(Task):
        raise OptionError(f"unknown task {name!r}", hint=f"one of {', '.join(get_args(Task))}")
    return cast(Task, name)


def _one_of(option: str, name: str, names: Sequence[str]) -> str:
    if name not in names:
        raise OptionError(f"{option} cannot be {name!r}", hint=f"one of {', '.join(names)}")
    return name


transcribe = opt.as_command(TranscribeArguments, run_transcribe)
translate = opt.as_command(TranscribeArguments, run_translate, fixed={"task": "translate"})
