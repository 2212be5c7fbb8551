r"""Captions as MP4 keeps them, exactly.

FFmpeg's own way from and to other formats takes `{`, `\` and `<` for markup, and so changes what was said. A sample is
two bytes of length, UTF-8 text, then boxes; the box `styl` says which characters are bold, italic or underlined.
The other side is the text of a WebVTT cue, because that has a writing for every character.

Source: 3GPP TS 26.245, timed text format, sections 5.16 and 5.17.
"""

import html
import re
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from subwhisper.errors import InputError, MediaError
from subwhisper.media.ffmpeg import PROTOCOLS, file_url, find_ffmpeg, run

_FACES = {"b": 1, "i": 2, "u": 4}
_TAG = re.compile(r"<(/?)([^>]*)>")
_STYLE = struct.Struct(">HHHBB4s")  # first character, one past the last, font, face, size, colour
_FONT, _SIZE, _WHITE = 1, 16, b"\xff\xff\xff\xff"
_LONGEST = 0xFFFF


def decode(sample: bytes) -> str:
    """Write a sample as the text of a WebVTT cue."""
    if len(sample) < 2:
        return ""
    end = 2 + int.from_bytes(sample[:2], "big")
    raw = sample[2:end]
    text = raw.decode("utf-16" if raw[:2] in {b"\xfe\xff", b"\xff\xfe"} else "utf-8", errors="replace")
    faces = [0] * len(text)
    for first, last, face in _styles(sample[end:]):
        faces[first:last] = [face] * len(faces[first:last])
    written = []
    for face, pairs in groupby(zip(text, faces, strict=True), key=lambda pair: pair[1]):
        tags = [tag for tag, bit in _FACES.items() if face & bit]
        said = html.escape("".join(character for character, _ in pairs), quote=False)
        written += [*(f"<{tag}>" for tag in tags), said, *(f"</{tag}>" for tag in reversed(tags))]
    return "".join(written).replace("\r\n", "\n").replace("\r", "\n").strip("\n")


def _styles(boxes: bytes) -> Iterator[tuple[int, int, int]]:
    while len(boxes) >= 8:
        size, kind = struct.unpack_from(">I4s", boxes)
        if kind == b"styl":
            for offset in range(10, min(size, len(boxes)) - _STYLE.size + 1, _STYLE.size):
                first, last, _, face, *_ = _STYLE.unpack_from(boxes, offset)
                yield first, last, face
        boxes = boxes[max(size, 8) :]


def encode(cue: str) -> bytes:
    """Write the text of a WebVTT cue as a sample; of its markup bold, italic and underline remain."""
    text, styles, face = "", [], 0
    parts = _TAG.split(cue)
    for plain, closing, tag in zip(parts[::3], [*parts[1::3], ""], [*parts[2::3], ""], strict=True):
        said = html.unescape(plain)
        if said and face:
            styles.append((len(text), len(text) + len(said), face))
        text += said
        bit = _FACES.get(re.split(r"[.\s]", tag)[0], 0)
        face = face & ~bit if closing else face | bit
    raw = text.encode("utf-8")
    if len(raw) > _LONGEST:
        raw = raw[:_LONGEST].decode("utf-8", errors="ignore").encode("utf-8")
    sample = len(raw).to_bytes(2, "big") + raw
    if styles:
        rows = b"".join(_STYLE.pack(first, last, _FONT, face, _SIZE, _WHITE) for first, last, face in styles)
        sample += struct.pack(">I4sH", 10 + len(rows), b"styl", len(styles)) + rows
    return sample


def write(vtt: Path, output: Path, *, ffmpeg: Path | None = None) -> None:
    """Write a WebVTT file as the only track of an MP4 file, which is replaced where it exists.

    Cues that overlap are shown together while they do: MP4 has one sample for each moment.

    Raises:
        InputError: it cannot be read.
        OutputError, ToolError: it cannot be written.
    """
    import av

    cues = _cues(vtt)
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        # How such a track describes itself is taken from one of ffmpeg's, which PyAV cannot start from nothing.
        pattern, empty = Path(folder, "pattern.mp4"), Path(folder, "empty.vtt")
        empty.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n-\n", encoding="utf-8")
        target = ["-c:s", "mov_text", "-f", "mp4", file_url(pattern)]
        run(["-i", file_url(empty), *target], ffmpeg=find_ffmpeg(frozenset({"muxer:mp4"}), ffmpeg), source=vtt)
        with av.open(file_url(pattern)) as model, av.open(file_url(output), "w", format="mp4") as container:
            track: Any = container.add_stream_from_template(model.streams.subtitles[0])
            for start, end, text in together(cues):
                packet = av.Packet(encode(text))
                packet.stream, packet.time_base = track, Fraction(1, 1000)
                packet.pts = packet.dts = start
                packet.duration = end - start
                container.mux(packet)


def _cues(vtt: Path) -> list[tuple[int, int, str]]:
    import av

    try:
        with av.open(file_url(vtt), format="webvtt") as container:
            return [
                (packet.pts, packet.pts + (packet.duration or 0), bytes(packet).decode("utf-8"))
                for packet in container.demux()
                if packet.pts is not None
            ]
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise InputError(f"{vtt} is not WebVTT in UTF-8") from error


def together(cues: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Cut cues that overlap into stretches in which the same texts are shown, one above the other."""
    moments = sorted({moment for start, end, _ in cues for moment in (start, end)})
    waiting = sorted(cues, key=lambda cue: cue[0])[::-1]
    shown: list[tuple[int, int, str]] = []
    for start, end in pairwise(moments):
        while waiting and waiting[-1][0] <= start:
            shown.append(waiting.pop())
        shown = [cue for cue in shown if cue[1] > start]
        if shown:
            yield start, end, "\n".join(text for _, _, text in shown)


def read(path: Path, index: int, *, origin: float = 0.0) -> Iterator[tuple[int, int, str]]:
    """Read a track: start and end in milliseconds from `origin`, and the text of a WebVTT cue.

    Args:
        path: a file with such a track.
        index: of the stream among all of the file.
        origin: seconds on the file's clock that count as 0.

    Raises:
        MediaError: it cannot be read to its end.
    """
    import av

    try:
        with av.open(file_url(path), options={"protocol_whitelist": PROTOCOLS}) as container:
            stream: Any = container.streams[index]
            for packet in container.demux(stream):
                if packet.pts is None or not packet.size:
                    continue
                text = decode(bytes(packet))
                start = float(packet.pts * stream.time_base) - origin
                end = start + float((packet.duration or 0) * stream.time_base)
                if text and end > start:
                    yield max(0, round(start * 1000)), round(end * 1000), text
    except av.error.FFmpegError as error:
        raise MediaError(f"the subtitles of {path} cannot be read: {error.strerror}") from error
