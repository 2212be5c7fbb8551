"""How many windows are read at once."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
import torch

from subwhisper.engine.device import Placement, place
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions
from subwhisper.engine.room import fitting, windows_at_once
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.model.catalog import CATALOG

GB = 10**9


def model(name: str, placement: Placement) -> SpeechModel:
    """As much of one as the question needs."""
    network = SimpleNamespace(dims=CATALOG[name].dims)
    return cast(SpeechModel, SimpleNamespace(network=network, placement=placement))


def test_a_processor_reads_eight_and_anything_what_is_asked_for() -> None:
    on_processor = model("tiny", place("cpu"))
    assert windows_at_once(on_processor, TranscribeOptions()) == 8
    assert windows_at_once(on_processor, TranscribeOptions(batch_size=3)) == 3


def test_a_card_is_filled_but_not_to_the_brim(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 80 GB free, 30 GB of which torch holds ready already."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (50 * GB, 80 * GB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 31 * GB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 1 * GB)
    card = Placement(torch.device("cuda"), "float16")
    options = TranscribeOptions()
    large = windows_at_once(model("large-v3", card), options)
    assert 32 <= large < 64
    assert windows_at_once(model("tiny", card), options) == 64
    assert windows_at_once(model("large-v3", card), TranscribeOptions(batch_size=8)) == 8
    assert windows_at_once(model("large-v3", replace(card, compute="float32")), options) < large
    one_beam = replace(options, decode=DecodeOptions(beam_size=1))
    assert windows_at_once(model("large-v3", card), one_beam) == large  # samples are drawn where it is not believed
    believed = replace(one_beam, fallback=FallbackOptions(temperatures=(0.0,)))
    assert windows_at_once(model("large-v3", card), believed) > large
    assert windows_at_once(model("large-v3", card), replace(options, task="both")) < large


def test_there_is_always_room_for_one() -> None:
    assert fitting(CATALOG["large-v3"].dims, 0, n_rows=5, n_bytes=2) == 1
