"""Which channels of a sound are copies of others: mono written as stereo, also after lossy coding.

Two channels are the same voice where one is the other times a constant, but for what a codec loses of copies: what is
left after the best constant is compared with what there was, half a minute at a time. Channels that differ once differ
for good, so of a conversation only the beginning is read. A copy at another level that went through a lossy codec is
not known for one.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from subwhisper.media.ffmpeg import PROTOCOLS, file_url, find_ffmpeg, running
from subwhisper.media.probe import MediaInfo

_RATE = 8000
_BLOCK = 30 * _RATE
_ALIKE = 3e-3
"""Share of a channel's energy that another does not explain. Of copies, MP3, AAC, Opus and Vorbis at 24 kbit/s and more
leave at most 0.0003; two speakers whose microphones hear the other at nine tenths, 0.011 (both measured)."""
_SILENCE = 10.0
"""Root mean square, of 32768, below which a channel says nothing."""


def channel_voices(
    media: MediaInfo,
    track: int,
    *,
    on_position: Callable[[float], None] | None = None,
    ffmpeg: Path | None = None,
) -> tuple[int, ...]:
    """The first channel of each voice, by number from 0; one at least.

    Args:
        media: what `probe` said of a file.
        track: number of the sound, from 0.
        on_position: gets the seconds read so far.
        ffmpeg: a binary to use instead of the one that would be found.

    Raises:
        ToolError: there is no ffmpeg that can decode it.
    """
    position, alike, loud = 0.0, None, None
    for block in _blocks(media, track, ffmpeg):
        products = block.T @ block
        energy = np.diag(products)
        audible = energy > len(block) * _SILENCE**2
        same = _explained(products) | ~np.logical_or.outer(audible, audible)
        alike = same if alike is None else alike & same
        loud = audible if loud is None else loud | audible
        position += len(block) / _RATE
        if on_position:
            on_position(position)
        if loud.all() and alike.sum() == len(alike):  # every channel is like itself alone
            break
    if alike is None or loud is None:
        return (0,)
    voices: list[int] = []
    for channel in np.flatnonzero(loud):
        if not any(alike[channel, voice] for voice in voices):
            voices.append(int(channel))
    return tuple(voices) or (0,)


def _explained(products: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether each channel is another times a constant, from the products of all with all."""
    energy = np.maximum(np.diag(products), 1e-9)
    return np.asarray(1 - products**2 / np.outer(energy, energy) < _ALIKE)


def _blocks(media: MediaInfo, track: int, ffmpeg: Path | None) -> Iterator[npt.NDArray[np.float64]]:
    """The samples, a row for each moment; where a file is damaged they end, and whoever listens to it tells."""
    binary = find_ffmpeg(frozenset({"encoder:pcm_s16le", "muxer:s16le"}), ffmpeg)
    n_channels = media.audio[track].channels
    source = ["-protocol_whitelist", PROTOCOLS, "-i", file_url(media.path), "-map", f"0:a:{track}"]
    target = ["-ar", str(_RATE), "-c:a", "pcm_s16le", "-f", "s16le", "pipe:1"]
    with running([*source, *target], ffmpeg=binary) as work:
        while raw := work.stdout.read(2 * n_channels * _BLOCK):
            whole = len(raw) - len(raw) % (2 * n_channels)
            yield np.frombuffer(raw[:whole], "<i2").reshape(-1, n_channels).astype(np.float64)
