"""Work that is cut short goes on where it stopped, and ends as if nothing had happened."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from subwhisper.engine.transcriber import Transcriber

from .networks import micro_checkpoint
from .test_transcriber import QUICK, sound

SOUND = sound(9.0)
WORDS = replace(QUICK, word_timestamps=True)


class PowerCut(Exception):
    """The end of a process."""


class Memory:
    """A store that forgets nothing, and may fail after so many windows."""

    def __init__(self, lasts: int | None = None) -> None:
        self.kept: dict[str, str] = {}
        self.lasts = lasts
        self.n_puts = 0

    def get(self, key: str) -> Mapping[str, Any] | None:
        document = self.kept.get(key)
        return None if document is None else json.loads(document)

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        assert key not in self.kept, f"{key} was read twice"
        if self.n_puts == self.lasts:
            raise PowerCut
        self.n_puts += 1
        self.kept[key] = json.dumps(document)


@pytest.fixture(scope="module")
def engine() -> Transcriber:
    return Transcriber(micro_checkpoint(languages=("en", "de")), device="cpu", compute="float32")


@pytest.mark.parametrize(
    "more",
    [
        {"word_timestamps": False},
        {},
        {"condition_on_previous_text": False},
        {"hallucination_silence_threshold": 0.5},
    ],
    ids=["plain", "words", "no context", "silence skipped"],
)
def test_a_recording_cut_short_anywhere_ends_as_if_it_had_not_been(engine: Transcriber, more: dict[str, Any]) -> None:
    options = replace(WORDS, **more)
    undisturbed = engine.transcribe(SOUND, options)
    whole = Memory()
    assert engine.transcribe(SOUND, options, windows=whole) == undisturbed
    assert whole.n_puts >= 4
    store = Memory()
    for lasts in range(whole.n_puts):
        store.lasts = lasts
        with pytest.raises(PowerCut):
            engine.transcribe(SOUND, options, windows=store)
    store.lasts = None
    assert engine.transcribe(SOUND, options, windows=store) == undisturbed
    assert store.n_puts == whole.n_puts  # everything once, over all of the attempts


def test_a_recording_that_is_all_kept_is_not_read_again(engine: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Memory()
    first = engine.transcribe(SOUND, WORDS, windows=store)
    monkeypatch.setattr(engine.model.network, "encode", None)
    monkeypatch.setattr(engine.model.network, "decode", None)
    assert engine.transcribe(SOUND, WORDS, windows=store) == first
