"""`subwhisper burn`."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report
from subwhisper.cli.subtitles import parse_duration
from subwhisper.cli.values import parse_look


def _picture_option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="Picture", **more)


Second = Annotated[
    str | None,
    typer.Option("--second", help="The same in another language, to be shown below.", rich_help_panel="Captions"),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME|FILE.toml", rich_help_panel="Captions",
        help="Lay the words of a transcript out by these rules (default: netflix); see subwhisper layout --help.",
    ),
]  # fmt: skip
Preview = Annotated[
    int | None,
    typer.Option(
        "--preview", metavar="TIME", parser=parse_duration, rich_help_panel="Output",
        help="Only write the frame at this time, as a picture: STEM.preview.png.",
    ),
]  # fmt: skip
Strict = Annotated[
    bool,
    typer.Option(
        "--strict/--no-strict", rich_help_panel="Captions", help="Refuse characters that no font has (default: warn)."
    ),
]
KeepSubtitles = Annotated[
    bool,
    _picture_option("--keep-subtitles/--no-keep-subtitles", help="Keep subtitle tracks of the video, switched off."),
]
Codec = Annotated[
    str | None,
    _picture_option(
        "--codec", metavar="NAME",
        help="h264, hevc, av1 or vp9 (default: hevc for 10 bits and HDR, which it keeps; vp9 in .webm; else h264).",
    ),
]  # fmt: skip
Quality = Annotated[
    float | None,
    _picture_option("--quality", metavar="CRF", help="0 is nearly lossless; more is smaller (default: a good one)."),
]
Hardware = Annotated[
    bool,
    _picture_option("--hardware/--no-hardware", help="Encode with the graphics card, if it works: faster, larger."),
]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BurnArguments:
    """What was typed."""

    video: Annotated[str, typer.Argument(help="A video: a file, or a URL.", metavar="VIDEO")]
    subtitles: Annotated[
        str,
        typer.Argument(
            help="Subtitles in any format we read, or the JSON of a transcript: a file, or a URL.", metavar="SUBTITLES"
        ),
    ]
    output: opt.OutputFile = None
    preview: Preview = None
    second: Second = None
    profile: ProfileName = None
    style: opt.CaptionStyle = None
    highlight: opt.Highlight = "none"
    strict: Strict = False
    encoding: opt.Encoding = None
    codec: Codec = None
    quality: Quality = None
    hardware: Hardware = False
    keep_subtitles: KeepSubtitles = True
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_burn(arguments: BurnArguments) -> None:
    """Draw captions into the picture of a video.

    The words of a transcript are laid out as subwhisper layout does it.
    Fonts come along, so this works on a machine that has none; subwhisper fonts tells of scripts they lack. An .ass
    file keeps its own styles, unless --style says otherwise. Sound, other tracks and metadata are kept.
    """
    from subwhisper.media.encoders import PictureOptions
    from subwhisper.pipeline.burn import BurnJob, burn_subtitles, preview_subtitles  # brings ffmpeg's libraries
    from subwhisper.pipeline.inputs import the_source
    from subwhisper.subtitles.layout import load_profile

    job = BurnJob(
        profile=None if arguments.profile is None else load_profile(arguments.profile),
        look=parse_look(arguments.style, arguments.highlight),
        second=the_source(arguments.second) if arguments.second else None,
        picture=PictureOptions(codec=arguments.codec, quality=arguments.quality, hardware=arguments.hardware),
        keep_subtitles=arguments.keep_subtitles,
        strict=arguments.strict,
        encoding=arguments.encoding,
    )
    video, subtitles, output = the_source(arguments.video), the_source(arguments.subtitles), arguments.output
    with Console(quiet=arguments.quiet) as console:
        with console.working():
            if arguments.preview is None:
                written = burn_subtitles(video, subtitles, output, job, on_progress=console.progress)
            else:
                moment = arguments.preview / 1000
                written = preview_subtitles(video, subtitles, moment, output, job, on_progress=console.progress)
        console.line(f"wrote {written}")
    if arguments.json:
        report({"outputs": [str(written)]})


burn = opt.as_command(BurnArguments, run_burn)
