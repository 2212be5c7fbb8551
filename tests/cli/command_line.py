"""What the tests of the command line share besides fixtures."""

import wave
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

# The wanted text is nonsense anyway: one temperature and greedy search give it fastest. Nobody speaks in a tone.
QUICK = ("--temperature-increment-on-fallback", "None", "--beam-size", "1", "--threads", "1", "--vad", "none")


class Ran(NamedTuple):
    code: int
    stdout: str
    stderr: str


Run = Callable[..., Ran]


def write_tone(path: Path, seconds: float = 2.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(int(seconds * 16_000)) / 16_000
    samples = (np.sin(times * 2 * np.pi * (200 + 50 * np.sin(times * 9))) * 8000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return path
