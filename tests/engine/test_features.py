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


def test_a_window_is_whole_after_memory_has_run_out_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long recording, whose frames are reckoned as they are needed."""
    monkeypatch.setattr(features, "KEPT_SECONDS", 0)
    surveyed, reckon = survey(Source(), N_MELS), features._log_power
    expected = MelReader(Source(), N_MELS, surveyed).window(0, 300)
    calls = iter(range(100))

    def failing(padded: torch.Tensor, n_mels: int) -> torch.Tensor:
        if next(calls) == 1:
            raise MemoryError
        return reckon(padded, n_mels)

    monkeypatch.setattr(features, "_log_power", failing)
    reader = MelReader(Source(), N_MELS, surveyed)
    with pytest.raises(MemoryError):
        reader.window(0, 300)
    torch.testing.assert_close(reader.window(0, 300), expected)


def test_frames_are_reckoned_by_the_processor_where_a_card_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullCard(torch.Tensor):
        def to(self, *_: object) -> torch.Tensor:
            raise torch.OutOfMemoryError

    samples = torch.randn(4000)
    found = features._reckoned(samples.as_subclass(FullCard), N_MELS, torch.device("cuda"))
    torch.testing.assert_close(found.as_subclass(torch.Tensor), features._log_power(samples, N_MELS))
