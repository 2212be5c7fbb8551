"""Recordings made for tests: espeak-ng's own voice, packed as if somebody had read aloud."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from subwhisper.training.recordings import Pack, open_pack, pack
from subwhisper.training.synthesis import Espeak, Voice


def packed(espeak: Espeak, folder: Path, sentences: Sequence[str]) -> Pack:
    """Speak sentences into a pack."""
    sounds = {Path(str(i)): espeak.speak(text, Voice("en-us")).samples for i, text in enumerate(sentences)}
    clips = [(path, text, "reader", "test") for path, text in zip(sounds, sentences, strict=True)]
    pack(clips, folder, read=lambda path: (sounds[path] * 32767).astype(np.int16))
    return open_pack(folder)
