"""Heads that follow the speech, searched where every word's time is known, or taken from another model."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from subwhisper.errors import InputError, ModelError
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.store import BUNDLED_FOLDER
from subwhisper.pipeline import unheard
from subwhisper.pipeline.align_heads import inherited, known_words, search

WELCOME = Path(__file__).resolve().parents[2] / "examples" / "welcome.mp4"


@pytest.fixture(scope="module")
def bundled() -> Checkpoint:
    return read_checkpoint(BUNDLED_FOLDER)


def test_found_heads_time_words_better_than_all_heads(bundled: Checkpoint) -> None:
    every = tuple((layer, head) for layer in range(2) for head in range(4))
    found = search(replace(bundled, alignment_heads=every), [WELCOME], "en", unheard)
    assert found.error < 0.06
    assert found.error < found.error_before
    assert set(found.heads) < set(every)
    again = search(replace(bundled, alignment_heads=found.heads), [WELCOME], "en", unheard)
    assert again.heads == found.heads
    assert again.error == again.error_before


def test_heads_are_inherited_where_the_shape_is_the_same(bundled: Checkpoint) -> None:
    dims = replace(bundled.dims, n_text_layer=4, n_text_head=2)
    with pytest.raises(ModelError, match="no published alignment heads for a decoder of this shape"):
        inherited(replace(bundled, dims=dims), "tiny")
    dims = replace(bundled.dims, n_audio_state=384, n_text_state=384, n_audio_head=6, n_text_head=6, n_text_layer=4)
    assert inherited(replace(bundled, dims=dims), "tiny")[0] == (2, 2)
    with pytest.raises(ModelError, match="did you mean tiny"):
        inherited(bundled, "tyni")


@pytest.mark.parametrize("content", ["", "[]", "[1]", '[{"word": "a"}]', "{}"])
def test_words_that_cannot_be_read_are_named(tmp_path: Path, content: str) -> None:
    recording = tmp_path / "a.wav"
    with pytest.raises(InputError, match="no words with known times beside it"):
        known_words(recording)
    (tmp_path / "a.words.json").write_text(content)
    with pytest.raises(InputError, match="holds no words with times"):
        known_words(recording)


def test_a_transcript_with_words_serves(tmp_path: Path) -> None:
    words = [{"word": " a", "start": 0.5, "end": 1.0, "probability": 1.0}]
    segment = {"id": 0, "seek": 0, "start": 0.5, "end": 1.0, "text": " a", "tokens": [], "words": words}
    (tmp_path / "a.json").write_text(json.dumps({"text": " a", "language": "en", "segments": [segment]}))
    assert [(word.text, word.start) for word in known_words(tmp_path / "a.wav")] == [(" a", 0.5)]
