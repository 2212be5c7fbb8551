"""`subwhisper diff`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, one_line, report, write_data
from subwhisper.cli.subtitles import LENGTH_OPTION, First, Second, edit_option

if TYPE_CHECKING:
    from subwhisper.subtitles.diff import Comparison, Pair
    from subwhisper.subtitles.track import Track

DIFFERENT = 1
"""Exit code when the files differ, as that of its Unix namesake."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DiffArguments:
    """What was typed after `diff`."""

    first: First
    second: Second
    tolerance: Annotated[
        int, edit_option("--tolerance", help="Times no further apart than this count as the same.", **LENGTH_OPTION)
    ] = 0
    encoding: opt.Encoding = None
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_diff(arguments: DiffArguments) -> None:
    """Compare two subtitle files: their times and their words.

    Ends with 0 when they say and show the same, with 1 when they differ.
    """
    from subwhisper.pipeline.inputs import as_text, the_source
    from subwhisper.subtitles.diff import compare
    from subwhisper.subtitles.formats import read_track

    def read(name: str) -> "Track":
        with as_text(the_source(name)) as path:
            return read_track(path, encoding=arguments.encoding)

    with Console(quiet=arguments.quiet):
        first, second = read(arguments.first), read(arguments.second)
        found = compare(first, second, tolerance_ms=arguments.tolerance)
    if arguments.json:
        report(found.to_dict())
    elif not arguments.quiet:
        write_data("\n".join(_diff_lines(found)))
    if found.differences:
        raise typer.Exit(DIFFERENT)


def _diff_lines(found: "Comparison") -> list[str]:
    """A row per difference, and a summary."""
    counts = found.to_dict()["cues"]
    rows = [_diff_row(pair) for pair in found.differences]
    heading = [f"{'first':>6} {'second':>6} {'at':>12} {'start':>9} {'end':>9}  text"] if rows else []
    starts = found.to_dict()["start_difference_ms"]
    summary = (
        f"{counts['paired']} cues in both: {counts['other_times']} at other times, {counts['other_text']} with other "
        f"text; {counts['only_in_first']} only in the first, {counts['only_in_second']} only in the second"
    )
    if starts["median"] is not None and counts["other_times"]:
        summary += f"; starts differ by {starts['median']:+.0f} ms in the median, "
        summary += f"{starts['smallest']:+d} to {starts['largest']:+d} ms in all"
    return [*heading, *map(one_line, rows), summary]


def _diff_row(pair: "Pair") -> str:
    from subwhisper.subtitles.diff import word_changes
    from subwhisper.subtitles.formats.clock import clock

    def shown(value: int | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    first, second = (cue.text if cue else "" for cue in (pair.first, pair.second))
    return (
        f"{shown(pair.first_number, 'd'):>6} {shown(pair.second_number, 'd'):>6} "
        f"{clock(pair.start_ms, point='.', hours=True):>12} "
        f"{shown(pair.start_difference_ms, '+d'):>9} {shown(pair.end_difference_ms, '+d'):>9}  "
        f"{word_changes(first, second)}"
    )


diff = opt.as_command(DiffArguments, run_diff)
