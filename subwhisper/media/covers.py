"""Cover art: a stream with one picture for MP4, an attached file for Matroska."""

from pathlib import Path

from subwhisper.errors import MediaError
from subwhisper.media.ffmpeg import PROTOCOLS, file_url
from subwhisper.media.probe import VideoStream

_KINDS = {"png": ("png", "image/png"), "mjpeg": ("jpg", "image/jpeg"), "bmp": ("bmp", "image/bmp")}
"""FFmpeg's name of a codec -> suffix and media type of its files."""


def write_cover(path: Path, cover: VideoStream, folder: Path) -> tuple[Path, str]:
    """Write the cover of a file to a file of its own, to the bit.

    Returns:
        The file written, named as Matroska wants the first of them to be, and its media type.

    Raises:
        MediaError: it cannot be read.
    """
    import av

    suffix, kind = _KINDS.get(cover.codec, (cover.codec, f"image/{cover.codec}"))
    written = folder / f"{'cover' if not [*folder.glob('cover*')] else f'cover-{cover.index}'}.{suffix}"
    try:
        with av.open(file_url(path), options={"protocol_whitelist": PROTOCOLS}) as container:
            written.write_bytes(bytes(next(container.demux(container.streams[cover.index]))))
    except av.error.FFmpegError as error:
        raise MediaError(f"the cover of {path} cannot be read: {error.strerror}") from error
    return written, kind
