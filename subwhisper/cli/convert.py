"""`subwhisper convert`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report
from subwhisper.cli.values import parse_look
from subwhisper.cli.verdict import verdict
from subwhisper.errors import SubwhisperError

if TYPE_CHECKING:
    from subwhisper.pipeline.convert import Converted, ConvertJob

_OUTPUT, _INPUT = "Output", "Input"
_REPAIRS_SHOWN = 20


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ConvertArguments:
    """What was typed."""

    inputs: Annotated[
        list[str], typer.Argument(help="Subtitle files of any format, folders of them, or URLs.", metavar="FILE...")
    ]
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="LIST",
            rich_help_panel=_OUTPUT,
            help="Formats with commas between: srt, vtt, ass, ssa, ttml, lrc, sbv, sub, mpl, smi, scc, stl, json, "
            "csv, tsv, txt.",
        ),
    ] = ""
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", rich_help_panel=_OUTPUT, help="The file to write, of an only input."),
    ] = None
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir", rich_help_panel=_OUTPUT, help="Folder for the results (default: beside each input)."
        ),
    ] = None
    overwrite: opt.Overwrite = True
    source_format: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FORMAT", rich_help_panel=_INPUT, help="Format of the inputs (default: found out)."
        ),
    ] = None
    encoding: opt.Encoding = None
    fps: Annotated[
        float | None,
        typer.Option(
            "--fps",
            min=1,
            max=1000,
            rich_help_panel=_INPUT,
            help="Frames per second of MicroDVD files that do not say (default: 23.976); of EBU STL: 25 or 29.97.",
        ),
    ] = None
    style: opt.CaptionStyle = None
    highlight: opt.Highlight = "none"
    json: opt.Json = False
    quiet: opt.Quiet = False

    def job(self) -> "ConvertJob":
        """Everything, as the pipeline takes it.

        Raises:
            OptionError: a value cannot be.
        """
        from subwhisper.pipeline.convert import ConvertJob, parse_formats

        return ConvertJob(
            formats=parse_formats(self.formats),
            output=self.output,
            folder=self.output_dir,
            overwrite=self.overwrite,
            encoding=self.encoding,
            fps=self.fps,
            source_format=self.source_format,
            look=parse_look(self.style, self.highlight),
        )


def run_convert(arguments: ConvertArguments) -> None:
    """Write subtitle files in other formats, and say what these cannot hold.

    What is wrong with a file is put right where it can be, and told with its line. The timed words of a transcript
    (.json) are laid out as subwhisper layout does it. For example:
    subwhisper convert film.ass -f srt,vtt
    """
    from subwhisper.pipeline.convert import convert_files  # brings the readers: keep it in here
    from subwhisper.pipeline.inputs import Source

    rows: list[dict[str, Any]] = []
    problem: SubwhisperError | None = None
    try:
        with Console(quiet=arguments.quiet) as console:
            sources = [Source.named(name) for name in arguments.inputs]
            outcomes = [_told(console, one) for one in convert_files(sources, arguments.job())]
        rows = [outcome.to_dict() for outcome in outcomes]
        problems = [outcome.error for outcome in outcomes if outcome.error]
        for error in problems if len(outcomes) > 1 else []:  # an only input's error is what the command ends with
            console.fail(error)
        if problems:
            raise verdict(problems, len(outcomes))
    except SubwhisperError as error:
        problem = error
        raise
    finally:
        if arguments.json:
            report({"inputs": rows, "error": problem.to_dict() if problem else None})


def _told(console: Console, outcome: "Converted") -> "Converted":
    """Say what became of a file."""
    for repair in outcome.repairs[:_REPAIRS_SHOWN]:
        at = f", line {repair.line}" if repair.line else ""
        console.line(f"{outcome.source}{at}: {repair.what}")
    if (more := len(outcome.repairs) - _REPAIRS_SHOWN) > 0:
        console.line(f"{outcome.source}: and {more} more; --json lists them all")
    for written in outcome.outputs:
        console.line(f"wrote {written.path}")
        if written.losses:
            console.line(f"  {written.format} cannot hold: {', '.join(map(str, written.losses))}")
    return outcome


convert = opt.as_command(ConvertArguments, run_convert)
