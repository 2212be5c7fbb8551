"""Sound that comes block by block, from a file or a microphone, to stretches that can be read at once.

A stretch is one span of speech with its pads, cut from nothing else and never longer than a window, so it is final as
soon as the pause behind it is long enough. It begins and ends with a frame, as a window in a file does. Only what may
still belong to a stretch is kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from subwhisper.audio import SAMPLE_RATE, Audio, Samples, Span
from subwhisper.engine.features import HOP
from subwhisper.engine.options import VadOptions
from subwhisper.engine.vad.detector import FRAME_SAMPLES
from subwhisper.engine.vad.listener import SpeechListener, detector


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sound in which someone speaks."""

    first: int
    """Its first sample, counted from the start of the stream."""
    audio: Audio

    @property
    def start(self) -> float:
        """Seconds from the start of the stream."""
        return self.first / SAMPLE_RATE


def stretches(blocks: Iterable[Samples], vad: VadOptions, longest: float) -> Iterator[Stretch]:
    """Find stretches of speech in a stream, each as soon as it has ended.

    Args:
        blocks: mono float32 samples at 16 kHz, in order; read no faster than stretches are taken.
        vad: what is speech, and how long a pause ends it.
        longest: seconds a stretch may last.

    Raises:
        ModelError: the detector's network is not there.
    """
    listener = SpeechListener(detector(vad), vad, longest=longest)
    held, first = np.zeros(0, np.float32), 0
    for block in _at_least_a_frame(blocks):
        held = np.concatenate([held, block])
        yield from _cut(listener.hear(block), held, first)
        behind = listener.sure_until - vad.speech_pad_ms / 1000
        forgotten = min(len(held), max(0, _whole_hops(int(behind * SAMPLE_RATE)) - first))
        held, first = held[forgotten:], first + forgotten
    yield from _cut(listener.finish(), held, first)


def _cut(spans: Iterable[Span], held: Samples, first: int) -> Iterator[Stretch]:
    for span in spans:
        start = max(0, _whole_hops(round(span.start * SAMPLE_RATE)) - first)
        end = _whole_hops(round(span.end * SAMPLE_RATE) + HOP - 1) - first
        yield Stretch(start + first, Audio(held[start:end].copy()))


def _at_least_a_frame(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The same sound in blocks of which a detector can make something, however small they come."""
    waiting: list[Samples] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= FRAME_SAMPLES:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _whole_hops(n_samples: int) -> int:
    """So many samples, or fewer, that they end where a frame of mel begins."""
    return n_samples // HOP * HOP
