"""Subtitle files put into a video as tracks, tracks taken out, and tracks carried from one container to another."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from subwhisper.errors import MediaError, OptionError
from subwhisper.languages import language_code
from subwhisper.media import movtext
from subwhisper.media.containers import CONTAINERS, Container, container_of
from subwhisper.media.extract import extract_subtitles, natural_suffix
from subwhisper.media.mux import SoftTrack, mux
from subwhisper.media.probe import MediaInfo, SubtitleStream, probe
from subwhisper.media.tracks import UNSTATED, container_language, named_language, same_language, subtitle_number
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.extract import prepare
from subwhisper.pipeline.inputs import Source, as_file, as_text
from subwhisper.pipeline.outputs import replacing
from subwhisper.subtitles.formats import read_track, render
from subwhisper.subtitles.formats.encodings import decode, read_bytes

ALL, NONE = "all", "none"
_FLAGS = {"forced": "forced", "default": "default", "sdh": "hearing_impaired", "cc": "hearing_impaired"}
"""What media servers write into a file's name -> what a container calls it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Addition:
    """A subtitle file to put in."""

    source: Source
    language: str | None = None
    title: str | None = None
    flags: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Source, *, language: str | None = None, title: str | None = None) -> "Addition":
        """What the name of a file says of it: `film.pt-BR.forced.srt`; what is given outweighs the name.

        Raises:
            OptionError: the language that is given is none.
        """
        if language is not None and UNSTATED == container_language(language) != language.strip().lower():
            language_code(language)  # says which is near
        flags: list[str] = []
        for part in reversed(source.stem.split(".")[1:]):
            if part.lower() in _FLAGS:
                flags.append(_FLAGS[part.lower()])
            else:
                language = language or named_language(part)
                break
        return cls(source, language, title, tuple(dict.fromkeys(flags)))


@dataclass(frozen=True, kw_only=True)
class MuxJob:
    """What to change in a video file."""

    additions: tuple[Addition, ...] = ()
    remove: tuple[str, ...] = ()
    """Numbers from 0, languages, or `all`, of the subtitle tracks to leave out."""
    default: str | None = None
    """Number or language, among the tracks of the result, of the one shown unasked; `none` for none of them."""
    forced: str | None = None
    """The same, of the one that is shown where foreign words are spoken."""
    output: Path | None = None
    """None is STEM.muxed beside the video, in its own container where that can be written, else .mkv."""
    encoding: str | None = None
    overwrite: bool = False


def mux_subtitles(video: Source, job: MuxJob, *, on_progress: OnProgress = unheard) -> Path:
    """Copy a video with other subtitle tracks than it had.

    Returns:
        The file written.

    Raises:
        InputError: one of the inputs is missing or not what it should be.
        OptionError: a track that is named is not among those of the result.
        OutputError: the result cannot be written, would replace an input, or cannot hold what the video has.
        ToolError: ffmpeg is not up to it.
    """
    with as_file(video, on_progress=on_progress) as path:
        return _mux(video, probe(path), job, on_progress)


def _mux(video: Source, media: MediaInfo, job: MuxJob, on_progress: OnProgress) -> Path:
    suffix = media.path.suffix if media.path.suffix.lower() in CONTAINERS else ".mkv"
    target = job.output or video.folder / f"{video.stem}.muxed{suffix}"
    container = container_of(target)
    removed = {stream.index for wanted in job.remove for stream in _removed(media, wanted)}
    prepare(target, overwrite=job.overwrite)
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        workspace = Path(folder)
        kept = [stream for stream in media.subtitles if stream.index not in removed]
        tracks = [*carried(media, kept, container, workspace)]
        tracks += [_added(addition, container, workspace, job.encoding) for addition in job.additions]
        tracks = _flagged(_flagged(tracks, "default", job.default), "forced", job.forced)
        stage = f"writing {target.name}"
        inputs = [media.path, *(addition.source.path for addition in job.additions if addition.source.path)]
        with replacing([target], inputs=inputs) as hidden:
            mux(media, tracks, hidden[target], on_progress=lambda part: on_progress(stage, part, 1.0))
    return target


def carried(
    media: MediaInfo, streams: Iterable[SubtitleStream], container: Container, workspace: Path
) -> Iterable[SoftTrack]:
    """The subtitle tracks of a video as another container can hold them; what it cannot is left out with a warning.

    Args:
        media: the video.
        streams: those of its tracks that are wanted.
        container: what is to hold them.
        workspace: a folder for files in between, which must last as long as the tracks.
    """
    for stream in streams:
        kept = SoftTrack.kept(stream)
        if stream.codec in container.subtitles:
            yield kept
        elif not stream.is_text:
            logger.warning("subtitles that are pictures (%s) are left out: use .mkv to keep them", stream.codec)
        else:
            raw = workspace / f"track{stream.index}{natural_suffix(stream)}"
            try:
                extract_subtitles(media, stream, raw)
                yield replace(kept, source=_written(raw, container, workspace), index=0)
            except MediaError as error:
                logger.warning("a subtitle track is left out: %s", error.message)


def _removed(media: MediaInfo, wanted: str) -> list[SubtitleStream]:
    if wanted.strip().lower() == ALL:
        return [*media.subtitles]
    if wanted.strip().isdigit():
        return [media.subtitles[subtitle_number(media, wanted)]]
    subtitle_number(media, wanted)  # says what there is, where there is none
    return [stream for stream in media.subtitles if same_language(stream.language, wanted)]


def _added(addition: Addition, container: Container, workspace: Path, encoding: str | None) -> SoftTrack:
    with as_text(addition.source) as path:
        written = _written(path, container, workspace, encoding)
    return SoftTrack(source=written, language=addition.language, title=addition.title, flags=addition.flags)


def _written(path: Path, container: Container, workspace: Path, encoding: str | None = None) -> Path:
    """A subtitle file in the writing of a container, under a name of ours."""
    track = read_track(path, encoding=encoding)
    stem = f"soft{len(list(workspace.iterdir()))}"
    if path.suffix.lower() == ".ass" and "ass" in container.subtitles:
        script = workspace / f"{stem}.ass"
        script.write_bytes(decode(read_bytes(path), str(path), encoding).encode("utf-8"))
        return script
    text = workspace / f"{stem}{container.text_suffix}"
    text.write_bytes(render(track, container.text_suffix[1:]).encode("utf-8"))
    if container.text != "mov_text":
        return text
    sample = workspace / f"{stem}.mp4"
    movtext.write(text, sample)
    return sample


def _flagged(tracks: Sequence[SoftTrack], flag: str, wanted: str | None) -> list[SoftTrack]:
    """Set a flag on the track that is wanted and on no other; None leaves all as they are."""
    if wanted is None:
        return [*tracks]
    chosen = None if wanted.strip().lower() == NONE else _place(tracks, wanted)
    flagged = []
    for number, track in enumerate(tracks):
        others = tuple(it for it in track.flags if it != flag)
        flagged.append(replace(track, flags=(*others, flag) if number == chosen else others))
    return flagged


def _place(tracks: Sequence[SoftTrack], wanted: str) -> int:
    if wanted.strip().isdigit() and int(wanted) < len(tracks):
        return int(wanted)
    for number, track in enumerate(tracks):
        if same_language(track.language, wanted):
            return number
    there = "; ".join(f"{number} ({track.language or 'no language'})" for number, track in enumerate(tracks))
    raise OptionError(f"the result has no subtitle track {wanted!r}", hint=f"it has: {there}" if there else None)
