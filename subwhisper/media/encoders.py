"""How a picture is encoded: codec, quality, hardware; ten bits and high dynamic range kept where the codec can."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subwhisper.errors import OptionError, SubwhisperError
from subwhisper.media.containers import Container
from subwhisper.media.ffmpeg import missing, run
from subwhisper.media.probe import VideoStream

_SOFTWARE: dict[str, dict[str, Any]] = {
    "h264": {"c": "libx264", "preset": "medium", "crf": 20},
    "hevc": {"c": "libx265", "preset": "medium", "crf": 22, "x265-params": "log-level=error"},
    "av1": {"c": "libsvtav1", "preset": 8, "crf": 30},
    "vp9": {"c": "libvpx-vp9", "crf": 31, "b": 0, "deadline": "good", "cpu-used": 4, "row-mt": 1},
}
CODECS = tuple(_SOFTWARE)
WORST = {"h264": 51, "hevc": 51, "av1": 63, "vp9": 63}
"""The greatest quality number of each codec; 0 is nearly without loss."""
_MAKERS = ("nvenc", "videotoolbox", "qsv", "amf")
_DEEP = frozenset({"hevc", "av1", "vp9"})
"""Codecs whose ten-bit kind players expect."""
TONE_MAPPING = frozenset({"filter:zscale", "filter:tonemap"})
TO_SDR = (
    ("zscale", {"t": "linear", "npl": 203}),  # BT.2408: nits of white paper
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    ("tonemap", {"tonemap": "hable", "desat": 0}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """How the picture is encoded; the defaults are safe for every player."""

    codec: str | None = None
    """h264, hevc, av1 or vp9; None is VP9 for .webm, HEVC for pictures of more than eight bits, else H.264."""
    quality: float | None = None
    """The codec's constant rate factor: 0 is nearly without loss, more is smaller and worse; None is a good one."""
    hardware: bool = False
    """Encode with the graphics card, if it can: faster, and larger for the same quality."""

    def __post_init__(self) -> None:
        if self.codec is not None and self.codec not in CODECS:
            raise OptionError(f"no such codec: {self.codec}", hint=f"one of {', '.join(CODECS)}")
        worst = 63 if self.codec is None else WORST[self.codec]
        if self.quality is not None and not 0 <= self.quality <= worst:
            raise OptionError(f"a quality is between 0 (best) and {worst}, got {self.quality:g}")


@dataclass(frozen=True, slots=True)
class Encoding:
    """What was settled for one picture."""

    options: dict[str, Any]
    """FFmpeg's, without stream specifiers."""
    filters: tuple[tuple[str, dict[str, Any]], ...] = ()
    """To come before the captions are drawn: name and arguments."""
    keeps_hdr: bool = False


def choose_codec(options: PictureOptions, container: Container, picture: VideoStream) -> str:
    """The codec that a picture will have.

    Raises:
        OptionError: the container cannot hold it.
    """
    webm = container.muxer == "webm"
    deep = picture.bit_depth > 8 or picture.hdr is not None
    codec = options.codec or ("vp9" if webm else "hevc" if deep else "h264")
    if webm and codec not in {"vp9", "av1"}:
        raise OptionError(f".webm cannot hold {codec}", hint="vp9 and av1 can be in it; or name an .mp4 or .mkv")
    if options.quality is not None and options.quality > WORST[codec]:
        raise OptionError(f"a quality of {codec} is between 0 (best) and {WORST[codec]}, got {options.quality:g}")
    return codec


def needs(codec: str, options: PictureOptions, picture: VideoStream) -> frozenset[str]:
    """What an ffmpeg must have for it."""
    wanted = {f"encoder:{_SOFTWARE[codec]['c']}"}  # what hardware cannot do falls to it
    return frozenset(wanted | (TONE_MAPPING if picture.hdr and codec not in _DEEP else set()))


def settle(codec: str, options: PictureOptions, container: Container, picture: VideoStream, ffmpeg: Path) -> Encoding:
    """Find how ffmpeg is to encode a picture; hardware that does not work is told, and done without."""
    ten = codec in _DEEP and (picture.bit_depth > 8 or picture.hdr is not None)
    coded = _hardware(codec, options.quality, ffmpeg) if options.hardware else None
    deep = "p010le" if coded else "yuv420p10le"
    if coded is None:
        coded = dict(_SOFTWARE[codec])
        if options.quality is not None:
            coded["crf"] = f"{options.quality:g}"
    coded["pix_fmt"] = deep if ten else "yuv420p"
    if codec == "hevc" and container.muxer in {"mp4", "mov"}:
        coded["tag"] = "hvc1"  # what Apple's players look for
    return Encoding(coded, TO_SDR if picture.hdr and not ten else (), bool(picture.hdr and ten))


def _hardware(codec: str, quality: float | None, ffmpeg: Path) -> dict[str, Any] | None:
    """The options of the first encoder of a graphics card that works; None where none does, and why is told."""
    reasons = []
    for maker in _MAKERS:
        encoder = f"{codec}_{maker}"
        if missing(ffmpeg, frozenset({f"encoder:{encoder}"})):
            continue
        if (reason := _failure(encoder, ffmpeg)) is None:
            return {"c": encoder, **_hardware_quality(maker, 23 if quality is None else quality)}
        reasons.append(f"{encoder}: {reason}")
    why = "; ".join(reasons) or "this ffmpeg knows none"
    logger.warning("no graphics card here encodes %s (%s): the processor does it", codec, why)
    return None


def _hardware_quality(maker: str, quality: float) -> dict[str, Any]:
    if maker == "nvenc":
        return {"preset": "p5", "rc": "vbr", "cq": f"{quality:g}", "b": 0}
    if maker == "videotoolbox":
        return {"q": round(100 - quality * 100 / 63)}
    if maker == "qsv":
        return {"global_quality": round(quality)}
    return {"rc": "cqp", "qp_i": round(quality), "qp_p": round(quality)}


def _failure(encoder: str, ffmpeg: Path) -> str | None:
    """Why it encodes no frame; None where it does. Being built in says nothing of the card and its driver."""
    picture = ["-f", "lavfi", "-i", "color=s=256x256:r=1:d=1", "-frames:v", "1"]
    try:
        run([*picture, "-c:v", encoder, "-f", "null", "-"], ffmpeg=ffmpeg, source=Path(encoder))
    except SubwhisperError as error:
        return error.message.rpartition(f"{encoder}: ")[2]
    return None
