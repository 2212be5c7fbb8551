"""Any file's sound as mono float32 at 16 kHz, block by block, on the clock of its container.

FFmpeg decodes to 16-bit integers, which are what openai-whisper feeds its model: decoding an MP3 to
floats instead moves the mel values by 0.01. Each packet comes with its time (in the NUT container, through
a pipe), so that a track which starts late, or has holes, is filled with silence here: times are then
those a player shows, and a file without holes gives the very samples openai-whisper would load.

A file that is damaged but still gives sound is used, with a warning; one that gives none is an error.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.errors import MediaError
from subwhisper.media.ffmpeg import PROTOCOLS, Running, explain, file_url, find_ffmpeg, running
from subwhisper.media.probe import MediaInfo, probe
from subwhisper.media.sound import SoundOptions
from subwhisper.media.tracks import preferred_sound, track_number

DECODE_NEEDS = frozenset({"encoder:pcm_s16le", "muxer:nut", "filter:aresample"})

BLOCK_SECONDS = 30
START_TOLERANCE = round(0.020 * SAMPLE_RATE)
"""Samples. Codecs begin a few milliseconds off; that is no late start."""
HOLE_TOLERANCE = round(0.100 * SAMPLE_RATE)
"""Samples. Timestamps wander (Ogg by 10 ms, AVI by more); only what exceeds this is a hole."""
LONGEST_HOLE = 6 * 3600 * SAMPLE_RATE
"""Samples. A greater jump, or one past the end of the file, is a broken clock and not silence."""

_Integers = npt.NDArray[np.int16]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MediaAudio:
    """The sound of a media file; an `AudioSource`."""

    path: Path
    track: int | None
    """Counted from 0 among the sound tracks; None is the one ffmpeg prefers (most channels, then first)."""
    ffmpeg: Path
    lead: float | None
    """Seconds between the start of the container and that of the sound; None where only decoding tells."""
    alone: bool
    """Whether the file has no stream but this sound, whose first sample is then at 0 whatever its clock says."""
    duration: float | None
    """Seconds as the file states them; None where it does not. May be wrong: only decoding tells."""
    language: str | None = None
    """Code as the file states it."""
    filters: tuple[str, ...] = ()
    """FFmpeg's, that clean the sound up first; none of them moves it."""
    _warned: Event = field(default_factory=Event, repr=False, compare=False)  # the second pass does not repeat it

    def blocks(self) -> Iterator[Samples]:
        """Decode from the start, about 30 seconds at a time; every call runs ffmpeg anew.

        Raises:
            MediaError: no sound could be decoded.
            ToolError: ffmpeg failed by itself.
        """
        heard = False
        with running(self._arguments(), ffmpeg=self.ffmpeg) as work:
            lead, end = (None if t is None else round(t * SAMPLE_RATE) for t in (self.lead, self.duration))
            pieces = on_the_clock(_packets(work.stdout), lead=lead, alone=self.alone, end=end)
            for block in in_blocks(pieces, BLOCK_SECONDS * SAMPLE_RATE):
                heard = True
                yield block
        self._judge(work, heard)

    def _arguments(self) -> list[str]:
        chosen = [] if self.track is None else ["-map", f"0:a:{self.track}"]
        source = ["-protocol_whitelist", PROTOCOLS, "-threads", "0", "-i", file_url(self.path)]
        cleaned = ["-af", ",".join(self.filters)] if self.filters else []
        sound = [*cleaned, "-vn", "-sn", "-dn", "-ac", "1", "-ar", str(SAMPLE_RATE), "-c:a", "pcm_s16le"]
        return [*source, *chosen, *sound, "-f", "nut", "pipe:1"]

    def _judge(self, work: Running, heard: bool) -> None:
        code = work.process.returncode
        if code < 0 or (code and not heard):
            raise explain(work, self.path)
        if not heard:
            raise MediaError(f"no sound could be decoded from {self.path}", hint="it may be empty or damaged")
        if (code or work.errors) and not self._warned.is_set():
            self._warned.set()
            said = work.errors[0] if work.errors else f"it ended with code {code}"
            logger.warning("%s seems damaged (ffmpeg: %s); the sound that can be read is used", self.path, said)


def open_audio(
    path: Path | str,
    *,
    track: int | str | None = None,
    sound: SoundOptions | None = None,
    ffmpeg: Path | None = None,
) -> MediaAudio:
    """Look into a file and choose its sound; nothing is decoded yet.

    Args:
        path: a file with sound.
        track: number of the sound track counted from 0, or its language; None is the one ffmpeg prefers.
        sound: how it is cleaned up, and which of its channels is taken; None leaves it as it is.
        ffmpeg: a binary to use instead of the one that would be found.

    Raises:
        MediaError: it is missing, unreadable, no media, has no sound or not that track or channel.
        ToolError: there is no ffmpeg that can decode.
    """
    path, binary = Path(path), find_ffmpeg(DECODE_NEEDS, ffmpeg)
    media = probe(path)
    if not media.audio:
        raise MediaError(f"{path} has no sound track")
    number = None if track is None else track_number(media, track)
    filters: tuple[str, ...] = ()
    if sound is not None and sound != SoundOptions():
        number = preferred_sound(media) if number is None else number
        filters = (*sound.cleaning(media.audio[number]), *sound.levelling())
    return MediaAudio(
        path=path,
        track=number,
        ffmpeg=binary,
        lead=_lead(media, number),
        alone=len(media.audio) + len(media.moving) == 1,
        duration=media.duration,
        language=media.audio[preferred_sound(media) if number is None else number].language,
        filters=filters,
    )


def _lead(media: MediaInfo, number: int | None) -> float | None:
    """What the file says of when its sound starts; None where it has several and ffmpeg is to choose."""
    chosen = media.audio if number is None else media.audio[number : number + 1]
    leads = {0.0 if stream.start is None else max(0.0, stream.start - media.origin) for stream in chosen}
    return leads.pop() if len(leads) == 1 else None


def _packets(stdout: IO[bytes]) -> Iterator[tuple[int, _Integers]]:
    """Read ffmpeg's NUT stream: where each packet starts, in samples, and the samples in it."""
    import av

    pipe = _Pipe(stdout)
    try:
        with av.open(pipe, mode="r", format="nut") as container:
            stream: Any = container.streams.audio[0]
            tick = stream.time_base * SAMPLE_RATE  # in samples; fractions of their own are slow
            whole, part = 2 * tick.numerator, 2 * tick.denominator
            for packet in container.demux(stream):
                if pipe.interruption is not None:
                    break  # and this may be half a packet
                if packet.size > 1 and packet.pts is not None:
                    samples = np.frombuffer(packet, "<i2", count=packet.size // 2)  # the last may end within a sample
                    yield (packet.pts * whole + tick.denominator) // part, samples
    except av.error.FFmpegError:
        pass  # ffmpeg wrote nothing, or stopped in the middle of a packet: what it said tells why
    if pipe.interruption is not None:
        raise pipe.interruption


class _Pipe:
    """A file for PyAV, which drops an interruption that comes while it reads, or ends the process over it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.interruption: BaseException | None = None
        """Ctrl-C, or a signal to end; to the reader it is the end of the file."""

    def read(self, size: int) -> bytes:
        try:
            return b"" if self.interruption else self._file.read(size)
        except (KeyboardInterrupt, SystemExit) as interruption:
            self.interruption = interruption
            return b""


def on_the_clock(
    packets: Iterable[tuple[int, _Integers]], *, lead: int | None, alone: bool, end: int | None
) -> Iterator[_Integers]:
    """Put silence where the clock of the packets runs ahead of their samples; no sample is ever dropped.

    Args:
        packets: where each starts, in samples, and its samples.
        lead: where the sound is said to start, in samples; None takes the first packet's word for it.
        alone: whether the sound starts at 0 whatever the clock says.
        end: samples in the whole recording, if that is known.
    """
    position = 0
    early: int | None = None  # by how much the clock is ahead of what we yield
    for time, samples in packets:
        if early is None:
            lead = time if lead is None else lead
            late = 0 if alone or lead <= START_TOLERANCE else lead
            early = lead - late
            yield from _silence(late)
            position += late
        hole = time - early - position
        if hole > LONGEST_HOLE or (end is not None and hole > HOLE_TOLERANCE and position + hole > end):
            logger.warning("the clock jumps by %.1f s at %.1f s: ignored", hole / SAMPLE_RATE, position / SAMPLE_RATE)
            early += hole
        elif hole > HOLE_TOLERANCE:
            yield from _silence(hole)
            position += hole
        yield samples
        position += len(samples)


def _silence(length: int) -> Iterator[_Integers]:
    for start in range(0, length, BLOCK_SECONDS * SAMPLE_RATE):
        yield np.zeros(min(length - start, BLOCK_SECONDS * SAMPLE_RATE), np.int16)


def in_blocks(pieces: Iterable[_Integers], size: int) -> Iterator[Samples]:
    """Join short pieces into blocks of at least `size` samples (the last may be shorter), as floats."""
    held: list[_Integers] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= size:
            yield _floats(held)
            held, length = [], 0
    if length:
        yield _floats(held)


def _floats(pieces: list[_Integers]) -> Samples:
    # 16-bit samples reach -32768 but only +32767, so 32768 is the divisor that keeps |x| <= 1.
    return np.concatenate(pieces).astype(np.float32) / 32768.0
