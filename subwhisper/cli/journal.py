"""`subwhisper journal`: what is kept of finished work, and what can be done with it."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, one_line, report, write_data

if TYPE_CHECKING:
    from subwhisper.pipeline.journal import Journal, JournalStatus

app = typer.Typer(help="Show what is kept of finished work, try failed jobs again, or forget it all.")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StatusArguments:
    """What was typed."""

    json: opt.Json = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RetryArguments:
    """What was typed."""

    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Recordings or folders to try again (default: all of them).", metavar="INPUT..."),
    ] = None
    quiet: opt.Quiet = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ClearArguments:
    """What was typed."""

    older_than: Annotated[
        float | None, typer.Option("--older-than", min=0, metavar="DAYS", help="Keep what is newer than this.")
    ] = None
    quiet: opt.Quiet = False


def run_status(arguments: StatusArguments) -> None:
    """Show where the journal is, how much it holds, and which recordings failed and why."""
    with Console():
        status = _journal().status()
    if arguments.json:
        report(status.to_dict())
    else:
        for line in _described(status):
            write_data(line)


def run_retry(arguments: RetryArguments) -> None:
    """Let recordings that failed or were set aside be tried again by the next batch."""
    from subwhisper.pipeline.inputs import absolute

    with Console(quiet=arguments.quiet) as console:
        n = _journal().retry([absolute(name) for name in arguments.inputs or ()])
        console.line(f"{n} to be tried again: run the batch once more" if n else "nothing to try again")


def run_clear(arguments: ClearArguments) -> None:
    """Forget finished windows, transcripts and jobs; captions on the disk stay."""
    from subwhisper.pipeline.journal import clear_journal

    with Console(quiet=arguments.quiet) as console:
        before, after = clear_journal(older_than_days=arguments.older_than)
        console.line(f"forgot {_size(max(0, before - after))}; {_size(after)} are left")


def _journal() -> "Journal":
    from subwhisper.pipeline.journal import Journal, journal_path  # brings SQLite: keep it in here

    return Journal(journal_path())


def _described(status: "JournalStatus") -> list[str]:
    jobs = ", ".join(f"{n} {state}" for state, n in status.jobs.items())
    lines = [
        f"journal      {status.path}, {_size(status.n_bytes)}",
        f"transcripts  {status.n_transcripts}",
        f"unfinished   {status.n_windows} windows",
        f"jobs         {jobs or 'none'}",
    ]
    for problem in status.problems:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(problem["when"]))
        why = (problem["error"] or {}).get("message", "no reason is known").removeprefix(problem["source"]).lstrip(": ")
        lines.append(one_line(f"{problem['state']:<12} {problem['source']} ({when}): {why}"))
    return lines


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} kB"


app.command("status")(opt.as_command(StatusArguments, run_status))
app.command("retry")(opt.as_command(RetryArguments, run_retry))
app.command("clear")(opt.as_command(ClearArguments, run_clear))
