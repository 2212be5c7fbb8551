"""One track of a media file as a file of its own: its sound, or its subtitles.

Times count from the start of the container: sound that starts late begins with silence, so that captions made from
it fit the film. Sound is copied to the bit where nothing was asked of it and the file can hold it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from subwhisper.errors import MediaError, OptionError, ToolError
from subwhisper.media import movtext
from subwhisper.media.ffmpeg import PROTOCOLS, file_url, find_ffmpeg, run
from subwhisper.media.probe import AudioStream, MediaInfo, SubtitleStream, probe
from subwhisper.media.sound import SoundOptions, measured_levelling
from subwhisper.media.tracks import preferred_sound, subtitle_number, track_number

_LATE = 0.020
"""Seconds. Codecs begin a few milliseconds off; that is no late start."""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """How a kind of sound file is written."""

    muxer: str
    encoder: str
    copied: frozenset[str]
    """Codecs it holds as they are; empty for every codec."""
    options: tuple[str, ...] = ()
    layouts: str | None = None
    """What the encoder takes, in ffmpeg's names; None for anything."""


_PCM = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})
_OPUS_LAYOUTS = "7.1|6.1|5.1|5.0|quad|3.0|stereo|mono"

SOUND_FILES = {
    ".wav": SoundFile("wav", "pcm_s16le", _PCM),
    ".flac": SoundFile("flac", "flac", frozenset({"flac"})),
    ".opus": SoundFile("opus", "libopus", frozenset({"opus"}), layouts=_OPUS_LAYOUTS),
    ".ogg": SoundFile("ogg", "libvorbis", frozenset({"vorbis", "opus", "flac"}), ("-q:a", "5")),
    ".mp3": SoundFile("mp3", "libmp3lame", frozenset({"mp3"}), ("-q:a", "2"), layouts="stereo|mono"),
    ".m4a": SoundFile("ipod", "aac", frozenset({"aac", "alac"}), ("-b:a", "192k")),
    ".mka": SoundFile("matroska", "flac", frozenset()),
}
"""What sound can be written to, by the suffix of the output."""

_NATURAL = {"ass": ".ass", "ssa": ".ass", "webvtt": ".vtt", "mov_text": ".vtt"}
_COPIED = frozenset({"subrip", "ass", "ssa", "webvtt"})

MIXES = {"mono": 1, "stereo": 2}


@dataclass(frozen=True, kw_only=True)
class SoundChoice:
    """Which sound, and what is done to it."""

    track: int | str | None = None
    """Number from 0, or language; None is what a player takes."""
    mix: str | None = None
    """"mono" or "stereo" mixes all channels down; None keeps them."""
    sample_rate: int | None = None
    """Hertz; None keeps it."""
    sound: SoundOptions = field(default_factory=SoundOptions)

    def __post_init__(self) -> None:
        if self.mix is not None and self.mix not in MIXES:
            raise OptionError(f"no such mix: {self.mix}", hint=f"one of {', '.join(MIXES)}")
        if self.sample_rate is not None and not 4000 <= self.sample_rate <= 384_000:
            raise OptionError(f"a sample rate is between 4000 and 384000 Hz, got {self.sample_rate}")


def extract_audio(
    path: Path,
    output: Path,
    choice: SoundChoice | None = None,
    *,
    on_progress: Callable[[float], None] | None = None,
    ffmpeg: Path | None = None,
) -> None:
    """Write a sound track to a file of its own, which is replaced where it exists.

    Args:
        path: a file with sound.
        output: its suffix is one of `SOUND_FILES`.
        choice: which track, and what is done to it.
        on_progress: gets the part that is done, from 0 to 1.
        ffmpeg: a binary to use instead of the one that would be found.

    Raises:
        MediaError: it cannot be read, or has no such track or channel.
        OptionError: the suffix is unknown.
        OutputError, ToolError: it cannot be written.
    """
    wanted, file = choice or SoundChoice(), sound_file(output)
    media = probe(path)
    if not media.audio:
        raise MediaError(f"{path} has no sound track")
    number = preferred_sound(media) if wanted.track is None else track_number(media, wanted.track)
    stream = media.audio[number]
    binary = find_ffmpeg(frozenset({f"encoder:{file.encoder}", f"muxer:{file.muxer}"}), ffmpeg)
    source = ["-protocol_whitelist", PROTOCOLS, "-i", file_url(path), "-map", f"0:a:{number}"]
    filters = [*_padding(media, stream), *wanted.sound.cleaning(stream)]
    if wanted.sound.loudness is not None:
        filters += measured_levelling(source, filters, wanted.sound.loudness, ffmpeg=binary, path=path)
    coding = _coding(stream, wanted, file, filters)
    kept = ["-map_metadata", "0", "-map_chapters", "-1", "-vn", "-sn", "-dn"]
    heard = _share(media.duration, on_progress)
    run(
        ["-y", *source, *kept, *coding, "-f", file.muxer, file_url(output)],
        ffmpeg=binary, source=path, on_position=heard,
    )  # fmt: skip


def sound_file(output: Path) -> SoundFile:
    """How a file of this suffix is written.

    Raises:
        OptionError: the suffix is unknown.
    """
    if (found := SOUND_FILES.get(output.suffix.lower())) is None:
        raise OptionError(f"{output} has no suffix that sound can be written to", hint=", ".join(SOUND_FILES))
    return found


def _padding(media: MediaInfo, stream: AudioStream) -> list[str]:
    alone = len(media.audio) + len(media.moving) == 1  # its first sample is at 0, whatever its clock says
    late = 0.0 if alone or stream.start is None else stream.start - media.start
    return ["aresample=async=1:first_pts=0"] if late > _LATE else []


def _coding(stream: AudioStream, wanted: SoundChoice, file: SoundFile, filters: list[str]) -> list[str]:
    rate = wanted.sample_rate
    if wanted.sound.loudness is not None and rate is None:
        rate = stream.sample_rate  # loudness is measured at 192 kHz
    if not filters and wanted.mix is None and rate is None and (not file.copied or stream.codec in file.copied):
        return ["-c:a", "copy"]
    if file.layouts and wanted.mix is None:
        filters = [*filters, f"aformat=channel_layouts={file.layouts}"]
    options = ["-c:a", file.encoder, *file.options]
    options += ["-ac", str(MIXES[wanted.mix])] if wanted.mix else []
    if rate is not None and file.encoder != "libopus":  # which knows few rates, and is always heard at 48 kHz
        options += ["-ar", str(rate)]
    return [*(["-af", ",".join(filters)] if filters else []), *options]


def natural_suffix(stream: SubtitleStream) -> str:
    """The suffix of the file that a subtitle track can be written to without loss."""
    return _NATURAL.get(stream.codec, ".srt")


def text_track(media: MediaInfo, wanted: int | str | None) -> SubtitleStream:
    """The subtitle track that is meant, which must hold text.

    Args:
        media: a file.
        wanted: number from 0, or language; None is the first that holds text.

    Raises:
        MediaError: there is none, or it holds pictures.
    """
    if wanted is None:
        first = next((number for number, stream in enumerate(media.subtitles) if stream.is_text), 0)
    stream = media.subtitles[subtitle_number(media, first if wanted is None else wanted)]
    if not stream.is_text:
        raise MediaError(
            f"the subtitles of {media.path} are pictures, not text ({stream.codec})",
            hint="transcribe the sound instead, or keep them as they are with: subwhisper mux",
        )
    return stream


def extract_subtitles(media: MediaInfo, stream: SubtitleStream, output: Path, *, ffmpeg: Path | None = None) -> None:
    """Write a subtitle track to a file whose suffix is `natural_suffix`, every character as it was.

    Raises:
        MediaError: it cannot be read.
        OutputError, ToolError: it cannot be written.
    """
    if stream.codec == "mov_text":
        cues = (
            f"{_clock(start)} --> {_clock(end)}\n{text}\n\n"
            for start, end, text in movtext.read(media.path, stream.index, origin=media.origin)
        )
        output.write_text("WEBVTT\n\n" + "".join(cues), encoding="utf-8")
        return
    coded = "copy" if stream.codec in _COPIED else "srt"
    source = ["-protocol_whitelist", PROTOCOLS, "-i", file_url(media.path), "-map", f"0:{stream.index}"]
    # Of itself ffmpeg counts from the container's start, run-up of its codecs included.
    clock = ["-copyts", "-output_ts_offset", f"{-media.origin:.6f}"]
    target = [*clock, "-c:s", coded, "-f", {".vtt": "webvtt"}.get(output.suffix, output.suffix[1:]), file_url(output)]
    run(["-y", *source, *target], ffmpeg=find_ffmpeg(explicit=ffmpeg), source=media.path)
    if not output.is_file():
        raise ToolError(f"ffmpeg wrote no subtitles of {media.path}")


def _clock(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def _share(duration: float | None, on_progress: Callable[[float], None] | None) -> Callable[[float], None] | None:
    if not duration or not on_progress:
        return None
    return lambda position: on_progress(min(1.0, position / duration))
