"""Windows of a recording to text, several at once: mel, encoder, language, decoder, fallback.

Windows read together never influence each other: a text does not depend on what it was read with.

Shapes: B windows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from subwhisper.engine.decoding.loop import Beginning, Decoded, WindowDecoder
from subwhisper.engine.fallback import decode_with_fallback
from subwhisper.engine.features import MelReader
from subwhisper.engine.options import FallbackOptions
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.engine.windows import Window
from subwhisper.model.cache import HeardWindows


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the network makes of one window."""

    window: Window
    heard: HeardWindows
    """The window alone; word times are read off it too."""
    language: str
    """Code of the language spoken."""
    texts: tuple[Decoded, ...]
    """One for each of the reader's tasks."""

    @property
    def decoded(self) -> Decoded:
        """The text of the first task, which says where the window leaves off."""
        return self.texts[0]


@dataclass(frozen=True, slots=True)
class WindowEncoder:
    """Windows of one recording to what the decoder attends to."""

    model: SpeechModel
    mel: MelReader

    def hear(self, windows: Sequence[Window]) -> HeardWindows:
        """These windows, which lie in the order of the recording."""
        network, device = self.model.network, self.model.placement.device
        mels = (self._mel_of(window).to(device) for window in windows)
        with torch.inference_mode():
            if device.type == "cuda":
                return network.hear(network.encode(torch.stack([*mels])))
            # a processor gains nothing from larger matrices, and one by one needs less memory
            return network.hear(torch.cat([network.encode(mel[None]) for mel in mels]))

    def _mel_of(self, window: Window) -> torch.Tensor:
        missing = self.model.window_frames - window.n_frames
        # what lies beyond a window is zero, not silence: so Whisper was trained
        return torch.nn.functional.pad(self.mel.window(window.first, window.n_frames), (0, missing))


Decode = Callable[[float, Sequence[int]], list[Decoded]]
"""Gives the texts with these indices, at a temperature."""
Languages = Callable[[HeardWindows], Sequence[str]]
"""Tells the language spoken in each window."""


@dataclass(frozen=True, slots=True)
class WindowReader:
    """Windows of one recording to readings: tasks and options stay the same."""

    encoder: WindowEncoder
    decoder: WindowDecoder
    fallback: FallbackOptions
    tasks: tuple[str, ...]
    """What each window is decoded for; all of them are rows of one decoding."""
    languages: Languages
    doubt: Callable[[str], str | None] | None = None
    """A further reason to disbelieve a text; where there is one, a text is tried again without what came before."""

    def read(self, windows: Sequence[Window], prompts: Sequence[Sequence[int]]) -> list[Reading]:
        """Recognise windows; texts that are not believed are decoded again, and only they.

        Args:
            windows: in the order of the recording.
            prompts: for each task, tokens of the text before; the same for all windows.
        """
        heard = self.encoder.hear(windows)
        languages = self.languages(heard)
        beginnings = [beginning for language in languages for beginning in self._beginnings(language, prompts)]
        n_tasks = len(self.tasks)

        tried: set[int] = set()

        def decode(temperature: float, chosen: Sequence[int]) -> list[Decoded]:
            forgets = self.doubt is not None
            asked = {t: beginnings[t].alone if forgets and t in tried else beginnings[t] for t in chosen}
            seeds = {t: _seed(windows[t // n_tasks], temperature) for t in chosen}
            tried.update(chosen)
            found: dict[int, Decoded] = {}
            for texts in _together(chosen, n_tasks):
                decoded = self.decoder.decode(
                    heard,
                    [asked[text] for text in texts],
                    list(dict.fromkeys(text // n_tasks for text in texts)),
                    temperature=temperature,
                    seeds=[seeds[text] for text in texts],
                )
                found |= zip(texts, decoded, strict=True)
            return [found[text] for text in chosen]

        texts = self._believed(decode, beginnings)
        by_window = [tuple(texts[first : first + n_tasks]) for first in range(0, len(texts), n_tasks)]
        alone = heard.one_by_one()
        return [Reading(*found) for found in zip(windows, alone, languages, by_window, strict=True)]

    def _believed(self, decode: Decode, beginnings: Sequence[Beginning]) -> list[Decoded]:
        if self.doubt is None:
            return decode_with_fallback(decode, len(beginnings), self.fallback)
        options = self.fallback
        if any(beginning.prompt for beginning in beginnings):  # what came before may be all that is wrong
            options = replace(options, temperatures=(options.temperatures[0], *options.temperatures))
        return decode_with_fallback(decode, len(beginnings), options, self.doubt, likeliest=True)

    def _beginnings(self, language: str, prompts: Sequence[Sequence[int]]) -> list[Beginning]:
        tokenizer = self.encoder.model.tokenizer
        return [
            Beginning(tokenizer.start_sequence(language, task), tuple(prompt))
            for task, prompt in zip(self.tasks, prompts, strict=True)
        ]


def _together(texts: Sequence[int], n_tasks: int) -> list[list[int]]:
    """Texts that can be decoded at once: as many of each window."""
    by_task = [[text for text in texts if text % n_tasks == task] for task in range(n_tasks)]
    is_even = len({tuple(text // n_tasks for text in some) for some in by_task}) == 1
    return [sorted(texts)] if is_even else [some for some in by_task if some]


def _seed(window: Window, temperature: float) -> int:
    """One per window and temperature, the same every time and in every company."""
    return window.first * 1000 + round(temperature * 100)
