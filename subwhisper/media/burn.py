"""Captions drawn into the picture of a video.

FFmpeg reports success when it has no font and draws nothing (seen). So fonts are brought along, libass's log is
read, and a burn whose captions found no font is an error, found out on one frame before the long work begins.

FFmpeg runs in a private folder where the captions are called `subs.ass`, so that no path has to be written inside
a filter, where a dozen characters have a meaning. Knows the .ass file only as text: whoever calls has written it.
"""

import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

from subwhisper.errors import InputError, MediaError, OutputError, ToolError
from subwhisper.media.containers import CONTAINERS, Container, container_of
from subwhisper.media.ffmpeg import PROTOCOLS, file_url, find_ffmpeg, run
from subwhisper.media.fonts import lay_out_fonts
from subwhisper.media.probe import MediaInfo, VideoStream, probe

CAPTIONS = "subs.ass"

_FONT = re.compile(r"fontselect: \(.*?\) -> .*, (\S+)$")
_LOST_GLYPH = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
_EVENT = re.compile(r"^Dialogue:[^,]*,\s*(\d+):(\d+):([\d.]+)\s*,\s*(\d+):(\d+):([\d.]+)\s*,(?:[^,]*,){6}(.*)$", re.M)
_DRAWING = re.compile(r"\{[^}]*\\p[1-9]")
_OVERRIDE = re.compile(r"\{[^}]*\}|\\[Nnh]")

_NAMED = 20
"""Characters without a font that a warning lists; an unknown script would fill the screen."""

logger = logging.getLogger(__name__)


BURN_NEEDS = CONTAINERS[".mp4"].needs


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
    on_progress: Callable[[float], None] | None = None,
    ffmpeg: Path | None = None,
) -> BurnReport:
    """Draw captions into a video; the sound is kept, copied where the container allows.

    The output appears whole or not at all, and replaces what stood there.

    Args:
        video: anything with a moving picture; captions count from the start of its container.
        captions: an .ass file in UTF-8.
        output: .mp4, .m4v, .mov, .mkv or .webm.
        on_progress: gets the part that is done, from 0 to 1, about twice a second.
        ffmpeg: a binary to use instead of the one that would be found.

    Raises:
        InputError: the captions cannot be read.
        MediaError: the video cannot be read or has no picture.
        OutputError: the output cannot be written, is of an unknown kind, or is one of the inputs.
        ToolError: no ffmpeg can do it, or the captions found no font.
    """
    container = _container_of(output, video, captions)
    text = _read_captions(captions)
    media = probe(video)
    picture = require_picture(media)
    binary = find_ffmpeg(container.needs, ffmpeg)
    log = FontLog()
    with TemporaryDirectory(prefix="subwhisper-") as folder, _published(output) as part:
        workspace = Path(folder)
        (workspace / CAPTIONS).write_text(text, encoding="utf-8")
        environment = lay_out_fonts(workspace)
        common: dict[str, Any] = {"ffmpeg": binary, "log_level": "verbose", "cwd": workspace, "env": environment}
        _require_fonts(text, captions, common)
        complaints = run(
            _command(media, picture, part, container),
            source=video,
            on_log=log.hear,
            on_position=_fraction(media.duration, on_progress),
            **common,
        )
        log.require_fonts(captions)
    _warn(video, complaints, log)
    if on_progress:
        on_progress(1.0)
    return BurnReport(output, tuple(sorted(log.fonts)), tuple(sorted(log.lost)))


def require_picture(media: MediaInfo) -> VideoStream:
    """The stream that captions are drawn into.

    Raises:
        MediaError: there is no moving picture.
    """
    if media.picture is None:
        raise MediaError(f"{media.path} has no moving picture to draw captions into")
    return media.picture


@dataclass
class FontLog:
    """What libass says of its fonts."""

    fonts: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    nothing: bool = False
    """Whether some text found no font at all, and so is not drawn."""

    def hear(self, line: str) -> None:
        if match := _FONT.search(line):
            self.fonts.add(match[1])
        elif match := _LOST_GLYPH.search(line):
            code = int(match[1], 16)
            if code == 0:  # it asks for "any glyph" of a style's font
                self.nothing = True
            else:
                self.lost.add(chr(code))

    def require_fonts(self, captions: Path, *, drawn: bool = False) -> None:
        """Refuse a run in which text found no font.

        Args:
            captions: the file to name.
            drawn: whether some text was certainly on screen.

        Raises:
            ToolError: text would not be visible.
        """
        if self.nothing or (drawn and not self.fonts):
            raise ToolError(
                f"ffmpeg found no font for the text of {captions} and would draw nothing", hint="see: subwhisper doctor"
            )


def _warn(video: Path, complaints: Sequence[str], log: FontLog) -> None:
    if complaints:
        logger.warning("%s seems damaged (ffmpeg: %s); what can be read was used", video, complaints[0])
    if log.lost:
        lost = " ".join(sorted(log.lost)[:_NAMED])
        logger.warning("no font here has %s, so boxes stand in their place; install a font that has them", lost)


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


def _command(media: MediaInfo, stream: VideoStream, part: Path, container: Container) -> list[str]:
    import ffmpeg

    # Stand-ins: ffmpeg-python takes no name that is not UTF-8, and a disk may hold one.
    names = {"SOURCE": file_url(media.path), "TARGET": file_url(part)}
    source = ffmpeg.input("SOURCE", protocol_whitelist=PROTOCOLS)
    sounds = [source[str(sound.index)] for sound in media.audio]
    options = {**container.options, **{f"{name}:v": value for name, value in container.video.items()}}
    for number, sound in enumerate(media.audio):
        written = {"c": "copy"} if sound.codec in container.copied else container.audio
        options |= {f"{name}:a:{number}": value for name, value in written.items()}
    picture = _drawn(source[str(stream.index)], stream)
    target = ffmpeg.output(picture, *sounds, "TARGET", f=container.muxer, **options)
    return ["-y", *(names.get(argument, argument) for argument in map(str, ffmpeg.get_args(target)))]


def _drawn(picture: Any, stream: VideoStream) -> Any:
    # By keyword: ffmpeg-python escapes positional values twice.
    drawn = picture.filter("subtitles", filename=CAPTIONS, fontsdir="fonts")
    if stream.width % 2 or stream.height % 2:  # yuv420p has colour for pairs of pixels only
        drawn = drawn.filter("pad", w="ceil(iw/2)*2", h="ceil(ih/2)*2")
    return drawn


def _require_fonts(text: str, captions: Path, common: dict[str, Any]) -> None:
    """Draw the first caption on one empty frame and see whether it found a font."""
    import ffmpeg

    moment = _first_text(text)
    if moment is None:
        return
    # At one frame a second the clock counts whole seconds, and a caption shorter than that would be missed.
    frame = ffmpeg.input("color=c=black:s=320x180:r=1:d=1", f="lavfi").filter("settb", expr="1/1000")
    empty = frame.filter("setpts", expr=f"PTS+{moment:.3f}/TB")
    drawn = empty.filter("subtitles", filename=CAPTIONS, fontsdir="fonts")
    log = FontLog()
    # copyts: else ffmpeg would take the caption's own time off again
    target = ffmpeg.output(drawn, "-", f="null", **{"frames:v": 1})
    run(["-copyts", *ffmpeg.get_args(target)], source=captions, on_log=log.hear, **common)
    log.require_fonts(captions, drawn=True)


def _first_text(ass: str) -> float | None:
    """The middle, in seconds, of the first event that shows text; None where none does."""
    for match in _EVENT.finditer(ass):
        start, end = (
            int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            for hours, minutes, seconds in (match.group(1, 2, 3), match.group(4, 5, 6))
        )
        said = match[7]
        if end > start and _OVERRIDE.sub("", said).strip() and not _DRAWING.search(said):
            return (start + end) / 2
    return None


def _fraction(duration: float | None, on_progress: Callable[[float], None] | None) -> Callable[[float], None] | None:
    if not duration or not on_progress:
        return None
    return lambda position: on_progress(min(1.0, position / duration))
