"""What is done to sound on its way: one channel of it, less noise, an even loudness.

All of it is ffmpeg's: each wish becomes a filter whose arguments are numbers, never text from outside.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from subwhisper.errors import MediaError, OptionError
from subwhisper.media.ffmpeg import run
from subwhisper.media.probe import AudioStream

_CHANNELS = {"left": "FL", "right": "FR", "centre": "FC", "center": "FC"}
"""Names that people use -> ffmpeg's."""
LOUDEST, QUIETEST = -5.0, -70.0
"""LUFS that can be asked for."""
_TRUE_PEAK = -1.5
"""dBTP that no sample may pass: the room lossy codecs want (EBU R 128 s2)."""
_LOUDNESS_RANGE = 11.0
"""LU; only used where the loudness cannot be reached by one gain for all."""
_DENOISER = "afftdn=nr=12:nf=-20:tn=1"
"""By up to 12 dB, from a noise floor that is followed; of the settings tried, best on speech in pink noise and rain."""
_DENOISER_LATE = 40
"""The denoiser gives its samples a fortieth of a second late (measured, 8 to 96 kHz)."""


@dataclass(frozen=True, kw_only=True)
class SoundOptions:
    """How sound is cleaned up; the defaults leave it as it is."""

    channel: int | str | None = None
    """Take this channel alone: its number from 0, or its name, such as "left", "centre" or "LFE"."""
    high_pass: float | None = None
    """Hertz; what lies below (rumble, hum, handling) is weakened. Speech needs little below 80."""
    denoise: bool = False
    """Weaken steady noise. Helps listeners; recognisers are often better off without."""
    loudness: float | None = None
    """LUFS, as EBU R 128 measures; -23 is broadcast, -16 usual for speech on the network. More is louder."""

    def __post_init__(self) -> None:
        if isinstance(self.channel, int) and self.channel < 0:
            raise OptionError(f"a channel is counted from 0, got {self.channel}")
        if self.high_pass is not None and not 1 <= self.high_pass <= 8000:
            raise OptionError(f"a high-pass is between 1 and 8000 Hz, got {self.high_pass:g}")
        if self.loudness is not None and not QUIETEST <= self.loudness <= LOUDEST:
            raise OptionError(f"a loudness is between {QUIETEST:g} and {LOUDEST:g} LUFS, got {self.loudness:g}")

    def cleaning(self, stream: AudioStream) -> tuple[str, ...]:
        """The filters for all but loudness.

        Raises:
            MediaError: the sound has no such channel.
        """
        filters = []
        if self.channel is not None:
            filters.append(f"pan=mono|c0=c{_channel_number(stream, self.channel)}")
        if self.high_pass is not None:
            filters.append(f"highpass=f={self.high_pass:g}")
        if self.denoise:
            late = stream.sample_rate // _DENOISER_LATE  # samples; its timestamps do not tell
            filters += [f"apad=pad_len={late}", _DENOISER, f"atrim=start_sample={late}", f"asetpts=PTS-{late}/SR/TB"]
        return tuple(filters)

    def levelling(self) -> tuple[str, ...]:
        """The filter for loudness where the sound can be heard only once: the gain follows it."""
        return () if self.loudness is None else (_loudnorm(self.loudness),)


def _channel_number(stream: AudioStream, wanted: int | str) -> int:
    import av

    names = [channel.name for channel in av.AudioLayout(stream.layout).channels] if stream.layout else []
    if isinstance(wanted, str):
        called = _CHANNELS.get(wanted.strip().lower(), wanted.strip().upper())
        number = names.index(called) if called in names else stream.channels
    else:
        number = wanted
    if number >= stream.channels:
        there = "; ".join(f"{place} ({name})" for place, name in enumerate(names))
        hint = f"it has: {there}" if there else "its channels have no names, and are counted from 0"
        raise MediaError(f"there is no channel {wanted} in a sound track of {stream.channels}", hint=hint)
    return number


def _loudnorm(loudness: float) -> str:
    return f"loudnorm=I={loudness:g}:TP={_TRUE_PEAK:g}:LRA={_LOUDNESS_RANGE:g}"


def measured_levelling(
    source: Sequence[str], filters: Sequence[str], loudness: float, *, ffmpeg: Path, path: Path
) -> tuple[str, ...]:
    """The filter for loudness after a first hearing: one gain for all where that is enough.

    Args:
        source: ffmpeg's arguments that choose the sound: input and map.
        filters: what comes before.
        loudness: LUFS.
        ffmpeg: the binary.
        path: the file to name in errors.

    Returns:
        Nothing where the sound is silence, which has no loudness.
    """
    heard: list[str] = []
    chain = ",".join([*filters, f"{_loudnorm(loudness)}:print_format=json"])
    arguments = [*source, "-af", chain, "-vn", "-sn", "-dn", "-f", "null", "-"]
    run(arguments, ffmpeg=ffmpeg, source=path, log_level="info", on_log=heard.append)
    found = re.findall(r"\{[^{}]*\}", " ".join(heard))
    measured = {name: float(value) for name, value in json.loads(found[-1]).items() if name.startswith("input_")}
    if not all(map(math.isfinite, measured.values())):
        return ()
    return (
        f"{_loudnorm(loudness)}:linear=true:measured_I={measured['input_i']}:measured_TP={measured['input_tp']}"
        f":measured_LRA={measured['input_lra']}:measured_thresh={measured['input_thresh']}",
    )
