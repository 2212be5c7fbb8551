"""Options, declared once; a command lists those it has, with defaults from the library.

The names of openai-whisper's command line are all here. A value given as the text `None` takes the option
back, or, where `NONE_IS_A_VALUE` says so, means what it means there: no threshold, no limit, no fallback.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from subwhisper.cli.values import joined, parse_language
from subwhisper.engine.precision import parse_compute

NONE_IS_A_VALUE = frozenset(
    {
        "--highlight",
        "--lang-style",
        "--language",
        "--beam-size",
        "--best-of",
        "--patience",
        "--length-penalty",
        "--suppress-tokens",
        "--initial-prompt",
        "--hotwords",
        "--prefix",
        "--max-initial-timestamp",
        "--max-new-tokens",
        "--sample-len",
        "--temperature-increment-on-fallback",
        "--compression-ratio-threshold",
        "--logprob-threshold",
        "--log-prob-threshold",
        "--no-speech-threshold",
        "--hallucination-silence-threshold",
    }
)
"""Options for which `None` says something other than "as if it had not been given"."""

ENVIRONMENT_PREFIX = "SUBWHISPER_"

A = TypeVar("A")


def as_command(arguments: type[A], run: Callable[[A], None], *, fixed: dict[str, Any] | None = None) -> Any:
    """Make a Typer command whose parameters are the fields of a dataclass.

    Args:
        arguments: its fields carry the aliases of this file and the defaults.
        run: gets the packed arguments; its docstring is the command's help.
        fixed: fields that this command settles and therefore does not offer.
    """
    settled = fixed or {}

    def command(**values: Any) -> None:
        run(arguments(**values, **settled))

    hints = get_type_hints(arguments, include_extras=True)
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_default(field),
                annotation=hints[field.name],
            )
            for field in fields(arguments)  # type: ignore[arg-type]
            if field.name not in settled
        ]
    )
    command.__annotations__ = {}
    command.__doc__ = run.__doc__
    return command


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default


def option(*names: str, help: str, panel: str, **more: Any) -> Any:
    """An option that can also be set by SUBWHISPER_ and its first long name."""
    long = next(name for name in names if name.startswith("--"))
    variable = ENVIRONMENT_PREFIX + long.split("/")[0].removeprefix("--").replace("-", "_").upper()
    return typer.Option(*names, help=help, rich_help_panel=panel, envvar=variable, show_envvar=False, **more)


_OUTPUT, _MODEL, SPEECH_PANEL, _JOURNAL = "Output", "Model and machine", "What is heard", "Journal"
_SEARCH, _BATCH = "Folders", "Batch"
_CAPTIONS = "Captions"

Inputs = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders, patterns, URLs, or - for standard input.", metavar="INPUT...", show_default=False
    ),
]

# -- output ---------------------------------------------------------------------------------------------------

Formats = Annotated[
    str,
    option(
        "--format", "-f", "--output-format", panel=_OUTPUT, metavar="LIST", parser=joined,
        help="Formats with commas between: srt, vtt, ass, txt, tsv, json; or all.",
    ),
]  # fmt: skip
OutputFolder = Annotated[
    Path | None,
    option("--output-dir", "-o", panel=_OUTPUT, help="Folder for the results (default: beside each input)."),
]
OutputFile = Annotated[
    Path | None,
    option("--output", "-o", panel=_OUTPUT, help="The file to write (default: STEM.captioned.mp4 beside the video)."),
]
Encoding = Annotated[
    str | None,
    option(
        "--encoding", panel=_CAPTIONS, metavar="NAME",
        help="Of the subtitles, where they are not Unicode: cp1252, cp1251, gb18030 ... (default: found out).",
    ),
]  # fmt: skip
Overwrite = Annotated[
    bool,
    option(
        "--overwrite/--no-overwrite", panel=_OUTPUT,
        help="Replace results of an earlier run. An input is never replaced.",
    ),
]  # fmt: skip
LangStyle = Annotated[
    str,
    option(
        "--lang-style", panel=_OUTPUT, metavar="STYLE",
        help="How names spell the language: iso1 (de), iso2t (deu), iso2b (ger), name (German), none.",
    ),
]  # fmt: skip
Variant = Annotated[
    str | None,
    option(
        "--variant", panel=_OUTPUT, metavar="WORD", help="Names get .forced, .sdh, .cc or .default, for media servers."
    ),
]
Burn = Annotated[
    bool,
    option(
        "--burn/--no-burn", panel=_OUTPUT,
        help="Also draw the captions into the picture: STEM.captioned.mp4. With --task both it shows both texts.",
    ),
]  # fmt: skip
Bilingual = Annotated[
    bool,
    option(
        "--bilingual/--no-bilingual", panel=_OUTPUT,
        help="With --task both: one file, STEM.mul.FORMAT, with the English text below the original.",
    ),
]  # fmt: skip
Json = Annotated[
    bool, option("--json/--no-json", panel=_OUTPUT, help="Print a machine-readable report on standard output.")
]
Quiet = Annotated[bool, option("--quiet/--no-quiet", "-q", panel=_OUTPUT, help="Say nothing but errors.")]
Verbose = Annotated[
    bool,
    option("--verbose/--no-verbose", panel=_OUTPUT, help="Print the text as it is recognised, on standard error."),
]

# -- journal ----------------------------------------------------------------------------------------------------

Journal = Annotated[
    bool,
    option(
        "--journal/--no-journal", panel=_JOURNAL,
        help="Keep finished work, so that it goes on where it was cut short and is never done twice.",
    ),
]  # fmt: skip
JournalSize = Annotated[
    float, option("--journal-size", panel=_JOURNAL, min=0, metavar="MB", help="Forget the oldest above this size.")
]
JournalDays = Annotated[
    float, option("--journal-days", panel=_JOURNAL, min=0, metavar="DAYS", help="Forget what is older than this.")
]

# -- folders --------------------------------------------------------------------------------------------------

Include = Annotated[
    list[str] | None,
    option(
        "--include", panel=_SEARCH, metavar="PATTERN", help="Only what fits, such as 'S01*' or 'talks/*'; repeatable."
    ),
]
Exclude = Annotated[
    list[str] | None, option("--exclude", panel=_SEARCH, metavar="PATTERN", help="Not what fits; repeatable.")
]
Lists = Annotated[
    list[str] | None,
    option("--list", panel=_SEARCH, metavar="FILE", help="A file with one input a line, or - ; repeatable."),
]
Recursive = Annotated[
    bool,
    option("--recursive/--no-recursive", panel=_SEARCH, help="Search folders to their depths, or only themselves."),
]
Redo = Annotated[
    bool,
    option("--redo/--no-redo", panel=_SEARCH, help="Make captions anew, also in folders where there are some already."),
]
TracksCount = Annotated[
    bool,
    option(
        "--tracks-count/--no-tracks-count", panel=_SEARCH,
        help="Take a video with a subtitle track in the language for captioned.",
    ),
]  # fmt: skip

# -- batch ----------------------------------------------------------------------------------------------------

Workers = Annotated[
    int | None,
    option(
        "--workers", panel=_BATCH, min=1, metavar="N",
        help="Recordings worked on at once, each with a model (default: 1; on a cluster as many as it has room for).",
    ),
]  # fmt: skip
Cluster = Annotated[
    str | None,
    option(
        "--cluster", panel=_BATCH, metavar="ADDRESS",
        help="Work on a Ray cluster: HOST:PORT, auto for the one this machine is part of, or local.",
    ),
]  # fmt: skip
Retries = Annotated[
    int, option("--retries", panel=_BATCH, min=0, metavar="N", help="More tries for failures that may pass.")
]
Subfolder = Annotated[
    str | None,
    option("--subfolder", panel=_OUTPUT, metavar="NAME", help="Put captions in a folder of this name, such as Subs."),
]
Watch = Annotated[
    bool, option("--watch/--no-watch", panel=_BATCH, help="Go on for ever: caption whatever comes into the folders.")
]
WatchEvery = Annotated[
    float, option("--every", panel=_BATCH, min=0.1, metavar="SECONDS", help="With --watch: time between two looks.")
]
Settle = Annotated[
    float,
    option(
        "--settle", panel=_BATCH, min=0, metavar="SECONDS",
        help="With --watch: leave files alone that changed within this time; they may be growing.",
    ),
]  # fmt: skip

# -- model and machine ------------------------------------------------------------------------------------------

Model = Annotated[
    str | None,
    option(
        "--model", "-m", panel=_MODEL, metavar="NAME|FILE|DIR",
        help="A known name (see: subwhisper models list), a checkpoint, or bundled. "
        "(default: the best one present, else turbo from the network, else bundled)",
    ),
]  # fmt: skip
ModelFolder = Annotated[
    Path | None, option("--model-dir", panel=_MODEL, help="A folder to look for NAME or NAME.pt in first.")
]
Offline = Annotated[bool, option("--offline/--no-offline", panel=_MODEL, help="Never use the network.")]
Device = Annotated[str, option("--device", panel=_MODEL, metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps.")]
Compute = Annotated[
    str,
    option(
        "--compute", panel=_MODEL, metavar="TYPE", parser=parse_compute,
        help="auto (float16 on a GPU, int8 where the processor gains from it, else float32), "
        "float32 (or fp32), bfloat16 (bf16), float16 (fp16) or int8 (i8).",
    ),
]  # fmt: skip
Fp16 = Annotated[
    bool | None,
    option("--fp16/--no-fp16", panel=_MODEL, help="openai-whisper's name: False means --compute float32."),
]
Threads = Annotated[
    int | None, option("--threads", panel=_MODEL, min=0, help="Processor threads (default: all; 0 means the same).")
]

# -- what is heard ----------------------------------------------------------------------------------------------

Language = Annotated[
    str | None,
    option(
        "--language", "-l", panel=SPEECH_PANEL, metavar="CODE|NAME", parser=parse_language,
        help="The language spoken, or those it is one of: en,de (default: detected).",
    ),
]  # fmt: skip
OneLanguage = Annotated[
    str | None,
    option(
        "--language", "-l", panel=SPEECH_PANEL, metavar="CODE|NAME", parser=parse_language,
        help="The language spoken (default: detected).",
    ),
]  # fmt: skip
Task = Annotated[
    str,
    option(
        "--task", panel=SPEECH_PANEL, metavar="TASK",
        help="transcribe keeps the language, translate writes English, both does both at once.",
    ),
]  # fmt: skip
AudioTrack = Annotated[
    str | None,
    option(
        "--audio-track", panel=SPEECH_PANEL, metavar="NUMBER|LANGUAGE",
        help="Which audio track: its number from 0, or its language (default: the file's own choice).",
    ),
]  # fmt: skip
ClipTimestamps = Annotated[
    str,
    option(
        "--clip-timestamps", panel=SPEECH_PANEL, metavar="SECONDS", parser=joined,
        help="Only these parts: start,end,start,end...; the last end may be left out.",
    ),
]  # fmt: skip

PreferSubtitles = Annotated[
    bool,
    option(
        "--prefer-subtitles/--no-prefer-subtitles", panel=SPEECH_PANEL,
        help="Where people wrote subtitles of it, on the page of a URL or in a track, take those and do not listen.",
    ),
]  # fmt: skip

# -- captions -----------------------------------------------------------------------------------------------------

WordTimestamps = Annotated[
    bool | None,
    option(
        "--word-timestamps/--no-word-timestamps", panel=_CAPTIONS,
        help="Find when each word is spoken (default: when captions or JSON are written).",
    ),
]  # fmt: skip
PrependPunctuations = Annotated[
    str, option("--prepend-punctuations", panel=_CAPTIONS, metavar="MARKS", help="Marks that join the next word.")
]
AppendPunctuations = Annotated[
    str, option("--append-punctuations", panel=_CAPTIONS, metavar="MARKS", help="Marks that join the word before.")
]
_REFINE = "Move the edges of words to where sound sets in and dies away"
Refine = Annotated[bool, option("--refine/--no-refine", panel=_CAPTIONS, help=f"{_REFINE}.")]
RefineFound = Annotated[
    bool | None, option("--refine/--no-refine", panel=_CAPTIONS, help=f"{_REFINE} (default: unless --vad none).")
]
HighlightWords = Annotated[
    bool,
    option("--highlight-words/--no-highlight-words", panel=_CAPTIONS, help="Underline each word as it is spoken."),
]
Highlight = Annotated[
    str,
    option(
        "--highlight", panel=_CAPTIONS, metavar="HOW",
        help="The word being said: none, underline, words (three colours), karaoke (times of the format's own).",
    ),
]  # fmt: skip
CaptionStyle = Annotated[
    str | None,
    option(
        "--style", panel=_CAPTIONS, metavar="STYLE",
        help="How captions are drawn: classic, box, yellow, broadcast, large, top, shorts, karaoke; or with values of "
        "your own, such as box,colour=yellow,size=64.",
    ),
]  # fmt: skip
