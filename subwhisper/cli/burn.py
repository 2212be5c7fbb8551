"""`subwhisper burn`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report


@dataclass(frozen=True, kw_only=True)
class BurnArguments:
    """What was typed."""

    video: Annotated[Path, typer.Argument(help="A video.", metavar="VIDEO")]
    subtitles: Annotated[Path, typer.Argument(help="Subtitles in any format we read.", metavar="SUBTITLES")]
    output: opt.OutputFile = None
    second: Annotated[
        Path | None,
        typer.Option("--second", help="The same in another language, to be shown below.", rich_help_panel="Captions"),
    ] = None
    style: opt.CaptionStyle = None
    highlight: opt.Highlight = "none"
    encoding: opt.Encoding = None
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_burn(arguments: BurnArguments) -> None:
    """Draw captions into the picture of a video.

    A font comes along, so this works on a machine that has none. An .ass file keeps its own styles, unless --style says
    otherwise.
    """
    from subwhisper.pipeline.burn import burn_subtitles  # brings ffmpeg's libraries: keep it in here

    with Console(quiet=arguments.quiet) as console:
        with console.working():
            written = burn_subtitles(
                arguments.video,
                arguments.subtitles,
                arguments.output,
                second=arguments.second,
                look=opt.parse_look(arguments.style, arguments.highlight),
                encoding=arguments.encoding,
                on_progress=console.progress,
            )
        console.line(f"wrote {written}")
    if arguments.json:
        report({"outputs": [str(written)]})


burn = opt.as_command(BurnArguments, run_burn)
