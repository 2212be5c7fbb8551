"""What ffmpeg cannot say in an MP4 file, said in its boxes after it was written.

Source: ISO/IEC 14496-12, sections 4.2 (boxes), 8.3.2 (track header) and 8.4.3 (handler).
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_SUBTITLES = frozenset({b"sbtl", b"text", b"subt", b"subp", b"clcp"})
_ENABLED = 1
Box = tuple[bytes, int, int]
"""Kind, where what it holds begins, where it ends."""


def switch_subtitles_off(path: Path) -> None:
    """Mark no subtitle track as shown unasked: ffmpeg marks the first where none is to be."""
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        for moov in _inside(file, (b"", 0, end), b"moov"):
            for track in _inside(file, moov, b"trak"):
                if _handler(file, track) in _SUBTITLES:
                    for _, start, _ in _inside(file, track, b"tkhd"):
                        flags = int.from_bytes(_read(file, start, 4), "big")
                        file.seek(start)
                        file.write((flags & ~_ENABLED).to_bytes(4, "big"))


def _handler(file: BinaryIO, track: Box) -> bytes:
    for media in _inside(file, track, b"mdia"):
        for _, start, _ in _inside(file, media, b"hdlr"):
            return _read(file, start + 8, 4)
    return b""


def _inside(file: BinaryIO, box: Box, wanted: bytes) -> Iterator[Box]:
    """The boxes of a kind directly inside another."""
    _, place, end = box
    while place + 8 <= end:
        size, kind = struct.unpack(">I4s", _read(file, place, 8))
        head = 8
        if size == 1:
            size, head = int.from_bytes(_read(file, place + 8, 8), "big"), 16
        elif size == 0:  # to the end
            size = end - place
        if size < head:
            return
        if kind == wanted:
            yield kind, place + head, place + size
        place += size


def _read(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)
