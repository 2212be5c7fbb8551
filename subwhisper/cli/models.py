"""`subwhisper models`: what there is, what is here, and fetching one."""

from dataclasses import dataclass
from typing import Annotated

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report, write_data

app = typer.Typer(help="List the models there are, or fetch one for later.")


@dataclass(frozen=True, kw_only=True)
class ListArguments:
    """What was typed."""

    json: opt.Json = False


@dataclass(frozen=True, kw_only=True)
class PullArguments:
    """What was typed."""

    name: Annotated[str, typer.Argument(help="A name that subwhisper models list shows.", metavar="NAME")]
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


def run_pull(arguments: PullArguments) -> None:
    """Fetch a model, so that later jobs need no network."""
    from subwhisper.pipeline.models import pull

    with Console(quiet=arguments.quiet) as console:
        with console.working():
            path = pull(arguments.name, on_progress=console.progress)
        console.line(f"{arguments.name} is in {path}")


app.command("list")(opt.as_command(ListArguments, run_list))
app.command("pull")(opt.as_command(PullArguments, run_pull))
