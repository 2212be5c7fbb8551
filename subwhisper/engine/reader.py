"""Windows of a recording to text, several at once: mel, encoder, decoder, fallback.

Windows read together never influence each other: a text does not depend on what it was read with.

Shapes: B windows, M mel bins, F mel frames, A audio positions, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from subwhisper.engine.decoding.loop import Decoded, WindowDecoder
from subwhisper.engine.fallback import decode_with_fallback
from subwhisper.engine.features import MelReader
from subwhisper.engine.options import FallbackOptions
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the network makes of one window."""

    window: Window
    features: Tensor
    """(1, A, D) from the encoder; word times are read off them too."""
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class WindowEncoder:
    """Windows of one recording to features."""

    model: SpeechModel
    mel: MelReader

    def encode(self, windows: Sequence[Window]) -> Tensor:
        """(B, A, D) of these windows, which lie in the order of the recording."""
        mels = torch.stack([self._mel_of(window) for window in windows]).to(self.model.placement.device)
        with torch.inference_mode():
            if mels.is_cuda:
                return self.model.network.encode(mels)
            # a processor gains nothing from larger matrices, and one by one needs less memory
            return torch.cat([self.model.network.encode(mel) for mel in torch.split(mels, 1)])

    def _mel_of(self, window: Window) -> Tensor:
        missing = self.model.window_frames - window.n_frames
        # what lies beyond a window is zero, not silence: so Whisper was trained
        return torch.nn.functional.pad(self.mel.window(window.first, window.n_frames), (0, missing))


@dataclass(frozen=True, slots=True)
class WindowReader:
    """Windows of one recording to readings: task, language and options stay the same."""

    encoder: WindowEncoder
    decoder: WindowDecoder
    fallback: FallbackOptions

    def read(self, windows: Sequence[Window], prompt: Sequence[int] = ()) -> list[Reading]:
        """Recognise windows; those whose text is not believed are decoded again, and only they.

        Args:
            windows: in the order of the recording.
            prompt: tokens of the text before; the same for all of them.
        """
        features = self.encoder.encode(windows)

        def decode(temperature: float, chosen: Sequence[int]) -> list[Decoded]:
            seeds = [_seed(windows[index], temperature) for index in chosen]
            return self.decoder.decode(features[list(chosen)], temperature=temperature, prompt=prompt, seeds=seeds)

        texts = decode_with_fallback(decode, len(windows), self.fallback)
        rows = torch.split(features, 1)
        return [Reading(*found) for found in zip(windows, rows, texts, strict=True)]


def _seed(window: Window, temperature: float) -> int:
    """One per window and temperature, the same every time and in every company."""
    return window.first * 1000 + round(temperature * 100)
