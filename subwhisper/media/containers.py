"""Kinds of video file that can be written, and what each of them can hold."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from subwhisper.errors import OutputError


@dataclass(frozen=True, slots=True)
class Container:
    """How a kind of file is written, and its sound where that cannot be copied."""

    muxer: str
    audio: dict[str, Any]
    """The encoder for sound whose codec is not in `copied`."""
    copied: frozenset[str]
    """Codecs that players expect in this container."""
    text: str
    """The codec that subtitles which are text are written in: it takes files of `text_suffix` without loss."""
    subtitles: frozenset[str]
    """Codecs of subtitles it can hold."""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def holds_attachments(self) -> bool:
        """Whether fonts and pictures can be attached."""
        return self.muxer == "matroska"

    @property
    def holds_covers(self) -> bool:
        """Whether cover art is a stream among the others."""
        return self.muxer in {"mp4", "mov"}

    @property
    def text_suffix(self) -> str:
        """Of the files that carry text to it: what they can say, it can keep."""
        return ".srt" if self.text == "subrip" else ".vtt"

    @property
    def needs(self) -> frozenset[str]:
        """What an ffmpeg must have to write it."""
        return frozenset({f"muxer:{self.muxer}", f"encoder:{self.audio['c']}"})


_AAC = {"c": "aac", "b": "192k"}
_APPLE = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
_MATROSKA = _APPLE | {"mp2", "dts", "truehd", "flac", "opus", "vorbis", "pcm_s16le", "pcm_s24le"}

_IN_MATROSKA = frozenset(
    {"subrip", "ass", "ssa", "webvtt", "text", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
)
_IN_MP4 = frozenset({"mov_text", "dvd_subtitle"})
_IN_WEBM = frozenset({"webvtt"})

CONTAINERS = {
    ".mp4": Container("mp4", _AAC, _APPLE, "mov_text", _IN_MP4, {"movflags": "+faststart"}),
    ".m4v": Container("mp4", _AAC, _APPLE, "mov_text", _IN_MP4, {"movflags": "+faststart"}),
    ".mov": Container(
        "mov", _AAC, _APPLE | {"pcm_s16le", "pcm_s24le"}, "mov_text", _IN_MP4, {"movflags": "+faststart"}
    ),
    ".mkv": Container("matroska", _AAC, _MATROSKA, "subrip", _IN_MATROSKA),
    ".webm": Container("webm", {"c": "libvorbis"}, frozenset({"opus", "vorbis"}), "webvtt", frozenset({"webvtt"})),
}
"""What can be written, by the suffix of the output."""

HOLDING_SUBTITLES = frozenset({*CONTAINERS, ".mk3d", ".3gp", ".ogm", ".ogv", ".ts", ".m2ts", ".mts", ".avi", ".nut"})
"""Suffixes of files that may have subtitle tracks."""


def container_of(output: Path) -> Container:
    """How a file of this suffix is written.

    Raises:
        OutputError: the suffix is unknown.
    """
    if (found := CONTAINERS.get(output.suffix.lower())) is None:
        raise OutputError(f"{output} has no suffix that can be written", hint=f"use one of {', '.join(CONTAINERS)}")
    return found
