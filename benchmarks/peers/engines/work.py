"""What every engine is asked to do.

To add an engine: write a module here with `load(setting, options)` that returns an `Engine`, and name it in
`engines.ENGINES`. An engine offers the stages it can do; what it does not offer stays empty in the table.

Stages, all on the same sound and with the same text per window:

    mel           log-mel of the whole sound
    vad           where someone speaks in the whole sound
    encoder       one window
    greedy-B      B windows of features to tokens, the most probable each time
    beam-5        one window of features to tokens, five beams
    words         times of the words of one window whose features and tokens are known
    sequential    file to segments with word times, window after window
    batched-8     the same, eight windows at once
    load          start of a process until the model is in memory
    memory        most megabytes that a process needs from end to end, eight windows at once where it can
    help          `--help` of those that have a program
    natural-*     end to end as above, with a trained model on real speech, all as the engine has it by default
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the command line is read before there is anything but the standard library
    import numpy as np
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

STAGES = (
    "encoder",
    "greedy-1",
    "greedy-8",
    "words",
    "batched-8",
    "sequential",
    "beam-5",
    "greedy-16",
    "mel",
    "vad",
    "load",
    "memory",
    "help",
)
NATURAL = ("natural-sequential", "natural-batched")
"""Stages of the trained model; all others are the random ones'."""
TRAINED = "bundled"
"""The size that is no random one: the model that comes with subwhisper."""

TEXT_TOKENS = 98
WINDOW_TOKENS = TEXT_TOKENS + 2
"""Of every window, with the timestamps before and after."""

RATE = 16000
WINDOW = 30 * RATE
BATCHES = (1, 8, 16)


@dataclass(frozen=True, slots=True)
class Setting:
    """What an engine is given."""

    checkpoint: Path
    """Folder with the checkpoint in every format."""
    sound: Path
    """16 kHz mono WAV, a whole number of windows."""
    threads: int

    @property
    def n_windows(self) -> int:
        return len(self.samples()) // WINDOW

    def samples(self) -> Samples:
        """The sound in memory."""
        import numpy as np

        with wave.open(str(self.sound)) as sound:
            whole = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        return whole.astype(np.float32) / 32768

    def windows(self, count: int) -> list[Samples]:
        """So many windows, from the start again where the sound ends."""
        samples = self.samples()
        starts = [at % self.n_windows * WINDOW for at in range(count)]
        return [samples[start : start + WINDOW] for start in starts]


@dataclass(frozen=True, slots=True)
class Stage:
    """One piece of work that is timed."""

    run: Callable[[], int]
    """Does it, and returns how much it was: frames, tokens or words, so that unequal work is noticed."""
    prepare: Callable[[], object] = lambda: None
    """What must be there before; not timed."""


class Engine(Protocol):
    """A loaded engine."""

    versions: Mapping[str, str]
    """Packages that do the work."""
    stages: Mapping[str, Stage]
