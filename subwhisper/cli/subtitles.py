"""`subwhisper shift`, `stretch`, `merge`, `split` and `diff`: subtitle files edited and compared."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report, write_data
from subwhisper.errors import OptionError

if TYPE_CHECKING:
    from subwhisper.subtitles.diff import Comparison, Pair
    from subwhisper.subtitles.edit import Piece
    from subwhisper.subtitles.track import Track

DIFFERENT = 1
"""Exit code of `diff` when the files differ, as of its Unix namesake."""

_EDIT, _OUTPUT = "Edit", "Output"
_TIME = re.compile(r"([+-]?)(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)(ms|s)?")


def parse_time(value: Any) -> int:
    """Milliseconds from a time as people write it: `2.5`, `-1:30`, `01:02:03,456`, `400ms`."""
    match = _TIME.fullmatch(str(value).strip())
    if not match or (match[5] and match[3]):
        raise typer.BadParameter(f"{value!r} is not a time; 2.5, -1:30 and 01:02:03.456 are, and 400ms")
    number = float(match[4].replace(",", "."))
    ms = number if match[5] == "ms" else ((int(match[2] or 0) * 60 + int(match[3] or 0)) * 60 + number) * 1000
    return round(-ms if match[1] == "-" else ms)


def parse_duration(value: Any) -> int:
    """A time that is not negative, in milliseconds."""
    ms = parse_time(value)
    if ms < 0:
        raise typer.BadParameter(f"{value!r} is negative")
    return ms


def parse_cuts(value: Any) -> str:
    """Times with commas between; checked here, and read by `_cuts`."""
    for part in _parts(value):
        parse_duration(part)
    return str(value)


def _parts(value: Any) -> list[str]:
    return [part for part in str(value).split(",") if part.strip()]


def parse_point(value: Any) -> tuple[int, int]:
    """An old and a new time: `0:10=0:12.5`."""
    old, equals, new = str(value).partition("=")
    if not equals:
        raise typer.BadParameter(f"{value!r} is not OLD=NEW, such as 0:10=0:12.5")
    return parse_time(old), parse_time(new)


def _edit(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=_EDIT, **more)


_TIME_OPTION: dict[str, Any] = {"metavar": "TIME", "parser": parse_time}
_LENGTH_OPTION: dict[str, Any] = {"metavar": "TIME", "parser": parse_duration}

File = Annotated[Path, typer.Argument(help="Subtitles in any format we read.", metavar="FILE")]
First = Annotated[Path, typer.Argument(help="Subtitles in any format we read.", metavar="FIRST")]
Second = Annotated[Path, typer.Argument(help="Subtitles to put with them or to compare.", metavar="SECOND")]


@dataclass(frozen=True, kw_only=True)
class EditArguments:
    """What every command that changes a file is told."""

    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write (default: beside the input).", rich_help_panel=_OUTPUT),
    ] = None
    in_place: Annotated[
        bool, typer.Option("--in-place/--no-in-place", help="Replace the input itself.", rich_help_panel=_OUTPUT)
    ] = False
    overwrite: opt.Overwrite = True
    encoding: opt.Encoding = None
    json: opt.Json = False
    quiet: opt.Quiet = False


@dataclass(frozen=True, kw_only=True)
class ShiftArguments(EditArguments):
    """What was typed after `shift`."""

    file: File
    by: Annotated[int, _edit("--by", help="How much later; below 0 is earlier. Seconds, or a clock.", **_TIME_OPTION)]
    start: Annotated[int, _edit("--from", help="Only cues that start at this time or later.", **_LENGTH_OPTION)] = 0
    end: Annotated[int | None, _edit("--to", help="Only cues that start before this time.", **_LENGTH_OPTION)] = None


def run_shift(arguments: ShiftArguments) -> None:
    """Show subtitles earlier or later: all of them, or those of a part.

    For example: subwhisper shift film.srt --by -2.5
    """
    from subwhisper.subtitles.edit import Part, Retiming, retime

    part = Part(arguments.start, arguments.end)
    _run_edit(arguments, arguments.file, lambda track: retime(track, Retiming(offset_ms=arguments.by), part), "shifted")


@dataclass(frozen=True, kw_only=True)
class StretchArguments(EditArguments):
    """What was typed after `stretch`."""

    file: File
    factor: Annotated[float | None, _edit("--factor", help="Multiply every time by this.", metavar="X")] = None
    from_fps: Annotated[
        float | None, _edit("--from-fps", help="Frames per second of the film it was made for.", metavar="X")
    ] = None
    to_fps: Annotated[
        float | None, _edit("--to-fps", help="Frames per second of the film it is for; with --from-fps.", metavar="X")
    ] = None
    point: Annotated[
        list[Any] | None,
        _edit("--point", help="What is at OLD belongs at NEW; give two.", metavar="OLD=NEW", parser=parse_point),
    ] = None


def run_stretch(arguments: StretchArguments) -> None:
    """Make subtitles slower or faster: by a factor, between frame rates, or through two points.

    23.976, 29.97 and 59.94 are taken for what they are short for: 24000/1001 and so on.
    """
    from subwhisper.subtitles.edit import Retiming, retime

    rates, points = (arguments.from_fps, arguments.to_fps), arguments.point or []
    given = [arguments.factor is not None, rates != (None, None), bool(points)]
    if sum(given) != 1:
        raise OptionError("say how to stretch in one way", hint="--factor, or --from-fps with --to-fps, or two --point")
    if arguments.factor is not None:
        line = Retiming(arguments.factor)
    elif points:
        if len(points) != 2:
            raise OptionError(f"--point must be given twice, not {len(points)} times")
        line = Retiming.through(*points)
    else:
        if rates[0] is None or rates[1] is None:
            raise OptionError("--from-fps and --to-fps need each other")
        line = Retiming.between_rates(rates[0], rates[1])
    _run_edit(arguments, arguments.file, lambda track: retime(track, line), "stretched")


def _run_edit(arguments: EditArguments, file: Path, change: "Callable[[Track], Track]", done: str) -> None:
    from subwhisper.pipeline.edit import Destination, edit_file  # brings pysubs2: keep it in here

    with Console(quiet=arguments.quiet) as console:
        destination = Destination(arguments.output, in_place=arguments.in_place, overwrite=arguments.overwrite)
        written = edit_file(file, change, destination, done=done, encoding=arguments.encoding)
        console.line(f"wrote {written}")
    if arguments.json:
        report({"outputs": [str(written)]})


@dataclass(frozen=True, kw_only=True)
class MergeArguments(EditArguments):
    """What was typed after `merge`."""

    first: First
    second: Second
    append: Annotated[bool, _edit("--append/--no-append", help="Put SECOND after FIRST, instead of both at once.")] = (
        False
    )
    offset: Annotated[
        int, _edit("--offset", help="Where SECOND begins: how long the recording of FIRST is.", **_LENGTH_OPTION)
    ] = 0
    tolerance: Annotated[
        int, _edit("--tolerance", help="Times of SECOND this near to those of FIRST become theirs.", **_LENGTH_OPTION)
    ] = 500


def run_merge(arguments: MergeArguments) -> None:
    """Make one file of two: both at once, FIRST on top, as for two languages; or one after the other.

    For example: subwhisper merge film.de.srt film.en.srt -o film.de+en.srt
    """
    from subwhisper.pipeline.edit import Destination, merge_files
    from subwhisper.subtitles.edit import append, stack

    if arguments.offset and not arguments.append:
        raise OptionError("--offset is for --append", hint="shift one of the files first")

    def join(first: "Track", second: "Track") -> "Track":
        if arguments.append:
            return append(first, second, arguments.offset)
        return stack(first, second, tolerance_ms=arguments.tolerance)

    with Console(quiet=arguments.quiet) as console:
        destination = Destination(arguments.output, in_place=arguments.in_place, overwrite=arguments.overwrite)
        written = merge_files(arguments.first, arguments.second, join, destination, encoding=arguments.encoding)
        console.line(f"wrote {written}")
    if arguments.json:
        report({"outputs": [str(written)]})


@dataclass(frozen=True, kw_only=True)
class SplitArguments:
    """What was typed after `split`."""

    file: File
    at: Annotated[
        str | None,
        _edit("--at", help="Where to cut, with commas between.", metavar="TIMES", parser=parse_cuts),
    ] = None
    every: Annotated[int | None, _edit("--every", help="How long each part is.", **_LENGTH_OPTION)] = None
    gaps: Annotated[
        int | None, _edit("--gaps", help="Cut wherever nothing is shown for this long.", **_LENGTH_OPTION)
    ] = None
    keep_times: Annotated[
        bool, _edit("--keep-times/--no-keep-times", help="Do not count from the start of each part.")
    ] = False
    output_dir: opt.OutputFolder = None
    overwrite: opt.Overwrite = True
    encoding: opt.Encoding = None
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_split(arguments: SplitArguments) -> None:
    """Cut subtitles into parts, as their recording is cut: at times, by length, or where nothing is shown.

    Writes STEM.part1.srt, STEM.part2.srt and so on. Each part's times count from its own start.
    """
    from subwhisper.pipeline.edit import split_file

    cut = _cutter(arguments)
    with Console(quiet=arguments.quiet) as console:
        files = split_file(
            arguments.file, cut, arguments.output_dir, overwrite=arguments.overwrite, encoding=arguments.encoding
        )
        for path, piece in files.items():
            console.line(f"wrote {path}: {len(piece.track.cues)} cues from {piece.start_ms / 1000:.3f} s on")
    if arguments.json:
        report(
            {
                "outputs": [
                    {"path": str(path), "start": piece.start_ms / 1000, "cues": len(piece.track.cues)}
                    for path, piece in files.items()
                ]
            }
        )


def _cutter(arguments: SplitArguments) -> "Callable[[Track], tuple[Piece, ...]]":
    from subwhisper.subtitles.edit import cuts_at_gaps, cuts_every, split

    at, every, gaps = arguments.at, arguments.every, arguments.gaps
    if sum(way is not None for way in (at, every, gaps)) != 1:
        raise OptionError("say where to cut in one way", hint="--at, --every or --gaps")

    def cut(track: "Track") -> "tuple[Piece, ...]":
        if at is not None:
            cuts = [parse_duration(part) for part in _parts(at)]
        elif every is not None:
            cuts = cuts_every(track, every)
        else:
            assert gaps is not None
            cuts = cuts_at_gaps(track, gaps)
        return split(track, cuts, keep_times=arguments.keep_times)

    return cut


@dataclass(frozen=True, kw_only=True)
class DiffArguments:
    """What was typed after `diff`."""

    first: First
    second: Second
    tolerance: Annotated[
        int, _edit("--tolerance", help="Times no further apart than this count as the same.", **_LENGTH_OPTION)
    ] = 0
    encoding: opt.Encoding = None
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_diff(arguments: DiffArguments) -> None:
    """Compare two subtitle files: their times and their words.

    Ends with 0 when they say and show the same, with 1 when they differ.
    """
    from subwhisper.subtitles.diff import compare
    from subwhisper.subtitles.formats import read_track

    with Console(quiet=arguments.quiet):
        first, second = (read_track(path, encoding=arguments.encoding) for path in (arguments.first, arguments.second))
        found = compare(first, second, tolerance_ms=arguments.tolerance)
    if arguments.json:
        report(found.to_dict())
    elif not arguments.quiet:
        for line in _diff_lines(found):
            write_data(line)
    if found.differences:
        raise typer.Exit(DIFFERENT)


def _diff_lines(found: "Comparison") -> list[str]:
    """A row per difference, and a summary."""
    from subwhisper.cli.console import one_line

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


shift = opt.as_command(ShiftArguments, run_shift)
stretch = opt.as_command(StretchArguments, run_stretch)
merge = opt.as_command(MergeArguments, run_merge)
split = opt.as_command(SplitArguments, run_split)
diff = opt.as_command(DiffArguments, run_diff)
