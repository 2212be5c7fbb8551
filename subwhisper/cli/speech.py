"""Options of long recordings, declared once: how windows are laid, and where someone speaks."""

from typing import Annotated

from subwhisper.cli.options import option
from subwhisper.cli.values import parse_limit

_PANEL = "Windows and speech"

Plan = Annotated[
    str,
    option(
        "--plan", panel=_PANEL, metavar="NAME",
        help="batched lays windows over speech and reads several at once; sequential reads as openai-whisper does.",
    ),
]  # fmt: skip
Batched = Annotated[
    bool | None,
    option("--batched/--no-batched", panel=_PANEL, hidden=True, help="whisper-ctranslate2's name for --plan."),
]
BatchSize = Annotated[
    int | None,
    option(
        "--batch-size", panel=_PANEL, metavar="N", min=1,
        help="Windows read at once by the batched plan: 8, or as many as fill a GPU, if not given.",
    ),
]  # fmt: skip
Vad = Annotated[
    str,
    option(
        "--vad", panel=_PANEL, metavar="NAME",
        help="What tells speech from the rest: silero, energy, or none.",
    ),
]  # fmt: skip
VadFilter = Annotated[
    bool | None,
    option("--vad-filter/--no-vad-filter", panel=_PANEL, hidden=True, help="faster-whisper's name for --vad."),
]
VadThreshold = Annotated[
    float,
    option(
        "--vad-threshold", "--vad-onset", panel=_PANEL, metavar="P",
        help="Probability at which speech begins.",
    ),
]  # fmt: skip
VadNegThreshold = Annotated[
    float | None,
    option(
        "--vad-neg-threshold", "--vad-offset", panel=_PANEL, metavar="P", parser=parse_limit,
        help="Probability below which it ends (default: 0.15 under the other).",
    ),
]  # fmt: skip
VadMinSpeech = Annotated[
    int,
    option("--vad-min-speech-duration-ms", panel=_PANEL, metavar="MS", min=0, help="Shorter speech is none."),
]
VadMaxSpeech = Annotated[
    float | None,
    option(
        "--vad-max-speech-duration-s", panel=_PANEL, metavar="SECONDS", parser=parse_limit,
        help="Longer speech is cut in a pause (default: only where a window needs it).",
    ),
]  # fmt: skip
VadMinSilence = Annotated[
    int,
    option(
        "--vad-min-silence-duration-ms", panel=_PANEL, metavar="MS", min=0,
        help="Shorter pauses are part of the speech around them.",
    ),
]  # fmt: skip
VadPad = Annotated[
    int,
    option("--vad-speech-pad-ms", panel=_PANEL, metavar="MS", min=0, help="Sound kept before and after speech."),
]
