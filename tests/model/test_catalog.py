import base64
import gzip

import numpy as np
import pytest

from subwhisper.errors import ModelError
from subwhisper.model import catalog
from subwhisper.model.catalog import CATALOG

SIZES = ("tiny", "base", "small", "medium")
ALL = [*SIZES, *(f"{size}.en" for size in SIZES), "large-v1", "large-v2", "large-v3", "large-v3-turbo"]
ALL += [f"distil-{name}" for name in ("small.en", "medium.en", "large-v2", "large-v3", "large-v3.5")]


def test_every_public_whisper_is_there() -> None:
    assert set(CATALOG) == set(ALL)
    assert catalog.find("large").name == "large-v3"
    assert catalog.find("turbo").name == "large-v3-turbo"
    assert catalog.known("openai/whisper-large") is CATALOG["large-v1"]
    assert catalog.known("nothing") is None


@pytest.mark.parametrize(
    ("name", "repo_id", "n_languages", "can_translate", "megabytes"),
    # Sizes of model.safetensors as the hub lists them.
    [
        ("tiny", "openai/whisper-tiny", 99, True, 151),
        ("base.en", "openai/whisper-base.en", 1, False, 290),
        ("medium", "openai/whisper-medium", 99, True, 3055),
        ("large-v2", "openai/whisper-large-v2", 99, True, 6173),
        ("large-v3", "openai/whisper-large-v3", 100, True, 3087),
        ("turbo", "openai/whisper-large-v3-turbo", 100, False, 1618),
        ("distil-small.en", "distil-whisper/distil-small.en", 1, False, 333),
        ("distil-large-v3", "distil-whisper/distil-large-v3", 1, False, 1513),
    ],
)
def test_facts_of_some_models(name: str, repo_id: str, n_languages: int, can_translate: bool, megabytes: int) -> None:
    entry = catalog.find(name)
    assert entry.repo_id == repo_id
    assert len(entry.languages) == n_languages
    assert entry.can_translate == can_translate
    assert entry.size_bytes / 1e6 == pytest.approx(megabytes, rel=0.02)


def test_alignment_heads_are_openais() -> None:
    whisper = pytest.importorskip("whisper")
    for name, packed in whisper._ALIGNMENT_HEADS.items():
        entry = catalog.find(name)
        mask = np.frombuffer(gzip.decompress(base64.b85decode(packed)), dtype=bool)
        heads = np.argwhere(mask.reshape(entry.dims.n_text_layer, entry.dims.n_text_head))
        assert entry.alignment_heads == tuple((int(layer), int(head)) for layer, head in heads)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ggml-large-v3-q5_0.bin", "large-v3"),
        ("ggml-large-v3-turbo.bin", "large-v3-turbo"),
        ("faster-whisper-tiny.en", "tiny.en"),
        ("distil-large-v3.5-ct2", "distil-large-v3.5"),
        ("smaller", None),
        ("mybase", None),
    ],
)
def test_a_model_is_recognised_in_a_file_name(text: str, name: str | None) -> None:
    entry = catalog.mentioned_in(text)
    assert (entry.name if entry else None) == name


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean medium"):
        catalog.find("meduim")
