"""One track of a recording as a file: sound in any of several codecs, subtitles in any format we write."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from subwhisper.errors import OptionError, OutputError
from subwhisper.media.extract import (
    SOUND_FILES,
    SoundChoice,
    extract_audio,
    extract_subtitles,
    natural_suffix,
    sound_file,
    text_track,
)
from subwhisper.media.probe import MediaInfo, SubtitleStream, probe
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.inputs import Source, as_file
from subwhisper.pipeline.outputs import check_name, check_writable, replacing
from subwhisper.subtitles.formats import FORMATS, encode, read_track

SOUND = tuple(suffix[1:] for suffix in SOUND_FILES)
"""Formats of sound; the first is the default."""


@dataclass(frozen=True, kw_only=True)
class ExtractJob:
    """What to take out, and where to."""

    subtitles: int | str | None = None
    """Number from 0, or language, of the subtitle track; None takes sound."""
    audio: SoundChoice = field(default_factory=SoundChoice)
    output: Path | None = None
    """None is beside the input: STEM.LANGUAGE.FORMAT for subtitles, STEM.FORMAT for sound."""
    format: str | None = None
    """A suffix without its dot; None goes by the output's name, and else keeps the kind of the track."""
    overwrite: bool = False
    """Replace a file that is there."""


def extract(source: Source, job: ExtractJob, *, on_progress: OnProgress = unheard) -> Path:
    """Write one track of a recording to a file.

    Returns:
        The file written.

    Raises:
        MediaError: the recording cannot be read or has no such track.
        OptionError: there is no such format.
        OutputError: the file cannot be written, is there already, or is the recording itself.
        ToolError: ffmpeg is not up to it.
    """
    with as_file(source, picture=job.subtitles is not None, on_progress=on_progress) as path:
        if job.subtitles is None:
            return _sound(source, path, job, on_progress)
        media = probe(path)
        return _subtitles(source, media, text_track(media, job.subtitles), job)


def _sound(source: Source, path: Path, job: ExtractJob, on_progress: OnProgress) -> Path:
    target = job.output or source.folder / f"{source.stem}.{job.format or SOUND[0]}"
    if job.output is not None and job.format not in {None, target.suffix[1:].lower()}:
        raise OptionError(f"{target} is not called .{job.format}", hint="leave out the format, or change the name")
    if job.format not in {None, *SOUND}:
        raise OptionError(f"no sound can be written as {job.format!r}", hint=f"one of {', '.join(SOUND)}")
    sound_file(target)
    prepare(target, overwrite=job.overwrite)
    stage = f"writing {target.name}"
    with replacing([target], inputs=[path]) as hidden:
        extract_audio(path, hidden[target], job.audio, on_progress=lambda part: on_progress(stage, part, 1.0))
    return target


def _subtitles(source: Source, media: MediaInfo, stream: SubtitleStream, job: ExtractJob) -> Path:
    natural = natural_suffix(stream)[1:]
    # WebVTT is how MP4's own captions are read without loss; SubRip is what people expect of them.
    usual = "srt" if stream.codec == "mov_text" else natural
    stated = job.output.suffix[1:].lower() if job.output else ""
    format = job.format or stated or usual
    if format not in FORMATS:
        raise OptionError(f"there is no subtitle format {format!r}", hint=f"one of {', '.join(FORMATS)}")
    target = job.output or source.folder / f"{source.stem}.{stream.language or 'und'}.{format}"
    prepare(target, overwrite=job.overwrite)
    with TemporaryDirectory(prefix="subwhisper-") as folder, replacing([target], inputs=[media.path]) as hidden:
        if format == natural:
            extract_subtitles(media, stream, hidden[target])
        else:
            raw = Path(folder, f"subtitles.{natural}")
            extract_subtitles(media, stream, raw)
            hidden[target].write_bytes(encode(read_track(raw), format))
    return target


def prepare(target: Path, *, overwrite: bool) -> None:
    """See that a file can be written where it is wanted.

    Raises:
        OutputError: it cannot, or a file is there that must stay.
    """
    check_writable(target.parent)
    check_name(target)
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists", hint="--overwrite replaces it")
