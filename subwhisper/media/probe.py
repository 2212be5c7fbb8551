"""What a media file holds: its streams, their languages, when they start, how long it lasts.

Read with PyAV, in this process: no ffprobe is needed, which imageio-ffmpeg does not have.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from subwhisper.errors import MediaError
from subwhisper.media.ffmpeg import PROTOCOLS, file_url

_FLAGS = {  # FFmpeg's AV_DISPOSITION_ bits
    0x1: "default",
    0x2: "dub",
    0x4: "original",
    0x8: "comment",
    0x40: "forced",
    0x80: "hearing_impaired",
    0x100: "visual_impaired",
    0x400: "attached_pic",
    0x10000: "captions",
    0x20000: "descriptions",
}
_PICTURES = frozenset({"dvb_subtitle", "dvd_subtitle", "hdmv_pgs_subtitle", "xsub"})
_HDR_TRANSFERS = {16: "pq", 18: "hlg"}  # ITU-T H.273: SMPTE ST 2084, ARIB STD-B67
_PROGRESSIVE = 1  # AV_FIELD_PROGRESSIVE; 0 is unknown, what is beyond are orders of fields
_NEARLY_SQUARE = 0.01  # what converters round; a player shows no other size for it
_NOT_MEDIA = frozenset({"tty"})  # the demuxer that plays text files as if typed on a terminal
_PACKETS_BEFORE_PICTURE = 64
_GLANCE = {"codec_whitelist": "none", "analyzeduration": "1", "fpsprobesize": "0"}
"""Options for a look at the tracks alone: no picture is decoded."""
_MICROSECONDS = 1_000_000  # AV_TIME_BASE
_NO_TITLE = re.compile(r"handler?$|@GPAC|^ISO Media file", re.IGNORECASE)  # what writers put there for themselves
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What tracks of every kind have."""

    index: int
    """Position among all streams of the file."""
    codec: str
    language: str | None = None
    """As the file states it, mostly three letters of ISO 639-2."""
    title: str | None = None
    start: float | None = None
    """Seconds on the file's own clock; `MediaInfo.start` is where that clock begins."""
    duration: float | None = None
    """Seconds, where the file says."""
    flags: tuple[str, ...] = ()
    """Such as "default", "forced", "hearing_impaired"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream(Stream):
    """One moving picture, or a picture attached to the file (cover art)."""

    width: int
    """As stored; see `display_size`."""
    height: int
    frame_rate: float | None
    rotation: int
    """Degrees clockwise that a player turns the picture: 0, 90, 180 or 270."""
    bit_depth: int = 8
    """Bits of one colour component."""
    hdr: str | None = None
    """"pq" or "hlg" where brightness is meant for a screen of high dynamic range."""
    pixel_aspect: float = 1.0
    """Width of a pixel by its height, before rotation; DVDs have others than squares."""
    interlaced: bool = False
    """Whether a picture holds the odd lines of one moment and the even ones of another."""
    timecode: str | None = None
    """Of the first picture, as cameras and editors count: "01:00:00:00"."""

    @property
    def attached(self) -> bool:
        """Whether it is cover art."""
        return "attached_pic" in self.flags

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height as a player shows them: with square pixels, and turned."""
        width, height = round(self.width * self.pixel_aspect), self.height
        return (height, width) if self.rotation in {90, 270} else (width, height)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream(Stream):
    """One sound track."""

    channels: int
    layout: str | None = None
    """FFmpeg's name of the order of channels, such as "stereo" or "5.1"; None where the file does not say."""
    sample_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleStream(Stream):
    """One subtitle track."""

    @property
    def is_text(self) -> bool:
        """Whether it holds text and not pictures of text."""
        return self.codec not in _PICTURES


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStream(Stream):
    """What is neither seen nor heard: an attached font, a time code."""

    kind: str
    """FFmpeg's name of it: "attachment" or "data"."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named part of the file."""

    start: float
    """Seconds on the file's own clock, as `end`."""
    end: float
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
    others: tuple[OtherStream, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    title: str | None = None

    @property
    def origin(self) -> float:
        """The moment on the file's clock, in seconds, that a viewer calls 0.

        Codecs that need a run-up can begin before it: Matroska then states a `start` below 0, which nobody hears.
        """
        return max(0.0, self.start)

    @property
    def moving(self) -> tuple[VideoStream, ...]:
        """The video streams that are more than cover art."""
        return tuple(stream for stream in self.video if not stream.attached)

    @property
    def covers(self) -> tuple[VideoStream, ...]:
        """The pictures that are cover art."""
        return tuple(stream for stream in self.video if stream.attached)

    @property
    def picture(self) -> VideoStream | None:
        """The moving picture that counts: the largest, the first of equals."""
        return max(self.moving, key=lambda stream: stream.width * stream.height, default=None)


def probe(path: Path) -> MediaInfo:
    """Read what a media file holds.

    Raises:
        MediaError: it is missing, a directory, empty, unreadable or not media.
    """
    with _opened(path) as container:
        found = _read(path, container)
    if found.format in _NOT_MEDIA or not (found.video or found.audio or found.subtitles):
        raise MediaError(f"{path} is not audio or video")
    return found


def probe_subtitles(path: Path) -> tuple[SubtitleStream, ...]:
    """The subtitle tracks of a media file; three times as quick as all of `probe`.

    Raises:
        MediaError: as `probe`.
    """
    with _opened(path, **_GLANCE) as container:
        return _subtitles(container.streams)


@contextmanager
def _opened(path: Path, **options: str) -> Iterator[Any]:
    import av  # 40 ms and 100 MB of libraries, only for those who look into a file

    _require_file(path)
    try:
        with av.open(file_url(path), options={"protocol_whitelist": PROTOCOLS, **options}) as container:
            yield container
    except (av.error.FFmpegError, UnicodeError) as error:
        raise _explained(path, error) from error


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
    streams = list(container.streams)
    readable = [stream for stream in streams if stream.codec_context is not None]
    return MediaInfo(
        path=path,
        format=container.format.name,
        start=(container.start_time or 0) / _MICROSECONDS,
        duration=container.duration / _MICROSECONDS if container.duration else None,
        video=tuple(_video(container, stream) for stream in readable if stream.type == "video" and stream.width),
        audio=tuple(_audio(stream) for stream in readable if stream.type == "audio"),
        subtitles=_subtitles(readable),
        others=tuple(_other(stream) for stream in streams if stream.type not in {"video", "audio", "subtitle"}),
        chapters=tuple(_chapters(container)),
        title=container.metadata.get("title"),
    )


def _common(stream: Any) -> dict[str, Any]:
    """The fields of every `Stream`."""
    context = stream.codec_context
    disposition = int(stream.disposition)
    return {
        "index": stream.index,
        "codec": context.codec.canonical_name if context is not None else "unknown",
        "language": _language(stream),
        "title": _title(stream),
        "start": None if stream.start_time is None else float(stream.start_time * stream.time_base),
        "duration": _duration(stream),
        "flags": tuple(name for bit, name in _FLAGS.items() if disposition & bit),
    }


def _video(container: Any, stream: Any) -> VideoStream:
    common = _common(stream)
    attached = "attached_pic" in common["flags"]
    rate = stream.average_rate or stream.guessed_rate
    pixels = stream.codec_context.format
    return VideoStream(
        **common,
        width=stream.width,
        height=stream.height,
        frame_rate=None if attached or not rate else float(rate),
        rotation=0 if attached else _rotation(container, stream),
        bit_depth=max((component.bits for component in pixels.components), default=8) if pixels else 8,
        hdr=_HDR_TRANSFERS.get(int(stream.codec_context.color_trc)),
        pixel_aspect=_pixel_aspect(stream),
        interlaced=int(getattr(stream.codec_context, "field_order", 0)) > _PROGRESSIVE,  # an older PyAV has none
        timecode=stream.metadata.get("timecode") or container.metadata.get("timecode"),
    )


def _pixel_aspect(stream: Any) -> float:
    stated = float(stream.sample_aspect_ratio or 1)
    return 1.0 if abs(stated - 1) < _NEARLY_SQUARE else stated


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
    layout = context.layout.name if context.channels else None
    return AudioStream(
        **_common(stream),
        channels=context.channels,
        layout=None if layout is None or " " in layout else layout,  # "2 channels" is no order
        sample_rate=context.sample_rate,
    )


def _subtitles(streams: Iterable[Any]) -> tuple[SubtitleStream, ...]:
    wanted = (stream for stream in streams if stream.type == "subtitle" and stream.codec_context is not None)
    return tuple(SubtitleStream(**_common(stream)) for stream in wanted)


def _other(stream: Any) -> OtherStream:
    named = stream.metadata.get("filename")
    return OtherStream(**(_common(stream) | {"title": named or _title(stream)}), kind=stream.type)


def _chapters(container: Any) -> Iterator[Chapter]:
    for entry in container.chapters():
        base = entry["time_base"]
        start, end = float(entry["start"] * base), float(entry["end"] * base)
        yield Chapter(start, end, entry["metadata"].get("title"))


def _language(stream: Any) -> str | None:
    stated = stream.metadata.get("language")
    return stated if stated and stated != "und" else None


def _title(stream: Any) -> str | None:
    """Matroska says `title`; MP4 has only the name of the handler, where most writers put their own."""
    if title := stream.metadata.get("title"):
        return str(title)
    handler = str(stream.metadata.get("handler_name", ""))
    return None if not handler or _NO_TITLE.search(handler) else handler


def _duration(stream: Any) -> float | None:
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    stated = _CLOCK.fullmatch(stream.metadata.get("DURATION", ""))  # Matroska keeps it among the tags
    if stated is None:
        return None
    seconds = int(stated[1]) * 3600 + int(stated[2]) * 60 + float(stated[3])
    written_by = stream.container.metadata.get("ENCODER") or stream.container.metadata.get("encoder", "")
    if written_by.startswith("Lavf") and stream.start_time:
        return seconds - float(stream.start_time * stream.time_base)  # FFmpeg writes when the track ends there
    return seconds
