"""Windows of a recording are those of the whole, however it is read."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.engine import features
from subwhisper.engine.features import MelReader, log_mel, survey

N_MELS = 80


class Source:
    """Seven seconds of noise that grows, in uneven blocks; counts how often it is read."""

    def __init__(self) -> None:
        random = np.random.default_rng(2)
        self.samples = (random.normal(size=7 * SAMPLE_RATE) * np.linspace(0.01, 0.3, 7 * SAMPLE_RATE)).astype(
            np.float32
        )
        self.times_read = 0

    def blocks(self) -> Iterator[Samples]:
        self.times_read += 1
        yield from np.split(self.samples, [100, 30_000, 30_001, 70_000])


@pytest.mark.parametrize(("kept_seconds", "times_read"), [(7, 1), (6, 3)])
def test_frames_of_a_short_recording_are_made_once_and_of_a_long_one_again(
    monkeypatch: pytest.MonkeyPatch, kept_seconds: int, times_read: int
) -> None:
    monkeypatch.setattr(features, "KEPT_SECONDS", kept_seconds)
    source = Source()
    reader = MelReader(source, N_MELS, survey(source, N_MELS))
    whole = log_mel(torch.from_numpy(source.samples), N_MELS)
    for first in (0, 150, 400, 20):  # the last one lies behind
        torch.testing.assert_close(reader.window(first, 200), whole[:, first : first + 200], atol=1e-5, rtol=0)
    reader.close()
    assert source.times_read == times_read


def test_frames_reckoned_in_parts_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks = torch.cat([*(survey(Source(), N_MELS).kept or ())], dim=1)
    monkeypatch.setattr(features, "_AT_ONCE", 40)
    in_parts = torch.cat([*(survey(Source(), N_MELS).kept or ())], dim=1)
    torch.testing.assert_close(in_parts, in_blocks, atol=1e-5, rtol=0)
