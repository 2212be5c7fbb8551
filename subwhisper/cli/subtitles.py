"""`subwhisper shift`, `stretch`, `merge`, `split` and `sync`: subtitle files changed."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report
from subwhisper.errors import OptionError

if TYPE_CHECKING:
    from subwhisper.pipeline.edit import Destination
    from subwhisper.subtitles.edit import Piece
    from subwhisper.subtitles.track import Track

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
    """A time that is not negative, in milliseconds; a default is a number of these already."""
    ms = value if isinstance(value, int) else parse_time(value)
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


def edit_option(*names: str, help: str, **more: Any) -> Any:
    """An option of one edit; none of these come from the environment."""
    return typer.Option(*names, help=help, rich_help_panel=_EDIT, **more)


TIME_OPTION: dict[str, Any] = {"metavar": "TIME", "parser": parse_time}
LENGTH_OPTION: dict[str, Any] = {"metavar": "TIME", "parser": parse_duration}

File = Annotated[str, typer.Argument(help="Subtitles in any format we read: a file, or a URL.", metavar="FILE")]
First = Annotated[str, typer.Argument(help="Subtitles in any format we read: a file, or a URL.", metavar="FIRST")]
Second = Annotated[str, typer.Argument(help="Subtitles to put with them or to compare.", metavar="SECOND")]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
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

    @contextmanager
    def opened(self, name: str) -> "Iterator[tuple[Path, Destination]]":
        """The file that a name or a URL leads to, and where its result goes, for the length of a `with` block.

        Raises:
            InputError: there is no such file.
            OptionError: what cannot be replaced is to be replaced.
        """
        from subwhisper.pipeline.edit import Destination
        from subwhisper.pipeline.inputs import as_text, the_source

        source = the_source(name)
        if self.in_place and source.path is None:
            raise OptionError(f"{source.name} is no file that could be replaced", hint="leave out --in-place")
        with as_text(source) as path:
            folder = source.folder
            yield path, Destination(self.output, in_place=self.in_place, overwrite=self.overwrite, folder=folder)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ShiftArguments(EditArguments):
    """What was typed after `shift`."""

    file: File
    by: Annotated[
        int, edit_option("--by", help="How much later; below 0 is earlier. Seconds, or a clock.", **TIME_OPTION)
    ]
    start: Annotated[
        int, edit_option("--from", help="Only cues that start at this time or later.", **LENGTH_OPTION)
    ] = 0
    end: Annotated[int | None, edit_option("--to", help="Only cues that start before this time.", **LENGTH_OPTION)] = (
        None
    )


def run_shift(arguments: ShiftArguments) -> None:
    """Show subtitles earlier or later: all of them, or those of a part.

    For example: subwhisper shift film.srt --by -2.5
    """
    from subwhisper.subtitles.edit import Part, Retiming, retime

    part = Part(arguments.start, arguments.end)
    _run_edit(arguments, arguments.file, lambda track: retime(track, Retiming(offset_ms=arguments.by), part), "shifted")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StretchArguments(EditArguments):
    """What was typed after `stretch`."""

    file: File
    factor: Annotated[float | None, edit_option("--factor", help="Multiply every time by this.", metavar="X")] = None
    from_fps: Annotated[
        float | None, edit_option("--from-fps", help="Frames per second of the film it was made for.", metavar="X")
    ] = None
    to_fps: Annotated[
        float | None,
        edit_option("--to-fps", help="Frames per second of the film it is for; with --from-fps.", metavar="X"),
    ] = None
    point: Annotated[
        list[Any] | None,
        edit_option("--point", help="What is at OLD belongs at NEW; give two.", metavar="OLD=NEW", parser=parse_point),
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


def _run_edit(arguments: EditArguments, name: str, change: "Callable[[Track], Track]", done: str) -> None:
    from subwhisper.pipeline.edit import edit_file  # brings pysubs2: keep it in here

    with Console(quiet=arguments.quiet) as console, arguments.opened(name) as (file, destination):
        written = edit_file(file, change, destination, done=done, encoding=arguments.encoding)
        console.line(f"wrote {written}")
    if arguments.json:
        report({"outputs": [str(written)]})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MergeArguments(EditArguments):
    """What was typed after `merge`."""

    first: First
    second: Second
    append: Annotated[
        bool, edit_option("--append/--no-append", help="Put SECOND after FIRST, instead of both at once.")
    ] = False
    offset: Annotated[
        int, edit_option("--offset", help="Where SECOND begins: how long the recording of FIRST is.", **LENGTH_OPTION)
    ] = 0
    tolerance: Annotated[
        int,
        edit_option(
            "--tolerance", help="Times of SECOND this near to those of FIRST become theirs.",
            show_default="0.5", **LENGTH_OPTION,
        ),
    ] = 500  # fmt: skip


def run_merge(arguments: MergeArguments) -> None:
    """Make one file of two: both at once, FIRST on top, as for two languages; or one after the other.

    For example: subwhisper merge film.de.srt film.en.srt -o film.de+en.srt
    """
    from subwhisper.pipeline.edit import merge_files
    from subwhisper.pipeline.inputs import as_text, the_source
    from subwhisper.subtitles.edit import append, stack

    if arguments.offset and not arguments.append:
        raise OptionError("--offset is for --append", hint="shift one of the files first")

    def join(first: "Track", second: "Track") -> "Track":
        if arguments.append:
            return append(first, second, arguments.offset)
        return stack(first, second, tolerance_ms=arguments.tolerance)

    with (
        Console(quiet=arguments.quiet) as console,
        arguments.opened(arguments.first) as (first, destination),
        as_text(the_source(arguments.second)) as second,
    ):
        written = merge_files(first, second, join, destination, encoding=arguments.encoding)
        console.line(f"wrote {written}")
    if arguments.json:
        report({"outputs": [str(written)]})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SplitArguments:
    """What was typed after `split`."""

    file: File
    at: Annotated[
        str | None,
        edit_option("--at", help="Where to cut, with commas between.", metavar="TIMES", parser=parse_cuts),
    ] = None
    every: Annotated[int | None, edit_option("--every", help="How long each part is.", **LENGTH_OPTION)] = None
    gaps: Annotated[
        int | None, edit_option("--gaps", help="Cut wherever nothing is shown for this long.", **LENGTH_OPTION)
    ] = None
    keep_times: Annotated[
        bool, edit_option("--keep-times/--no-keep-times", help="Do not count from the start of each part.")
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
    from subwhisper.pipeline.inputs import as_text, the_source

    cut, source = _cutter(arguments), the_source(arguments.file)
    folder = source.folder if arguments.output_dir is None else arguments.output_dir
    with Console(quiet=arguments.quiet) as console, as_text(source) as file:
        files = split_file(file, cut, folder, overwrite=arguments.overwrite, encoding=arguments.encoding)
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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SyncArguments(EditArguments):
    """What was typed after `sync`."""

    file: File
    reference: Annotated[
        str,
        typer.Argument(help="The recording, or subtitles of any language that fit it; or a URL.", metavar="REFERENCE"),
    ]
    max_offset: Annotated[
        int,
        edit_option("--max-offset", help="How far a cue may be from its place.", show_default="2:00", **LENGTH_OPTION),
    ] = 120_000
    stretch: Annotated[
        bool, edit_option("--stretch/--no-stretch", help="Look for another speed as well, as between frame rates.")
    ] = True
    max_breaks: Annotated[
        int,
        edit_option(
            "--max-breaks",
            min=0,
            help="Places where the offset may change, as at advertisements or cut scenes, if that is clearly better.",
            metavar="N",
        ),
    ] = 8
    min_confidence: Annotated[
        float, edit_option("--min-confidence", help="0 to 1; below it nothing is written.", metavar="P")
    ] = 0.95
    audio_track: opt.AudioTrack = None


def run_sync(arguments: SyncArguments) -> None:
    """Move old subtitles to where they belong: onto their recording, or onto other subtitles that fit it.

    Finds the offset and the speed by comparing when captions appear with when speech sets in. No text is recognised.
    Where breaks were put into the recording, or parts cut out, the offset changes on the way.
    """
    from subwhisper.pipeline.inputs import the_source
    from subwhisper.pipeline.sync import SyncOptions, sync_file

    with Console(quiet=arguments.quiet) as console:
        with console.working(), arguments.opened(arguments.file) as (file, destination):
            synced = sync_file(
                file,
                the_source(arguments.reference),
                destination,
                SyncOptions(
                    furthest=arguments.max_offset / 1000,
                    stretch=arguments.stretch,
                    most_breaks=arguments.max_breaks,
                    min_confidence=arguments.min_confidence,
                ),
                encoding=arguments.encoding,
                audio_track=arguments.audio_track,
                on_progress=console.progress,
            )
        found = synced.fit
        offsets = ", ".join(
            f"{piece.offset:+.3f} s" + (f" from cue {piece.first + 1} on" if piece.first else "")
            for piece in found.pieces
        )
        console.line(
            f"wrote {synced.output}: {offsets}, speed x {found.ratio:.5f}; {found.n_matched} of "
            f"{found.n_cues} cues start with speech, confidence {found.confidence:.2f}"
        )
        if found.left_out:
            console.line(f"left out {len(found.left_out)} cues of parts that {arguments.reference} does not have")
    if arguments.json:
        report({"outputs": [str(synced.output)], **found.to_dict()})


shift = opt.as_command(ShiftArguments, run_shift)
stretch = opt.as_command(StretchArguments, run_stretch)
merge = opt.as_command(MergeArguments, run_merge)
split = opt.as_command(SplitArguments, run_split)
sync = opt.as_command(SyncArguments, run_sync)
