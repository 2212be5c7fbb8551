"""Small models for the tests of this folder."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors.torch import save_file
from small_models import hub_config, hub_tensors, hub_vocabulary, small_dims, write_json
from stand_in_hub import Hub, serving

from subwhisper.languages import LANGUAGES
from subwhisper.model.vocabulary import Vocabulary, byte_pair_vocabulary


@pytest.fixture
def vocabulary() -> Vocabulary:
    pieces = [bytes([byte]) for byte in range(256)] + [b"th", b" th", b"the", b" the"]
    return byte_pair_vocabulary(pieces, list(LANGUAGES)[:2])


@pytest.fixture
def hub_folder(tmp_path: Path) -> Path:
    """A complete model directory, made without the package's own writer."""
    folder = tmp_path / "small-model"
    folder.mkdir()
    pieces, merges, added = hub_vocabulary()
    dims = small_dims(n_vocab=261 + len(added))
    write_json(folder / "config.json", hub_config(dims))
    write_json(
        folder / "generation_config.json",
        {"alignment_heads": [[1, 0]], "is_multilingual": True, "suppress_tokens": [1, 2, 7]},
    )
    write_json(folder / "vocab.json", pieces)
    write_json(folder / "added_tokens.json", added)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    save_file(hub_tensors(dims), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture
def edit_json() -> Callable[..., None]:
    """Change entries of a JSON file; a value of None removes the entry."""

    def edit(path: Path, **changes: object) -> None:
        table = json.loads(path.read_text(encoding="utf-8")) | changes
        write_json(path, {name: value for name, value in table.items() if value is not None})

    return edit


@pytest.fixture
def never_runs(tmp_path: Path) -> Iterator[Path]:
    """A file that hostile pickles try to create."""
    path = tmp_path / "code-was-run"
    yield path
    assert not path.exists(), "a checkpoint executed code"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub_folder: Path) -> Iterator[Hub]:
    """A stand-in hub that serves a small model as openai/whisper-tiny, and an empty cache."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.repositories["openai/whisper-tiny"] = {path.name: path.read_bytes() for path in hub_folder.iterdir()}
        yield hub
