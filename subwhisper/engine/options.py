"""What can be chosen about recognition, and its defaults. No torch, so that `--help` may read it.

Names and defaults are those of openai-whisper, and of faster-whisper where that one has more. Nested by
who uses them: `DecodeOptions` one window, `FallbackOptions` the ladder of temperatures,
`TranscribeOptions` a whole recording.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Literal, get_args

from subwhisper.errors import OptionError
from subwhisper.languages import language_code

Task = Literal["transcribe", "translate", "both"]
PlanName = Literal["batched", "sequential"]
DetectorName = Literal["silero", "energy", "none"]

MODEL_SUPPRESSED = -1
"""Among the tokens to suppress: the model's own list of symbols that nobody speaks."""


@dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """How one window becomes tokens."""

    beam_size: int = 5
    """Beams kept at temperature 0; 1 is greedy search. More is slower and a little better."""
    best_of: int = 5
    """Samples drawn at temperatures above 0, of which the most probable is kept. More is slower."""
    patience: float = 1.0
    """Finished beams to wait for, in multiples of `beam_size`. More searches longer."""
    length_penalty: float | None = None
    """Google's alpha, 0 to 1: more favours longer texts. `None`: divide by the number of tokens."""
    repetition_penalty: float = 1.0
    """Above 1, tokens that the window holds already become less probable; below 1, more. 1 changes nothing."""
    no_repeat_ngram_size: int = 0
    """Runs of so many tokens never come twice in a window; 0 forbids none. Smaller is stricter."""
    suppress_blank: bool = True
    """Forbid a window to begin with a space or to end before it began."""
    suppress_tokens: tuple[int, ...] = (MODEL_SUPPRESSED,)
    """Token ids never produced; -1 stands for the model's own list. Empty suppresses nothing at all."""
    without_timestamps: bool = False
    """Text only: one segment per window."""
    max_initial_timestamp: float | None = 1.0
    """Seconds into the window by which the first segment must start; `None` or 0: anywhere."""
    sample_len: int | None = None
    """Most tokens produced per window; `None`: half of the model's text context."""
    prefix: str | None = None
    """Text every window begins with."""

    def __post_init__(self) -> None:
        _at_least(1, beam_size=self.beam_size, best_of=self.best_of, sample_len=self.sample_len)
        _at_least(0, max_initial_timestamp=self.max_initial_timestamp, no_repeat_ngram_size=self.no_repeat_ngram_size)
        if not 0 < self.repetition_penalty < inf:  # also refuses NaN
            raise OptionError(f"repetition_penalty must be a number above 0, got {self.repetition_penalty}")
        if round(self.beam_size * self.patience) < 1:
            raise OptionError(f"patience {self.patience} with beam_size {self.beam_size} waits for no beam at all")
        if self.length_penalty is not None and not 0 <= self.length_penalty <= 1:
            raise OptionError(f"length_penalty must lie between 0 and 1, got {self.length_penalty}")
        for token in self.suppress_tokens:
            if token < MODEL_SUPPRESSED:
                raise OptionError(f"suppress_tokens holds {token}, which is no token id")


@dataclass(frozen=True, kw_only=True)
class FallbackOptions:
    """When a window's text is not believed and is decoded again, hotter."""

    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    """Tried in order until a text passes; 0 searches for the most probable text, above 0 samples."""
    compression_ratio_threshold: float | None = 2.4
    """A text that zlib shrinks more than this many times repeats itself. Larger forgives more."""
    logprob_threshold: float | None = -1.0
    """Mean log-probability per token below which a text is a guess. Smaller forgives more."""
    no_speech_threshold: float | None = 0.6
    """Probability of no speech above which a guess is taken for silence. Larger keeps more text."""

    def __post_init__(self) -> None:
        if not self.temperatures:
            raise OptionError("temperatures is empty: give at least one")
        for temperature in self.temperatures:
            if not temperature >= 0:  # also refuses NaN
                raise OptionError(f"temperature must not be negative, got {temperature}")


@dataclass(frozen=True, kw_only=True)
class VadOptions:
    """What is taken for speech. Names and defaults of the numbers are faster-whisper's."""

    detector: DetectorName = "silero"
    """`silero` is a small network, `energy` compares with the background, `none` takes everything for speech."""
    threshold: float = 0.5
    """Probability at which speech begins, 0 to 1. Larger finds less."""
    neg_threshold: float | None = None
    """Probability below which it ends; `None`: 0.15 under `threshold`. Larger ends it sooner."""
    min_speech_duration_ms: int = 0
    """Shorter speech is none. Larger finds less."""
    max_speech_duration_s: float | None = None
    """Longer speech is cut in a pause; `None`: only where a window needs it."""
    min_silence_duration_ms: int = 2000
    """Shorter pauses are part of the speech around them. Larger finds longer speech."""
    speech_pad_ms: int = 400
    """Sound before and after speech that is kept with it."""

    def __post_init__(self) -> None:
        if self.detector not in get_args(DetectorName):
            raise OptionError(f"unknown speech detector {self.detector!r}", hint=", ".join(get_args(DetectorName)))
        for name in ("threshold", "neg_threshold"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise OptionError(f"{name} is a probability from 0 to 1, got {value}")
        if self.neg_threshold is not None and self.neg_threshold > self.threshold:
            raise OptionError(f"neg_threshold ({self.neg_threshold}) is above threshold ({self.threshold})")
        _at_least(
            0,
            min_speech_duration_ms=self.min_speech_duration_ms,
            min_silence_duration_ms=self.min_silence_duration_ms,
            speech_pad_ms=self.speech_pad_ms,
        )
        _at_least(1, max_speech_duration_s=self.max_speech_duration_s)
        if self.max_speech_duration_s == inf:
            raise OptionError("max_speech_duration_s must be a number of seconds, or None for no limit")

    @property
    def leave_threshold(self) -> float:
        """Probability below which speech ends."""
        return max(0.0, self.threshold - 0.15) if self.neg_threshold is None else self.neg_threshold


@dataclass(frozen=True, kw_only=True)
class TranscribeOptions:
    """How a recording becomes a transcript."""

    language: str | None = None
    """Code or English name of the language spoken; `None`: detected."""
    languages: tuple[str, ...] = ()
    """Codes or names of those among which the language is detected; empty: every one the model knows."""
    multilingual: bool = False
    """Detect the language of each window anew; one that is not sure is in the language of the recording."""
    language_detection_segments: int = 1
    """Most windows listened to for the language of the recording. More is surer where recordings begin with music."""
    language_detection_threshold: float = 0.5
    """Probability above which a window is sure of its language. Larger listens to more windows."""
    task: Task = "transcribe"
    """`transcribe` keeps the language, `translate` writes English, `both` gives one and the other."""
    initial_prompt: str | None = None
    """Text set before the first window: names, spelling, style."""
    carry_initial_prompt: bool = False
    """Set the initial prompt before every window instead of the first."""
    condition_on_previous_text: bool = True
    """Set the text so far before each window: more consistent, and more prone to loops."""
    prompt_reset_on_temperature: float = 0.5
    """A window decoded above this temperature is no context for the next. More keeps more of it."""
    hotwords: str | None = None
    """Names and terms that every window is told of, before the text so far."""
    clip_timestamps: tuple[float, ...] = ()
    """Start, end, start, end … in seconds of the parts to process; the last end may be left out."""
    word_timestamps: bool = False
    """Find when each word is spoken."""
    prepend_punctuations: str = "\"'“¿([{-"
    """Marks that belong to the word after them."""
    append_punctuations: str = "\"'.。,，!！?？:：”)]}、"
    """Marks that belong to the word before them."""
    hallucination_silence_threshold: float | None = None
    """Seconds of silence around doubtful text that make it skipped; needs `word_timestamps`."""
    plan: PlanName = "batched"
    """`batched` lays windows over speech and reads several at once; `sequential` reads one after the other."""
    batch_size: int | None = None
    """Windows read at once by the batched plan. More is faster, up to a point, and needs more memory. `None`: 8, and on
    a CUDA device as many as half of its free memory holds, up to 64."""
    decode: DecodeOptions = field(default_factory=DecodeOptions)
    fallback: FallbackOptions = field(default_factory=FallbackOptions)
    vad: VadOptions = field(default_factory=VadOptions)

    def __post_init__(self) -> None:
        if self.plan not in get_args(PlanName):
            raise OptionError(f"unknown plan {self.plan!r}", hint=" or ".join(get_args(PlanName)))
        _at_least(1, batch_size=self.batch_size)
        for language in (self.language, *self.languages):
            if language is not None:
                language_code(language)  # raises for an unknown one
        if self.task not in get_args(Task):
            raise OptionError(f"unknown task {self.task!r}", hint=f"one of {', '.join(get_args(Task))}")
        _at_least(1, language_detection_segments=self.language_detection_segments)
        _at_least(0, language_detection_threshold=self.language_detection_threshold)
        if self.hallucination_silence_threshold is not None and not self.word_timestamps:
            raise OptionError("hallucination_silence_threshold needs word_timestamps")
        _at_least(
            0,
            hallucination_silence_threshold=self.hallucination_silence_threshold,
            prompt_reset_on_temperature=self.prompt_reset_on_temperature,
        )
        _check_clips(self.clip_timestamps)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Codes of `languages`, each once."""
        return tuple(dict.fromkeys(language_code(language) for language in self.languages))

    @property
    def translates(self) -> bool:
        """Whether English text is wanted for other languages."""
        return self.task != "transcribe"


def temperature_ladder(start: float, increment: float | None) -> tuple[float, ...]:
    """The temperatures from `start` up to 1 in steps of `increment`; `None` or 0 gives `start` alone."""
    if not increment:
        return (start,)
    if increment < 0:
        raise OptionError(f"temperature_increment_on_fallback must not be negative, got {increment}")
    n_steps = int((1.0 - start) / increment + 1e-6)
    return tuple(start + step * increment for step in range(max(0, n_steps) + 1))


def _at_least(least: float, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not value >= least:  # also refuses NaN
            raise OptionError(f"{name} must be at least {least}, got {value}")


def _check_clips(times: Iterable[float]) -> None:
    points = tuple(times)
    _at_least(0, **{f"clip_timestamps[{index}]": point for index, point in enumerate(points)})
    for start, end in zip(points[::2], points[1::2], strict=False):
        if end <= start:
            raise OptionError(f"clip_timestamps holds a clip that ends at {end} s, before it starts at {start} s")
