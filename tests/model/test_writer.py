import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from subwhisper.errors import ModelError, OutputError
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.checkpoints.writer import save_directory
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import Vocabulary, public_vocabulary
from subwhisper.model.whisper import Whisper

DIMS = ModelDims(80, 1500, 16, 2, 1, 1771, 448, 16, 2, 2)


def save(folder: Path, vocabulary: Vocabulary, **changes: object) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    tensors = Whisper(DIMS).state_dict()
    options = {"dims": DIMS, "tensors": tensors, "alignment_heads": [(1, 1)], "is_multilingual": True} | changes
    save_directory(folder, vocabulary=vocabulary, **options)  # type: ignore[arg-type]
    return tensors


def test_what_is_saved_is_read_back(tmp_path: Path, vocabulary: Vocabulary) -> None:
    tensors = save(tmp_path / "mine", vocabulary, suppress_tokens=[3, 5])
    checkpoint = read_checkpoint(tmp_path / "mine")
    assert checkpoint.dims == DIMS
    assert checkpoint.vocabulary == vocabulary
    assert checkpoint.alignment_heads == ((1, 1),)
    assert checkpoint.is_multilingual
    assert checkpoint.suppress_tokens == (3, 5)
    assert checkpoint.name == "mine"
    for name, tensor in tensors.items():
        assert torch.equal(checkpoint.tensors[name], tensor)


def test_weights_can_be_stored_smaller(tmp_path: Path, vocabulary: Vocabulary) -> None:
    save(tmp_path / "half", vocabulary, dtype=torch.float16, is_multilingual=False)
    checkpoint = read_checkpoint(tmp_path / "half")
    assert {tensor.dtype for tensor in checkpoint.tensors.values()} == {torch.float16}
    assert not checkpoint.is_multilingual


def test_whether_prompts_are_read_is_kept(tmp_path: Path, vocabulary: Vocabulary) -> None:
    save(tmp_path / "reads", vocabulary)
    save(tmp_path / "does not", vocabulary, reads_prompts=False)
    assert read_checkpoint(tmp_path / "reads").reads_prompts
    assert not read_checkpoint(tmp_path / "does not").reads_prompts
    assert not read_checkpoint(tmp_path / "reads").spreads_timestamps


def test_the_gap_of_openais_vocabulary_is_filled_as_hugging_face_does(tmp_path: Path) -> None:
    """Other programs number added tokens by counting; without the empty piece all of them would be off by one."""
    dims = replace(DIMS, n_vocab=51865)
    save(tmp_path / "mine", public_vocabulary(51865), dims=dims, tensors=Whisper(dims).state_dict())
    assert json.loads((tmp_path / "mine" / "vocab.json").read_text(encoding="utf-8"))[""] == 50256
    assert read_checkpoint(tmp_path / "mine").vocabulary == public_vocabulary(51865)


def test_an_existing_model_is_only_replaced_when_asked_and_its_card_stays(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    folder = tmp_path / "mine"
    save(folder, vocabulary)
    (folder / "CARD.md").write_text("about")
    with pytest.raises(OutputError, match="not empty"):
        save(folder, vocabulary)
    save(folder, vocabulary, overwrite=True, is_multilingual=False)
    assert not read_checkpoint(folder).is_multilingual
    assert (folder / "CARD.md").read_text() == "about"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_nothing_is_left_of_a_failed_save(tmp_path: Path, vocabulary: Vocabulary) -> None:
    with pytest.raises(ModelError, match="lack the tensor"):
        save(tmp_path / "mine", vocabulary, tensors={})
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(OutputError, match="cannot be written"):
        save(blocked / "mine", vocabulary)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
