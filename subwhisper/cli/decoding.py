"""Options of decoding, declared once: its language, how a window becomes text, and when that is not believed."""

from typing import Annotated

from subwhisper.cli.options import SPEECH_PANEL, option
from subwhisper.cli.values import (
    joined,
    parse_count,
    parse_factor,
    parse_language,
    parse_limit,
    parse_text,
    parse_whole_limit,
)

_DECODING, _FALLBACK = "Decoding", "Doubt and fallback"

# -- language -----------------------------------------------------------------------------------------------------

Candidates = Annotated[
    str | None,
    option(
        "--language", "-l", panel=SPEECH_PANEL, metavar="LIST", parser=parse_language,
        help="Languages it may be, with commas between: en,de (default: all that the model knows).",
    ),
]  # fmt: skip
Multilingual = Annotated[
    bool,
    option(
        "--multilingual/--no-multilingual", panel=SPEECH_PANEL,
        help="Detect the language of each window anew, for mixed speech.",
    ),
]  # fmt: skip
LanguageDetectionSegments = Annotated[
    int,
    option(
        "--language-detection-segments", panel=SPEECH_PANEL, min=1, metavar="N",
        help="Windows listened to, at most, for the language.",
    ),
]  # fmt: skip
LanguageDetectionThreshold = Annotated[
    float,
    option(
        "--language-detection-threshold", panel=SPEECH_PANEL, min=0.0, max=1.0, metavar="P",
        help="Probability above which a window is sure of its language.",
    ),
]  # fmt: skip


def parse_languages(text: str | None) -> tuple[str | None, tuple[str, ...]]:
    """`de` is the language spoken; of `en,de`, the languages it is one of, the recording decides."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    return (None, tuple(names)) if len(names) > 1 else (names[0] if names else None, ())


# -- decoding -----------------------------------------------------------------------------------------------------

BeamSize = Annotated[
    int, option("--beam-size", panel=_DECODING, metavar="N", parser=parse_count, help="Beams kept; 1 is greedy.")
]
BestOf = Annotated[
    int,
    option("--best-of", panel=_DECODING, metavar="N", parser=parse_count, help="Samples drawn above temperature 0."),
]
Patience = Annotated[
    float,
    option(
        "--patience", panel=_DECODING, metavar="X", parser=parse_factor,
        help="Finished beams to wait for, in multiples of the beam size.",
    ),
]  # fmt: skip
LengthPenalty = Annotated[
    float | None,
    option(
        "--length-penalty", panel=_DECODING, metavar="X", parser=parse_limit,
        help="0 to 1; more favours longer texts (default: by length).",
    ),
]  # fmt: skip
RepetitionPenalty = Annotated[
    float,
    option(
        "--repetition-penalty", panel=_DECODING, metavar="X", parser=parse_factor,
        help="Above 1, tokens already in the window become less likely.",
    ),
]  # fmt: skip
NoRepeatNgramSize = Annotated[
    int,
    option(
        "--no-repeat-ngram-size", panel=_DECODING, metavar="N", min=0,
        help="Runs of N tokens come once in a window; 0 forbids none.",
    ),
]  # fmt: skip
SuppressBlank = Annotated[
    bool,
    option(
        "--suppress-blank/--no-suppress-blank", panel=_DECODING,
        help="Forbid a window to begin with a space or with its end.",
    ),
]  # fmt: skip
SuppressTokens = Annotated[
    str,
    option(
        "--suppress-tokens", panel=_DECODING, metavar="IDS", parser=joined,
        help="Tokens never written, with commas between; -1 is the model's own list.",
    ),
]  # fmt: skip
WithoutTimestamps = Annotated[
    bool,
    option("--without-timestamps/--with-timestamps", panel=_DECODING, help="Text only: one segment per window."),
]
MaxInitialTimestamp = Annotated[
    float | None,
    option(
        "--max-initial-timestamp", panel=_DECODING, metavar="SECONDS", parser=parse_limit,
        help="By when a window's first segment starts; None: anywhere.",
    ),
]  # fmt: skip
MaxNewTokens = Annotated[
    int | None,
    option(
        "--max-new-tokens", "--sample-len", panel=_DECODING, metavar="N", parser=parse_whole_limit,
        help="Most tokens written per window (default: half of the text context).",
    ),
]  # fmt: skip
Prefix = Annotated[
    str | None,
    option("--prefix", panel=_DECODING, metavar="TEXT", parser=parse_text, help="Text every window begins with."),
]
Hotwords = Annotated[
    str | None,
    option(
        "--hotwords", panel=_DECODING, metavar="TEXT", parser=parse_text,
        help="Names and terms that every window is told of.",
    ),
]  # fmt: skip
InitialPrompt = Annotated[
    str | None,
    option(
        "--initial-prompt", panel=_DECODING, metavar="TEXT", parser=parse_text,
        help="Set before the first window: names, spelling, style.",
    ),
]  # fmt: skip
CarryInitialPrompt = Annotated[
    bool,
    option(
        "--carry-initial-prompt/--no-carry-initial-prompt", panel=_DECODING, help="Set it before every window.",
    ),
]  # fmt: skip
ConditionOnPreviousText = Annotated[
    bool,
    option(
        "--condition-on-previous-text/--no-condition-on-previous-text", panel=_DECODING,
        help="Set the text so far before each window.",
    ),
]  # fmt: skip
PromptResetOnTemperature = Annotated[
    float,
    option(
        "--prompt-reset-on-temperature", panel=_DECODING, min=0.0, metavar="T",
        help="A text drawn above this temperature is not set before the next window.",
    ),
]  # fmt: skip

# -- doubt and fallback -----------------------------------------------------------------------------------------

Temperature = Annotated[
    float, option("--temperature", panel=_FALLBACK, min=0.0, metavar="T", help="0 takes the likeliest; more samples.")
]
TemperatureIncrement = Annotated[
    float | None,
    option(
        "--temperature-increment-on-fallback", panel=_FALLBACK, metavar="T", parser=parse_limit,
        help="Added when a text is not believed, up to 1; None tries once.",
    ),
]  # fmt: skip
CompressionRatio = Annotated[
    float | None,
    option(
        "--compression-ratio-threshold", panel=_FALLBACK, metavar="X", parser=parse_limit,
        help="Above it a text repeats itself; None never doubts.",
    ),
]  # fmt: skip
Logprob = Annotated[
    float | None,
    option(
        "--logprob-threshold", "--log-prob-threshold", panel=_FALLBACK, metavar="X", parser=parse_limit,
        help="Mean log-probability below which a text is a guess.",
    ),
]  # fmt: skip
NoSpeech = Annotated[
    float | None,
    option(
        "--no-speech-threshold", panel=_FALLBACK, metavar="P", parser=parse_limit,
        help="Probability of no speech above which a guess is silence.",
    ),
]  # fmt: skip
HallucinationSilence = Annotated[
    float | None,
    option(
        "--hallucination-silence-threshold", panel=_FALLBACK, metavar="SECONDS", parser=parse_limit,
        help="Skip doubtful text within silences longer than this.",
    ),
]  # fmt: skip
