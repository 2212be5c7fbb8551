"""Several windows read at once; a text that loops is tried again without what came before."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from subwhisper.engine.decoding.loop import Beginning, Decoded
from subwhisper.engine.invention import doubt
from subwhisper.engine.options import FallbackOptions
from subwhisper.engine.reader import WindowReader, _together
from subwhisper.engine.windows import Window
from subwhisper.model.cache import CrossAttended, HeardWindows

from .vocabularies import byte_tokenizer

LOOP = "and then " * 12


def numbers(layers: Sequence[CrossAttended]) -> list[float]:
    """Which windows they are."""
    return layers[0].keys.flatten().tolist()


class Encoder:
    """Windows that can be told apart."""

    model = SimpleNamespace(tokenizer=byte_tokenizer())

    def hear(self, windows: Sequence[Window]) -> HeardWindows:
        told = torch.tensor([float(window.first) for window in windows])[:, None, None, None]
        return HeardWindows([CrossAttended(told, told.clone())], torch.float32)


class Decoder:
    """Loops in window 0 as long as it is told of the text before."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, int, bool]] = []

    def decode(
        self,
        heard: HeardWindows,
        beginnings: Sequence[Beginning],
        windows: Sequence[int],
        *,
        temperature: float,
        seeds: Sequence[int],
    ) -> list[Decoded]:
        texts = []
        for first, beginning in zip(numbers(heard.in_front(windows)), beginnings, strict=True):
            self.asked.append((temperature, int(first), bool(beginning.prompt)))
            loops = first == 0 and beginning.prompt
            texts.append(Decoded((1,), LOOP if loops else "a text", -0.2, 0.0, temperature))
        return texts


def reader(decoder: Decoder, **more: Any) -> WindowReader:
    options = FallbackOptions(compression_ratio_threshold=None)
    return WindowReader(Encoder(), decoder, options, ("transcribe",), lambda f: ["en"] * len(f), **more)  # type: ignore[arg-type]


WINDOWS = [Window(0, 100), Window(100, 100)]


def test_a_loop_is_tried_again_without_the_text_before_at_the_same_temperature() -> None:
    decoder = Decoder()
    looped, other = reader(decoder, doubt=doubt).read(WINDOWS, [[5, 6]])
    assert (looped.decoded.text, looped.decoded.temperature) == ("a text", 0.0)
    assert "loop" in looped.decoded.doubts[0]
    assert other.decoded.doubts == ()
    assert decoder.asked == [(0.0, 0, True), (0.0, 100, True), (0.0, 0, False)]


@pytest.mark.parametrize(("prompt", "n_asked"), [([5, 6], 2), ([], 2)])
def test_without_doubts_it_reads_as_openai_whisper_does(prompt: list[int], n_asked: int) -> None:
    decoder = Decoder()
    readings = reader(decoder).read(WINDOWS, [prompt])
    assert readings[0].decoded.text == (LOOP if prompt else "a text")
    assert len(decoder.asked) == n_asked


@pytest.mark.parametrize(
    ("texts", "n_tasks", "expected"),
    [
        ([0, 1, 2, 3], 2, [[0, 1, 2, 3]]),
        ([2, 3], 2, [[2, 3]]),
        ([0, 3], 2, [[0], [3]]),
        ([0, 2, 3], 2, [[0, 2], [3]]),
        ([1, 4], 1, [[1, 4]]),
    ],
)
def test_texts_decoded_at_once_are_as_many_of_each_window(
    texts: list[int], n_tasks: int, expected: list[list[int]]
) -> None:
    assert _together(texts, n_tasks) == expected
