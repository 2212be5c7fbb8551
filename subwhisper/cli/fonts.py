"""`subwhisper fonts`: the fonts that captions are drawn with, and adding some for other scripts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, one_line, report, write_data

app = typer.Typer(help="Show which scripts captions can be drawn in, or add fonts for more.")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ListArguments:
    """What was typed."""

    json: opt.Json = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AddArguments:
    """What was typed."""

    source: Annotated[Path, typer.Argument(help="A font (.ttf, .otf, .ttc), or a folder of some.", metavar="FILE|DIR")]
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_list(arguments: ListArguments) -> None:
    """Show the fonts of the package, those you added, and the scripts that captions cannot be drawn in here.

    Fonts of the system are used as well. For Chinese, Japanese and Korean: apt install fonts-noto-cjk, or add any font
    file that has them.
    """
    from subwhisper.media.facts import SCRIPTS, font_facts, missing_scripts
    from subwhisper.media.fonts import added_fonts

    ours, added, lacking = font_facts(), added_fonts(), missing_scripts()
    drawn = [name for name in SCRIPTS if name not in lacking]
    if arguments.json:
        files = {"package": [str(path) for path in ours.files], "added": [str(path) for path in added]}
        report({**files, "scripts": drawn, "missing": lacking})
        return
    write_data(f"package   {', '.join(path.stem for path in ours.files) or ours.problem}")
    write_data(one_line(f"added     {', '.join(path.name for path in added) or 'none'}"))
    write_data(f"scripts   {', '.join(drawn)}")
    for name, characters in lacking.items():
        write_data(f"missing   {name}: no font has {characters}")


def run_add(arguments: AddArguments) -> None:
    """Keep fonts for captions, for scripts that the package's do not have.

    They are copied into the user's data folder and used by every burn from then on.
    """
    from subwhisper.media.fonts import add_fonts

    kept = add_fonts(arguments.source)
    with Console(quiet=arguments.quiet) as console:
        for path in kept:
            console.line(f"wrote {path}")
    if arguments.json:
        report({"outputs": [str(path) for path in kept]})


app.command("list")(opt.as_command(ListArguments, run_list))
app.command("add")(opt.as_command(AddArguments, run_add))
