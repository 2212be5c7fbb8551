"""Subtitle files in one format in, the same captions in others out, with what was put right and what was lost.

`convert_files` yields one `Converted` per file as it is done; what is wrong with one does not stop the others.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from subwhisper.errors import InputError, OptionError, OutputError, SubwhisperError
from subwhisper.pipeline.captions import Reading, holds_bare_words
from subwhisper.pipeline.inputs import Source, as_text
from subwhisper.pipeline.outputs import check_writable, write_files
from subwhisper.subtitles.formats import ALIASES, FORMATS, encode, format_name, read_track
from subwhisper.subtitles.formats.encodings import Repair
from subwhisper.subtitles.formats.losses import Loss, find_losses
from subwhisper.subtitles.layout import lay_out
from subwhisper.subtitles.look import Look
from subwhisper.subtitles.track import Track


@dataclass(frozen=True, kw_only=True)
class ConvertJob:
    """What to do with every file."""

    formats: tuple[str, ...] = ()
    """Names in FORMATS; none where `output` has a suffix that tells."""
    output: Path | None = None
    """The file to write, of an only input in an only format."""
    folder: Path | None = None
    """`None` is beside each input."""
    overwrite: bool = True
    """Replace what an earlier run wrote. An input is never replaced."""
    encoding: str | None = None
    """Of inputs that are not Unicode; `None` finds it out."""
    fps: float | None = None
    """Frames per second, for files that count frames."""
    source_format: str | None = None
    """Of the inputs, where it is known better than they tell."""
    look: Look = field(default_factory=Look)


@dataclass(frozen=True, slots=True)
class Written:
    """One file that was made."""

    path: Path
    format: str
    losses: tuple[Loss, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"path": str(self.path), "format": self.format, "losses": [loss.to_dict() for loss in self.losses]}


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of one input."""

    source: Source
    outputs: tuple[Written, ...] = ()
    repairs: tuple[Repair, ...] = ()
    cues: int = 0
    error: SubwhisperError | None = None

    def to_dict(self) -> dict[str, Any]:
        """A row of the machine-readable report."""
        return {
            "input": str(self.source),
            "outputs": [written.to_dict() for written in self.outputs],
            "repairs": [repair.to_dict() for repair in self.repairs],
            "cues": self.cues,
            "error": self.error.to_dict() if self.error else None,
        }


def parse_formats(text: str) -> tuple[str, ...]:
    """Read a list of formats: `srt,vtt`.

    Raises:
        OptionError: one is unknown.
    """
    return tuple(dict.fromkeys(format_name(name.strip()) for name in text.split(",") if name.strip()))


def convert_files(sources: Sequence[Source], job: ConvertJob) -> Iterator[Converted]:
    """Convert subtitle files, in their order; folders give the subtitle files in them.

    Raises:
        OptionError: it is not said into what, or `output` cannot be all that is asked for.
        OutputError: two inputs would write the same file, or a folder cannot be written to.
    """
    files = [file for source in sources for file in _expand(source)]
    formats = job.formats or (parse_formats(job.output.suffix.removeprefix(".")) if job.output else ())
    if not formats:
        raise OptionError("it is not said what to convert to", hint="--format vtt, or --output captions.vtt")
    if job.output and len(files) * len(formats) > 1:
        raise OptionError("--output names one file, but there would be several", hint="--output-dir, and --format")
    targets = {file: _targets(file, formats, job) for file in files}
    _refuse_clashes(targets)
    for folder in dict.fromkeys(path.parent for paths in targets.values() for path in paths):
        check_writable(folder)
    for file in files:
        yield _convert(file, targets[file], files, job)


def _expand(source: Source) -> list[Source]:
    if source.path is None or not source.path.is_dir():
        return [source]
    known = {f".{name}" for name in (*FORMATS, *ALIASES)} - {".txt", ".json", ".csv", ".tsv", ".xml", ".text"}
    found = sorted(path for path in source.path.rglob("*") if path.suffix.lower() in known and path.is_file())
    return [Source(path) for path in found]


def _targets(file: Source, formats: tuple[str, ...], job: ConvertJob) -> dict[Path, str]:
    if job.output:
        return {job.output: formats[0]}
    folder = file.folder if job.folder is None else job.folder
    return {folder / f"{file.stem}.{format}": format for format in formats}


def _refuse_clashes(targets: Mapping[Source, Mapping[Path, str]]) -> None:
    owners: dict[str, Source] = {}
    for file, paths in targets.items():
        for path in paths:
            key = os.path.normcase(path.resolve())
            if key in owners:
                raise OutputError(
                    f"{owners[key]} and {file} would both write {path}", hint="convert them apart, with --output-dir"
                )
            owners[key] = file


def _convert(file: Source, targets: Mapping[Path, str], inputs: Sequence[Source], job: ConvertJob) -> Converted:
    repairs: list[Repair] = []
    try:
        if not job.overwrite and (there := [path for path in targets if path.exists()]):
            raise OutputError(f"{there[0]} exists", hint="leave out --no-overwrite to replace it")
        track = _read(file, job, repairs)
        if not track.cues:
            raise InputError(f"{file} holds no captions")
        files = {path: _encode(track, format, job) for path, format in targets.items()}
        written = [
            Written(path, format, find_losses(job.look.shown(track, format), format, files[path]))
            for path, format in targets.items()
        ]
        write_files(files, inputs=[source.path for source in inputs if source.path])
    except SubwhisperError as error:
        return Converted(file, repairs=tuple(repairs), error=error)
    return Converted(file, tuple(written), tuple(repairs), len(track.cues))


def _read(file: Source, job: ConvertJob, repairs: list[Repair]) -> Track:
    with as_text(file) as path:
        if job.source_format is None and holds_bare_words(path):
            transcript = Reading(encoding=job.encoding).words(path)
            if any(transcript.words()):
                return lay_out(transcript)
        return read_track(path, encoding=job.encoding, fps=job.fps, format=job.source_format, report=repairs.append)


def _encode(track: Track, format: str, job: ConvertJob) -> bytes:
    if FORMATS[format].counts_frames and job.fps:
        return encode(track, format, fps=job.fps)
    return job.look.file(track, format)
