"""A recording to the spans in which someone speaks, block by block."""

from collections.abc import Iterable

import numpy as np

from subwhisper.audio import SAMPLE_RATE, Samples, Span
from subwhisper.engine.options import VadOptions
from subwhisper.engine.vad.detector import FRAME_SAMPLES, EnergyDetector, Everything, SpeechDetector, levels_db
from subwhisper.engine.vad.silero import SileroDetector
from subwhisper.engine.vad.spans import SpanMaker


def detector(options: VadOptions) -> SpeechDetector:
    """The detector that was chosen, ready for a recording.

    Raises:
        ModelError: Silero's network is not there.
    """
    if options.detector == "silero":
        return SileroDetector()
    return EnergyDetector() if options.detector == "energy" else Everything()


class SpeechListener:
    """Hears a recording block by block and finds the spans in which someone speaks."""

    def __init__(self, heard_by: SpeechDetector, options: VadOptions, *, longest: float | None = None) -> None:
        """Begin a recording; `longest` is how many seconds a span may last."""
        self._detector = heard_by
        self._maker = SpanMaker(options, longest=longest)
        self._rest: Samples = np.zeros(0, np.float32)
        self._n_samples = 0

    @property
    def sure_until(self) -> float:
        """Seconds up to which no further span can begin."""
        open_since = self._maker.open_since
        return (self._n_samples - len(self._rest)) / SAMPLE_RATE if open_since is None else open_since

    def hear(self, block: Samples) -> list[Span]:
        """Take in the next samples; return the spans that they finish."""
        self._n_samples += len(block)
        samples = np.concatenate([self._rest, block])
        n_whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[n_whole:]
        return self._judge(samples[:n_whole])

    def finish(self) -> list[Span]:
        """End the recording; return the spans that were still open."""
        missing = -len(self._rest) % FRAME_SAMPLES
        spans = self._judge(np.pad(self._rest, (0, missing)))
        self._rest = self._rest[:0]
        return spans + self._maker.finish(self._n_samples / SAMPLE_RATE)

    def _judge(self, samples: Samples) -> list[Span]:
        frames = samples.reshape(-1, FRAME_SAMPLES)
        return self._maker.add(self._detector.probabilities(frames).tolist(), levels_db(frames).tolist())


def find_speech(blocks: Iterable[Samples], options: VadOptions, *, longest: float | None = None) -> list[Span]:
    """Find where someone speaks in a recording.

    Args:
        blocks: samples, in order.
        options: the detector and what counts as speech.
        longest: seconds a span may last; longer ones are cut in a pause.

    Raises:
        ModelError: Silero's network is not there.
    """
    listener = SpeechListener(detector(options), options, longest=longest)
    return [span for block in blocks for span in listener.hear(block)] + listener.finish()
