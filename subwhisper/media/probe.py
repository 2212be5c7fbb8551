"""What a media file holds: its streams, their languages, when they start, how long it lasts.

Read with PyAV, in this process: no ffprobe is needed, which imageio-ffmpeg does not have.
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from subwhisper.errors import MediaError
from subwhisper.media.ffmpeg import PROTOCOLS, file_url

_ATTACHED_PICTURE = 0x400  # AV_DISPOSITION_ATTACHED_PIC: cover art
_NOT_MEDIA = frozenset({"tty"})  # the demuxer that plays text files as if typed on a terminal
_PACKETS_BEFORE_PICTURE = 64


@dataclass(frozen=True, slots=True)
class VideoStream:
    """One moving picture, or a picture attached to the file (cover art)."""

    index: int
    """Position among all streams of the file."""
    codec: str
    language: str | None
    start: float | None
    """Seconds on the file's own clock; `MediaInfo.start` is where that clock begins."""
    width: int
    """As stored; see `display_size`."""
    height: int
    frame_rate: float | None
    rotation: int
    """Degrees clockwise that a player turns the picture: 0, 90, 180 or 270."""
    attached: bool

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height after the player's rotation."""
        return (self.height, self.width) if self.rotation in {90, 270} else (self.width, self.height)


@dataclass(frozen=True, slots=True)
class AudioStream:
    """One sound track."""

    index: int
    codec: str
    language: str | None
    title: str | None
    start: float | None
    channels: int
    sample_rate: int


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """One subtitle track."""

    index: int
    codec: str
    language: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a media file holds."""

    path: Path
    format: str
    """FFmpeg's name of the container, such as "matroska,webm"."""
    start: float
    """Where the file's clock begins, in seconds; the least start of its streams."""
    duration: float | None
    """Seconds from `start` to the end; None where the file does not say."""
    video: tuple[VideoStream, ...]
    audio: tuple[AudioStream, ...]
    subtitles: tuple[SubtitleStream, ...]

    @property
    def moving(self) -> tuple[VideoStream, ...]:
        """The video streams that are more than cover art."""
        return tuple(stream for stream in self.video if not stream.attached)

    @property
    def picture(self) -> VideoStream | None:
        """The moving picture that counts: the largest, the first of equals."""
        return max(self.moving, key=lambda stream: stream.width * stream.height, default=None)


def probe(path: Path) -> MediaInfo:
    """Read what a media file holds.

    Raises:
        MediaError: it is missing, a directory, empty, unreadable or not media.
    """
    import av  # 40 ms and 100 MB of libraries, only for those who look into a file

    _require_file(path)
    try:
        with av.open(file_url(path), options={"protocol_whitelist": PROTOCOLS}) as container:
            found = _read(path, container)
    except (av.error.FFmpegError, UnicodeError) as error:
        raise _explained(path, error) from error
    if found.format in _NOT_MEDIA or not (found.video or found.audio or found.subtitles):
        raise MediaError(f"{path} is not audio or video")
    return found


def _require_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise MediaError(f"{path} is a directory, not a media file")
        if not path.exists():
            raise MediaError(f"{path} does not exist")
        if not path.is_file():
            raise MediaError(f"{path} is not a regular file", hint="give '-' as the input and pipe it in")
        if path.stat().st_size == 0:
            raise MediaError(f"{path} is empty")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise MediaError(f"{path} could not be read: {reason}") from error


def _explained(path: Path, error: Exception) -> MediaError:
    if isinstance(error, PermissionError):
        return MediaError(f"{path} may not be read")
    return MediaError(f"{path} is not audio or video that can be read", hint="it may be damaged or cut off")


def _read(path: Path, container: Any) -> MediaInfo:
    streams = [stream for stream in container.streams if stream.codec_context is not None]
    return MediaInfo(
        path=path,
        format=container.format.name,
        start=(container.start_time or 0) / 1_000_000,  # AV_TIME_BASE units
        duration=container.duration / 1_000_000 if container.duration else None,
        video=tuple(_video(container, stream) for stream in streams if stream.type == "video"),
        audio=tuple(_audio(stream) for stream in streams if stream.type == "audio"),
        subtitles=tuple(_subtitle(stream) for stream in streams if stream.type == "subtitle"),
    )


def _video(container: Any, stream: Any) -> VideoStream:
    attached = bool(int(stream.disposition) & _ATTACHED_PICTURE)
    rate = stream.average_rate or stream.guessed_rate
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        language=_language(stream),
        start=_start(stream),
        width=stream.width,
        height=stream.height,
        frame_rate=float(rate) if rate else None,
        rotation=0 if attached else _rotation(container, stream),
        attached=attached,
    )


def _rotation(container: Any, stream: Any) -> int:
    """Ask the first picture: PyAV shows the display matrix on frames only."""
    import av

    try:
        for packet in islice(container.demux(stream), _PACKETS_BEFORE_PICTURE):
            for frame in packet.decode():
                return int(-round(frame.rotation / 90) * 90 % 360)  # PyAV counts counter-clockwise
    except av.error.FFmpegError:
        pass  # a damaged picture takes nothing from the sound
    return 0


def _audio(stream: Any) -> AudioStream:
    context = stream.codec_context
    return AudioStream(
        index=stream.index,
        codec=context.codec.canonical_name,
        language=_language(stream),
        title=stream.metadata.get("title"),
        start=_start(stream),
        channels=context.channels,
        sample_rate=context.sample_rate,
    )


def _subtitle(stream: Any) -> SubtitleStream:
    return SubtitleStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        language=_language(stream),
        title=stream.metadata.get("title"),
    )


def _language(stream: Any) -> str | None:
    """As the file states it, mostly three letters of ISO 639-2."""
    stated = stream.metadata.get("language")
    return stated if stated and stated != "und" else None


def _start(stream: Any) -> float | None:
    return None if stream.start_time is None else float(stream.start_time * stream.time_base)
