"""Captions drawn into the picture of a video.

Fonts are brought along, and a burn whose captions found no font is an error, found out before the long work begins
(see `glyphs.py`). FFmpeg runs in a private folder where the captions are called `subs.ass`, so that no path has to be
written inside a filter, where a dozen characters have a meaning. Knows the .ass file only as text: whoever calls has
written it.
"""

import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

from subwhisper.errors import InputError, MediaError, OutputError
from subwhisper.media.containers import CONTAINERS, Container, container_of
from subwhisper.media.encoders import TO_SDR, TONE_MAPPING, Encoding, PictureOptions, choose_codec, needs, settle
from subwhisper.media.ffmpeg import PROTOCOLS, file_url, find_ffmpeg, run, uneven_rate
from subwhisper.media.fonts import lay_out_fonts
from subwhisper.media.glyphs import FontLog, character_names, check_glyphs, drawing
from subwhisper.media.mux import SoftTrack, extras, inputs, maps, settle_flags
from subwhisper.media.probe import MediaInfo, VideoStream, probe

CAPTIONS = "subs.ass"

_DRAWING_NEEDS = frozenset({"filter:ass", "filter:color"})
BURN_NEEDS = CONTAINERS[".mp4"].needs | _DRAWING_NEEDS | {"encoder:libx264"}

_WHITE = {"pq": 0.58, "hlg": 0.75}
"""Signal of white paper, 203 nits, where the greatest is 1: what else is white would dazzle (ITU-R BT.2408)."""
_COLOUR = re.compile(r"&H([0-9A-Fa-f]{1,8})(?=&|[,}\\)\s])")
_COLOURED = re.compile(r"^Style:.*|\\[1-4]?c&H[0-9A-Fa-f]+&?", re.MULTILINE)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BurnReport:
    """What was drawn with what."""

    output: Path
    fonts: tuple[str, ...]
    """PostScript names of the fonts used."""
    missing_glyphs: tuple[str, ...]
    """Characters that no font has; boxes stand in their place."""


def burn(
    video: Path,
    captions: Path,
    output: Path,
    *,
    picture: PictureOptions | None = None,
    soft: Sequence[SoftTrack] = (),
    strict: bool = False,
    on_progress: Callable[[float], None] | None = None,
    ffmpeg: Path | None = None,
) -> BurnReport:
    """Draw captions into a video; sound, chapters, cover and metadata are kept, copied where the container allows.

    The output appears whole or not at all, and replaces what stood there.

    Args:
        video: anything with a moving picture; captions count from the start of its container.
        captions: an .ass file in UTF-8.
        output: .mp4, .m4v, .mov, .mkv or .webm.
        picture: how the picture is encoded.
        soft: subtitle tracks that the output shall have besides, in its own writing (see `mux`).
        strict: whether a character that no font has is an error.
        on_progress: gets the part that is done, from 0 to 1, about twice a second.
        ffmpeg: a binary to use instead of the one that would be found.

    Raises:
        InputError: the captions cannot be read, or have characters without a font and `strict` is set.
        MediaError: the video cannot be read or has no picture.
        OptionError: the container cannot hold the codec that is wanted.
        OutputError: the output cannot be written, is of an unknown kind, or is one of the inputs.
        ToolError: no ffmpeg can do it, or the captions found no font.
    """
    container = _container_of(output, video, captions)
    text = _read_captions(captions)
    media = probe(video)
    stream = require_picture(media)
    options = picture or PictureOptions()
    codec = choose_codec(options, container, stream)
    binary = find_ffmpeg(container.needs | _drawing_needs(stream) | needs(codec, options, stream), ffmpeg)
    encoding = settle(codec, options, container, stream, binary)
    # Captions are in the picture now: no other shall be shown over them unasked.
    quiet = [replace(track, flags=tuple(flag for flag in track.flags if flag != "default")) for track in soft]
    with TemporaryDirectory(prefix="subwhisper-") as folder, _published(output) as part:
        stage = _Stage.set_up(Path(folder), captions, text, binary)
        log = stage.require_glyphs(strict=strict)
        if encoding.keeps_hdr:
            stage.write(dimmed(text, _WHITE[stream.hdr or "pq"]))
        besides = [*uneven_rate(binary), *extras(media, container, stage.folder)]
        complaints = run(
            _command(media, stream, part, container, encoding, quiet, besides),
            source=video,
            on_log=log.hear,
            on_position=_fraction(media.duration, on_progress),
            **stage.common,
        )
        log.require_fonts(captions)
        settle_flags(part, container, quiet)
    _warn(media, stream, complaints)
    if on_progress:
        on_progress(1.0)
    return BurnReport(output, tuple(sorted(log.fonts)), tuple(sorted(log.lost)))


def preview(
    video: Path,
    captions: Path,
    output: Path,
    moment: float,
    *,
    strict: bool = False,
    ffmpeg: Path | None = None,
) -> BurnReport:
    """Write one frame as it would look with its captions; pictures of high dynamic range are brought to a screen's.

    Args:
        video: as in `burn`.
        captions: as in `burn`.
        output: a .png file, which is replaced.
        moment: seconds from the start of the video.
        strict: as in `burn`.
        ffmpeg: as in `burn`.

    Raises:
        InputError: there is no frame at that moment; else as `burn`.
    """
    text = _read_captions(captions)
    media = probe(video)
    stream = require_picture(media)
    wanted = _drawing_needs(stream) | {"encoder:png", "muxer:image2"} | (TONE_MAPPING if stream.hdr else set())
    binary = find_ffmpeg(frozenset(wanted), ffmpeg)
    with TemporaryDirectory(prefix="subwhisper-") as folder, _published(output) as part:
        stage = _Stage.set_up(Path(folder), captions, text, binary)
        log = stage.require_glyphs(strict=strict)
        run(_frame_command(media, stream, part, moment), source=video, on_log=log.hear, **stage.common)
        if part.stat().st_size == 0:
            length = "" if media.duration is None else f", which lasts {media.duration:.3f} s"
            raise InputError(f"there is no picture at {moment:.3f} s of {video}{length}")
    return BurnReport(output, tuple(sorted(log.fonts)), tuple(sorted(log.lost)))


@dataclass(frozen=True)
class _Stage:
    """The private folder that ffmpeg draws in."""

    folder: Path
    captions: Path
    text: str
    common: dict[str, Any]
    """What every run of it gets."""

    @classmethod
    def set_up(cls, folder: Path, captions: Path, text: str, ffmpeg: Path) -> "_Stage":
        common = {"ffmpeg": ffmpeg, "log_level": "verbose", "cwd": folder, "env": lay_out_fonts(folder)}
        stage = cls(folder, captions, text, common)
        stage.write(text)
        return stage

    def write(self, text: str) -> None:
        (self.folder / CAPTIONS).write_text(text, encoding="utf-8")

    def require_glyphs(self, *, strict: bool) -> FontLog:
        log = check_glyphs(self.text, self.captions, self.folder, self.common)
        if log.lost:
            message = f"no font here has {character_names(sorted(log.lost))}"
            hint = "subwhisper fonts add FILE takes a font that has them"
            if strict:
                raise InputError(message, hint=hint)
            logger.warning("%s: boxes stand in their place; %s", message, hint)
        return log


def _drawing_needs(stream: VideoStream) -> frozenset[str]:
    return _DRAWING_NEEDS | ({"filter:bwdif"} if stream.interlaced else set())


def require_picture(media: MediaInfo) -> VideoStream:
    """The stream that captions are drawn into.

    Raises:
        MediaError: there is no moving picture.
    """
    if media.picture is None:
        raise MediaError(f"{media.path} has no moving picture to draw captions into")
    return media.picture


def dimmed(script: str, white: float) -> str:
    """An .ass script whose colours are darker by a factor: for pictures whose white is not their brightest."""

    def darker(match: re.Match[str]) -> str:
        number = int(match[1], 16)
        parts = [round((number >> shift & 0xFF) * white) << shift for shift in (0, 8, 16)]
        return f"&H{(number >> 24 << 24) + sum(parts):0{max(6, len(match[1]))}X}"

    return _COLOURED.sub(lambda found: _COLOUR.sub(darker, found[0] + "\n")[:-1], script)


def _warn(media: MediaInfo, stream: VideoStream, complaints: Sequence[str]) -> None:
    if complaints:
        logger.warning("%s seems damaged (ffmpeg: %s); what can be read was used", media.path, complaints[0])
    if len(media.moving) > 1:
        logger.warning("%s has %d pictures; only that with the captions is kept", media.path, len(media.moving))


def _container_of(output: Path, *inputs: Path) -> Container:
    container = container_of(output)
    if output.is_dir():
        raise OutputError(f"{output} is a directory")
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            raise OutputError(f"{output} is the input itself", hint="name another output")
    return container


def _read_captions(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not an .ass file in UTF-8") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}") from error
    if "[events]" not in text.lower():
        raise InputError(f"{path} is not an .ass file")
    return text


@contextmanager
def _published(output: Path) -> Iterator[Path]:
    """A path beside the output to write to; it takes the output's name at the end, or is removed."""
    place = output.resolve()  # a link is followed: what it points at is replaced
    part = place.with_name(f".{token_hex(6)}.part{place.suffix}")
    try:
        try:
            part.touch(exist_ok=False)
        except OSError as error:
            raise OutputError(f"{output} cannot be written: {error.strerror}") from error
        yield part
        try:
            os.replace(part, place)
        except OSError as error:
            raise OutputError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _command(
    media: MediaInfo,
    stream: VideoStream,
    part: Path,
    container: Container,
    encoding: Encoding,
    soft: Sequence[SoftTrack],
    besides: Sequence[str],
) -> list[str]:
    import ffmpeg

    source = ffmpeg.input("SOURCE", protocol_whitelist=PROTOCOLS)
    sounds = [source[str(sound.index)] for sound in media.audio]
    covers = [source[str(it.index)] for it in media.covers] if container.holds_covers else []
    options = {**container.options, **{f"{name}:v:0": value for name, value in encoding.options.items()}}
    for number in range(1, len(covers) + 1):
        options |= {f"c:v:{number}": "copy", f"disposition:v:{number}": "attached_pic"}
    for number, sound in enumerate(media.audio):
        written = {"c": "copy"} if sound.codec in container.copied else container.audio
        options |= {f"{name}:a:{number}": value for name, value in written.items()}
    picture = _whole_pictures(source[str(stream.index)], stream)
    for name, arguments in encoding.filters:
        picture = picture.filter(name, **arguments)
    target = ffmpeg.output(_drawn(picture, stream), *covers, *sounds, "TARGET", f=container.muxer, **options)
    added = [*maps(soft), *(["-c:s", "copy"] if soft else []), *_said_of(stream), *besides]
    return _spelt(ffmpeg.get_args(target), media.path, part, files=inputs(soft), besides=added)


def _said_of(stream: VideoStream) -> list[str]:
    """FFmpeg's arguments for what it does not carry through filters."""
    said = {"language": stream.language, "title": stream.title, "timecode": stream.timecode}
    return [part for name, value in said.items() if value for part in ("-metadata:s:v:0", f"{name}={value}")]


def _frame_command(media: MediaInfo, stream: VideoStream, part: Path, moment: float) -> list[str]:
    import ffmpeg

    source = ffmpeg.input("SOURCE", protocol_whitelist=PROTOCOLS, ss=f"{moment:.6f}")
    # Having gone there, ffmpeg counts from 0 again.
    picture = _whole_pictures(source[str(stream.index)], stream).filter("setpts", expr=f"PTS+{moment:.6f}/TB")
    for name, arguments in TO_SDR if stream.hdr else ():
        picture = picture.filter(name, **arguments)
    drawn = picture.filter("ass", **drawing(CAPTIONS, _stretched(stream))).filter("setpts", expr="PTS-STARTPTS")
    if shown := _stretched(stream):
        drawn = drawn.filter("scale", w=shown[0], h=shown[1]).filter("setsar", sar=1)
    target = ffmpeg.output(drawn, "TARGET", f="image2", update=1, **{"frames:v": 1, "c:v": "png", "pix_fmt": "rgb24"})
    return _spelt(ffmpeg.get_args(target), media.path, part)


def _spelt(
    arguments: Sequence[str], source: Path, target: Path, *, files: Sequence[str] = (), besides: Sequence[str] = ()
) -> list[str]:
    """Names in place of their stand-ins (ffmpeg-python takes no name that is not UTF-8), and what it cannot say."""
    given = [str(argument) for argument in arguments]
    at = given.index("SOURCE")
    return ["-y", *given[:at], file_url(source), *files, *given[at + 1 : -1], *besides, file_url(target)]


def _whole_pictures(picture: Any, stream: VideoStream) -> Any:
    """Without interlacing, which letters drawn over it would be torn by, and encoders be misled by."""
    return picture.filter("bwdif", mode="send_frame", deint="interlaced") if stream.interlaced else picture


def _stretched(stream: VideoStream) -> tuple[int, int] | None:
    return None if stream.pixel_aspect == 1 else stream.display_size


def _drawn(picture: Any, stream: VideoStream) -> Any:
    drawn = picture.filter("ass", **drawing(CAPTIONS, _stretched(stream)))
    if stream.width % 2 or stream.height % 2:  # the usual formats have colour for pairs of pixels only
        drawn = drawn.filter("pad", w="ceil(iw/2)*2", h="ceil(ih/2)*2")
    return drawn


def _fraction(duration: float | None, on_progress: Callable[[float], None] | None) -> Callable[[float], None] | None:
    if not duration or not on_progress:
        return None
    return lambda position: on_progress(min(1.0, position / duration))
