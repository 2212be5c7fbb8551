"""Work that is cut short goes on where it stopped, and ends as if nothing had happened."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from subwhisper.audio import Audio
from subwhisper.engine import coverage
from subwhisper.engine.options import Task, TranscribeOptions, VadOptions
from subwhisper.engine.transcriber import Transcriber

from .networks import micro_checkpoint
from .test_streaming import bursts
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
    assert_ends_as_if_undisturbed(engine, SOUND, replace(WORDS, **more))


def assert_ends_as_if_undisturbed(engine: Transcriber, sound: Audio, options: TranscribeOptions) -> Memory:
    """Cut the work short after every single thing that is kept."""
    undisturbed = engine.transcribe(sound, options)
    whole = Memory()
    assert engine.transcribe(sound, options, windows=whole) == undisturbed
    assert whole.n_puts >= 4
    store = Memory()
    for lasts in range(whole.n_puts):
        store.lasts = lasts
        with pytest.raises(PowerCut):
            engine.transcribe(sound, options, windows=store)
    store.lasts = None
    assert engine.transcribe(sound, options, windows=store) == undisturbed
    assert store.n_puts == whole.n_puts  # everything once, over all of the attempts
    return whole


@pytest.fixture
def credulous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nonsense is believed when it is heard in a hole: a network of no size says nothing better."""
    monkeypatch.setattr(coverage, "_is_promising", lambda heard: bool(heard.segments))
    monkeypatch.setattr(coverage, "agree", lambda first, second: True)


# Silero takes this noise for no speech, so no window is laid over it; it is loud enough to be listened to again.
BURSTS = Audio(bursts((2, 5), (9, 12), seconds=14))
AUDITED = replace(WORDS, plan="batched", vad=VadOptions(detector="silero"))


@pytest.mark.usefixtures("credulous")
@pytest.mark.parametrize("task", ["transcribe", "both"])
def test_holes_are_kept_like_other_windows(engine: Transcriber, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    options = replace(AUDITED, task=task, language="de")
    store = assert_ends_as_if_undisturbed(engine, BURSTS, options)
    assert all(key.startswith("hole") for key in store.kept)
    monkeypatch.setattr(engine.model.network, "encode", None)
    monkeypatch.setattr(engine.model.network, "decode", None)
    again = engine.transcribe(BURSTS, options, windows=store)
    assert again.provenance["coverage"]["holes_repaired"] >= 2


@pytest.mark.usefixtures("credulous")
def test_a_hole_is_heard_in_both_languages(engine: Transcriber) -> None:
    transcript = engine.transcribe(BURSTS, replace(AUDITED, task="both", language="de"))
    assert transcript.translation is not None
    for text in (transcript.segments, transcript.translation.segments):
        assert text
        assert all("listening again" in segment.quality.notes[-1] for segment in text if segment.quality)
    assert {segment.language for segment in transcript.translation.segments} == {"en"}


def test_a_recording_that_is_all_kept_is_not_read_again(engine: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Memory()
    first = engine.transcribe(SOUND, WORDS, windows=store)
    monkeypatch.setattr(engine.model.network, "encode", None)
    monkeypatch.setattr(engine.model.network, "decode", None)
    assert engine.transcribe(SOUND, WORDS, windows=store) == first
