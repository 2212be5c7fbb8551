"""`subwhisper models`: what there is, what is here, fetching, converting and removing one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, one_line, report, write_data
from subwhisper.errors import OptionError

app = typer.Typer(help="List the models there are, fetch, examine, convert or remove one.")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ListArguments:
    """What was typed."""

    json: opt.Json = False


Fetchable = Annotated[
    str, typer.Argument(help="A name that subwhisper models list shows, or OWNER/NAME of the hub.", metavar="NAME")
]
AnyModel = Annotated[str, typer.Argument(help="A known name, a checkpoint's file or folder.", metavar="NAME|FILE|DIR")]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DownloadArguments:
    """What was typed."""

    name: Fetchable
    quiet: opt.Quiet = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InfoArguments:
    """What was typed."""

    name: AnyModel
    json: opt.Json = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PathArguments:
    """What was typed."""

    name: AnyModel


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RemoveArguments:
    """What was typed."""

    name: Fetchable
    quiet: opt.Quiet = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ConvertArguments:
    """What was typed."""

    model: AnyModel
    output: Annotated[
        Path,
        typer.Argument(
            help="What to write: NAME.pt is OpenAI's file, NAME.bin whisper.cpp's ggml, NAME a Hugging Face folder.",
            metavar="OUTPUT",
        ),
    ]
    weights: Annotated[
        str | None,
        opt.option(
            "--weights", panel="Output", metavar="TYPE",
            help="f32, f16 or bf16; for ggml f32, f16, q4_0, q4_1, q5_0, q5_1 or q8_0 "
            "(default: as they are; for ggml f16).",
        ),
    ] = None  # fmt: skip
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite/--no-overwrite", rich_help_panel="Output", help="Replace what has that name."),
    ] = False
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_list(arguments: ListArguments) -> None:
    """List every known model, its size, what it can do, and whether it is here."""
    from subwhisper.pipeline.models import catalog, present_names

    here = present_names()
    rows = [
        {
            "name": entry.name,
            "aliases": list(entry.aliases),
            "bytes": entry.size_bytes,
            "languages": len(entry.languages),
            "translates": entry.can_translate,
            "present": entry.name in here,
        }
        for entry in catalog()
    ]
    if arguments.json:
        report({"models": rows})
        return
    write_data(f"{'name':<20}{'download':>10}  {'languages':<11}{'translates':<12}here")
    for entry in catalog():
        languages = "English" if len(entry.languages) == 1 else str(len(entry.languages))
        translates, present = ("yes" if yes else "-" for yes in (entry.can_translate, entry.name in here))
        size = f"{entry.size_bytes / 1e6:,.0f} MB"
        write_data(f"{' '.join((entry.name, *entry.aliases)):<20}{size:>10}  {languages:<11}{translates:<12}{present}")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AlignHeadsArguments:
    """What was typed."""

    model: AnyModel
    output: Annotated[
        Path, typer.Argument(help="The model with its new heads: NAME.pt, or NAME for a folder.", metavar="OUTPUT")
    ]
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(help="Recordings with STEM.words.json (word, start, end) beside them.", metavar="RECORDING..."),
    ] = None
    inherit: Annotated[
        str | None,
        opt.option("--inherit", panel="Output", metavar="NAME", help="Take those of a public model of the same shape."),
    ] = None
    language: Annotated[
        str,
        opt.option("--language", "-l", panel=opt.SPEECH_PANEL, metavar="CODE|NAME", help="The language spoken."),
    ] = "en"
    quiet: opt.Quiet = False


def run_align_heads(arguments: AlignHeadsArguments) -> None:
    """Give a model the alignment heads that follow speech best, searched in recordings or another model's."""
    from subwhisper.languages import language_code
    from subwhisper.model.checkpoints import read_checkpoint
    from subwhisper.pipeline.align_heads import inherited, search
    from subwhisper.pipeline.conversion import convert, format_of
    from subwhisper.pipeline.models import path_of

    if bool(arguments.recordings) == bool(arguments.inherit):
        raise OptionError("give either recordings with known words, or --inherit NAME")
    if format_of(arguments.output) == "ggml":
        raise OptionError("ggml files have no place for alignment heads", hint="write NAME.pt, or NAME for a folder")
    source = path_of(arguments.model)
    with Console(quiet=arguments.quiet) as console:
        with console.working():
            checkpoint = read_checkpoint(source)
            if arguments.inherit:
                heads = inherited(checkpoint, arguments.inherit)
            else:
                language = language_code(arguments.language)
                found = search(checkpoint, arguments.recordings or (), language, console.progress)
                heads = found.heads
                console.line(f"word starts are off by {found.error:.3f} s, before by {found.error_before:.3f} s")
            convert(
                source,
                arguments.output,
                weights=None,
                overwrite=False,
                on_progress=console.progress,
                alignment_heads=heads,
            )
        console.line(f"{arguments.output}: heads {' '.join(f'{layer}.{head}' for layer, head in heads)}")


def run_download(arguments: DownloadArguments) -> None:
    """Fetch a model, so that later jobs need no network."""
    from subwhisper.pipeline.models import download

    with Console(quiet=arguments.quiet) as console:
        with console.working():
            path = download(arguments.name, on_progress=console.progress)
        console.line(f"{arguments.name} is in {path}")


def run_info(arguments: InfoArguments) -> None:
    """Tell what a model is: its format, its size, what it can do, which heads follow the speech."""
    from subwhisper.pipeline.models import describe

    with Console():
        facts = describe(arguments.name)
    if arguments.json:
        report(facts)
        return
    for label, value in _labelled(facts):
        write_data(f"{label:<16}{one_line(value)}")


def _labelled(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "name", facts["name"]
    if facts["present"]:
        yield "path", facts["path"]
        yield "format", f"{facts['format']}, weights as {facts['weights']}, {facts['bytes'] / 1e6:,.1f} MB"
        yield "sha256", facts["sha256"]
    else:
        yield "path", f"not here; subwhisper models download {facts['name']} fetches {facts['download'] / 1e6:,.0f} MB"
    dims, languages = facts["dims"], facts["languages"]
    yield "parameters", f"{facts['parameters'] / 1e6:,.1f} million"
    yield "network", "{n_audio_layer} + {n_text_layer} layers, {n_audio_state} wide, {n_mels} mel bins".format(**dims)
    yield "vocabulary", f"{dims['n_vocab']:,} entries"
    yield "languages", f"{len(languages)}: {' '.join(languages)}" if len(languages) > 1 else "English"
    yield "translates", "yes" if facts["translates"] else "no"
    if not facts.get("reads_prompts", True):
        yield "prompts", "reads none"
    yield "alignment heads", " ".join(f"{layer}.{head}" for layer, head in facts["alignment_heads"])


def run_path(arguments: PathArguments) -> None:
    """Print where a model is on this machine."""
    from subwhisper.pipeline.models import path_of

    write_data(str(path_of(arguments.name)))


def run_remove(arguments: RemoveArguments) -> None:
    """Delete a model that was fetched; files and folders of your own are not touched."""
    from subwhisper.pipeline.models import remove

    n_bytes = remove(arguments.name)
    with Console(quiet=arguments.quiet) as console:
        console.line(f"{arguments.name} is removed: {n_bytes / 1e6:,.1f} MB are free again")


def run_convert(arguments: ConvertArguments) -> None:
    """Write a model as the file of another program: openai-whisper's, whisper.cpp's, or a Hugging Face folder."""
    from subwhisper.pipeline.conversion import convert
    from subwhisper.pipeline.models import path_of

    with Console(quiet=arguments.quiet or arguments.json) as console:
        with console.working():
            converted = convert(
                path_of(arguments.model),
                arguments.output,
                weights=arguments.weights,
                overwrite=arguments.overwrite,
                on_progress=console.progress,
            )
        console.line(f"{converted.path}: {converted.format}, {converted.n_bytes / 1e6:,.1f} MB")
        for lost in converted.lost:
            console.line(f"  {converted.format} has no place for {lost}")
    if arguments.json:
        report(
            {
                "output": str(converted.path),
                "format": converted.format,
                "bytes": converted.n_bytes,
                "lost": list(converted.lost),
            }
        )


app.command("list")(opt.as_command(ListArguments, run_list))
app.command("info")(opt.as_command(InfoArguments, run_info))
app.command("download")(opt.as_command(DownloadArguments, run_download))
app.command("pull", hidden=True)(opt.as_command(DownloadArguments, run_download))
app.command("path")(opt.as_command(PathArguments, run_path))
app.command("convert")(opt.as_command(ConvertArguments, run_convert))
app.command("align-heads")(opt.as_command(AlignHeadsArguments, run_align_heads))
app.command("remove")(opt.as_command(RemoveArguments, run_remove))
