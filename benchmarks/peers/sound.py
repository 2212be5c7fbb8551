"""The sound that everyone hears: real speech, as long as asked."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from subwhisper import open_audio

RATE = 16000

_ROOT = Path(__file__).resolve().parents[2]
_SPEECH = _ROOT.parent / "shared" / "samples" / "speech"
_PEOPLE = ("jfk", "mfa-cold", "shakespeare", "leopard-en", "librivox", "emu-ae", "common_voice_en")


def recordings() -> list[Path]:
    """English speech of people, from the samples that may lie beside a developer's checkout; else the example film."""
    found = sorted(path for path in _SPEECH.glob("*.*") if path.name.startswith(_PEOPLE))
    return found or [_ROOT / "examples" / "welcome.mp4"]


def write_sound(sources: Sequence[Path], minutes: float, target: Path) -> Path:
    """Write recordings one behind the other, over and over, as 16 kHz mono WAV; what is there is left alone."""
    if not target.exists():
        heard = np.concatenate([block for source in sources for block in open_audio(source).blocks()])
        whole = np.resize(heard, round(minutes * 60) * RATE)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".unfinished")
        with wave.open(str(unfinished), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((np.clip(whole, -1, 1) * 32767).astype("<i2").tobytes())
        unfinished.replace(target)
    return target
