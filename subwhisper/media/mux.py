"""Subtitle tracks put into a video file, or taken out of it; everything else is copied to the bit.

What comes in is already in the container's own writing (see `Container.text_suffix`), so that ffmpeg, whose
conversions change text, only ever copies it.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from subwhisper.media import mp4
from subwhisper.media.containers import Container, container_of
from subwhisper.media.covers import write_cover
from subwhisper.media.ffmpeg import PROTOCOLS, file_url, find_ffmpeg, run
from subwhisper.media.probe import MediaInfo, SubtitleStream
from subwhisper.media.tracks import container_language

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftTrack:
    """A subtitle track of the file to be."""

    source: Path | None = None
    """A file of `Container.text_suffix` (an MP4 made by `movtext.write` for MP4), or None for the video itself."""
    index: int = 0
    """Of the stream in its source."""
    language: str | None = None
    title: str | None = None
    flags: tuple[str, ...] = ()

    @classmethod
    def kept(cls, stream: SubtitleStream) -> "SoftTrack":
        """A track that the video has already."""
        return cls(index=stream.index, language=stream.language, title=stream.title, flags=stream.flags)


def mux(
    media: MediaInfo,
    tracks: Sequence[SoftTrack],
    output: Path,
    *,
    on_progress: Callable[[float], None] | None = None,
    ffmpeg: Path | None = None,
) -> None:
    """Copy a video with these subtitle tracks and no others into a file, which is replaced where it exists.

    Args:
        media: what `probe` said of the video.
        tracks: in the order they shall have.
        output: its suffix is one of `CONTAINERS`.
        on_progress: gets the part that is done, from 0 to 1.
        ffmpeg: a binary to use instead of the one that would be found.

    Raises:
        MediaError: the video cannot be read.
        OutputError: the container cannot hold its picture or sound, or it cannot be written.
        ToolError: ffmpeg failed by itself.
    """
    container = container_of(output)
    binary = find_ffmpeg(frozenset({f"muxer:{container.muxer}"}), ffmpeg)
    # A run-up of the codecs is no part of the film: without these two, ffmpeg would shift all else by its length.
    early = ["-itsoffset", f"{media.start:.6f}"] if media.start < 0 else []
    clock = [] if container.muxer in {"mp4", "mov"} else ["-avoid_negative_ts", "disabled"]  # those have edit lists
    source = [*early, "-protocol_whitelist", PROTOCOLS, "-i", file_url(media.path)]
    streams = [*media.moving, *(media.covers if container.holds_covers else ()), *media.audio]
    pictures = [part for it in sorted(streams, key=lambda it: it.index) for part in ("-map", f"0:{it.index}")]
    target = ["-c", "copy", "-map_metadata", "0", "-f", container.muxer, file_url(output)]
    options = [part for name, value in container.options.items() for part in (f"-{name}", value)]
    length = media.duration
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        run(
            [
                "-y",
                *source,
                *inputs(tracks),
                *pictures,
                *maps(tracks),
                *extras(media, container, Path(folder)),
                *options,
                *clock,
                *target,
            ],
            ffmpeg=binary,
            source=media.path,
            on_position=(lambda position: on_progress(min(1.0, position / length))) if length and on_progress else None,
        )
    settle_flags(output, container, tracks)


def settle_flags(output: Path, container: Container, tracks: Sequence[SoftTrack]) -> None:
    """See that a file just written shows no subtitles unasked where none are marked: ffmpeg marks some of MP4."""
    if tracks and container.muxer in {"mp4", "mov"} and not any("default" in track.flags for track in tracks):
        mp4.switch_subtitles_off(output)


def inputs(tracks: Sequence[SoftTrack]) -> list[str]:
    """FFmpeg's arguments for the files of new tracks, which come after the video."""
    return [part for track in tracks if track.source for part in ("-i", file_url(track.source))]


def maps(tracks: Sequence[SoftTrack]) -> list[str]:
    """FFmpeg's arguments that choose the tracks and say what they are."""
    arguments, file = [], 0
    for number, track in enumerate(tracks):
        file += track.source is not None
        arguments += ["-map", f"{file if track.source else 0}:{track.index}"]
        stated = container_language(track.language) if track.language else "und"
        arguments += [f"-metadata:s:s:{number}", f"language={stated}"]
        if track.title is not None:  # MP4 has no other place for it than the handler's name
            arguments += [f"-metadata:s:s:{number}", f"title={track.title}"]
            arguments += [f"-metadata:s:s:{number}", f"handler_name={track.title}"]
        arguments += [f"-disposition:s:{number}", "+".join(track.flags) or "0"]
    return arguments


def extras(media: MediaInfo, container: Container, workspace: Path) -> list[str]:
    """FFmpeg's arguments that keep what is attached where it can be kept; what cannot is warned of.

    Args:
        media: the video.
        container: what is to hold it.
        workspace: a folder for covers on their way, which must last as long as ffmpeg runs.
    """
    attached = [other for other in media.others if other.kind == "attachment"]
    if container.holds_attachments:
        kept = [part for other in attached for part in ("-map", f"0:{other.index}")]
        for number, cover in enumerate(media.covers, start=len(attached)):
            path, kind = write_cover(media.path, cover, workspace)
            kept += ["-attach", file_url(path), f"-metadata:s:t:{number}", f"mimetype={kind}"]
            kept += [f"-metadata:s:t:{number}", f"filename={path.name}"]
        return kept
    names = [other.title or str(other.index) for other in attached]
    names += ["cover art" for _ in media.covers if not container.holds_covers]
    if names:
        logger.warning("what is attached to %s (%s) is left out: .mkv can hold it", media.path, ", ".join(names))
    return []
