"""Subtitle files in, changed subtitle files out: nothing is heard or seen here.

Without a name asked for, a result stands beside its source: `film.en.srt` shifted is `film.en.shifted.srt`.
A source is written over only where that was asked for (`in_place`), and then it is replaced whole.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from subwhisper.errors import OptionError, OutputError
from subwhisper.pipeline.outputs import check_writable, write_files
from subwhisper.subtitles.edit import Piece
from subwhisper.subtitles.formats import encode, read_track
from subwhisper.subtitles.track import Track

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the result of an edit goes."""

    output: Path | None = None
    """`None`: beside the source, with what was done in its name."""
    in_place: bool = False
    """Replace the source itself."""
    overwrite: bool = True
    """Replace another file that is there already."""
    folder: Path | None = None
    """For a result beside its source, where the source lies elsewhere than it seems, as what a URL led to."""

    def __post_init__(self) -> None:
        if self.in_place and self.output is not None:
            raise OptionError("--output and --in-place cannot both be given")

    def path(self, source: Path, done: str) -> Path:
        """The file to write; its format is that of its name.

        Args:
            source: the file that is changed.
            done: what was done to it, in a word.
        """
        if self.in_place:
            return source
        return self.output or self.beside(source) / f"{source.stem}.{done}{source.suffix}"

    def beside(self, source: Path) -> Path:
        """The folder for what has no name of its own."""
        return source.parent if self.folder is None else self.folder

    def write(self, tracks: Mapping[Path, Track], *, inputs: Iterable[Path]) -> None:
        """Write tracks, all or none.

        Raises:
            OptionError: no format has the suffix of a name.
            OutputError: a file cannot be written, is an input, or is there although none may be replaced.
        """
        files = {path: encode(track, path.suffix.removeprefix(".").lower()) for path, track in tracks.items()}
        for path in files:
            if path.exists() and not (self.overwrite or self.in_place):
                raise OutputError(f"{path} exists", hint="leave out --no-overwrite to replace it")
        for folder in dict.fromkeys(path.parent for path in files):
            check_writable(folder)
        write_files(files, inputs=() if self.in_place else inputs)


def edit_file(
    source: Path,
    change: Callable[[Track], Track],
    destination: Destination,
    *,
    done: str,
    encoding: str | None = None,
) -> Path:
    """Change one subtitle file.

    Args:
        source: in any format we read.
        change: what to do with it.
        destination: where the result goes.
        done: what was done, in a word, for the name of the result.
        encoding: of the source where it is not UTF-8 and has no byte order mark.

    Returns:
        The file written.

    Raises:
        InputError: the source cannot be read.
        OutputError: see `Destination.write`.
    """
    before = read_track(source, encoding=encoding)
    return write_edited(source, before, change(before), destination, done=done)


def write_edited(source: Path, before: Track, after: Track, destination: Destination, *, done: str) -> Path:
    """Write what became of a file's track, and warn of what it lost; see `edit_file`."""
    if lost := len(before.cues) - len(after.cues):
        logger.warning("%s: %d cues would end before the recording starts and are left out", source, lost)
    if after.overlapping and not before.overlapping:
        logger.warning("%s: some cues are on screen together now that were not before", source)
    target = destination.path(source, done)
    destination.write({target: after}, inputs=[source])
    return target


def split_file(
    source: Path,
    cut: Callable[[Track], tuple[Piece, ...]],
    folder: Path | None = None,
    *,
    overwrite: bool = True,
    encoding: str | None = None,
) -> dict[Path, Piece]:
    """Cut one subtitle file into several: `film.en.part1.srt` and so on.

    Args:
        source: in any format we read.
        cut: into parts.
        folder: for the results; beside the source by default.
        overwrite: replace files of these names.
        encoding: of the source where it is not UTF-8 and has no byte order mark.

    Returns:
        What each file holds; all were written, or none.

    Raises:
        InputError: the source cannot be read.
        OutputError: a file cannot be written or would replace the source.
    """
    pieces = cut(read_track(source, encoding=encoding))
    digits = len(str(len(pieces)))
    place = source.parent if folder is None else folder
    names = (place / f"{source.stem}.part{number:0{digits}}{source.suffix}" for number, _ in enumerate(pieces, start=1))
    files = dict(zip(names, pieces, strict=True))
    tracks = {path: piece.track for path, piece in files.items()}
    Destination(overwrite=overwrite).write(tracks, inputs=[source])
    return files


def merge_files(
    first: Path,
    second: Path,
    join: Callable[[Track, Track], Track],
    destination: Destination,
    *,
    encoding: str | None = None,
) -> Path:
    """Make one subtitle file of two; `in_place` replaces the first.

    Raises:
        InputError: one of the two cannot be read.
        OutputError: see `Destination.write`.
    """
    track = join(*(read_track(path, encoding=encoding) for path in (first, second)))
    target = destination.path(first, "merged")
    destination.write({target: track}, inputs=[first, second])
    return target
