"""8-bit weights are rounded once for all processes, and whatever is on disk never changes a text."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from subwhisper.engine.transcriber import Transcriber
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.checkpoints.writer import save_directory
from subwhisper.model.compiled import decoder, packing
from subwhisper.model.compiled.library import library
from subwhisper.model.compiled.packing import Packed, Shelf, pack_matrix
from subwhisper.model.dims import ModelDims
from subwhisper.model.kept_weights import forget, place_of
from subwhisper.model.vocabulary import public_vocabulary
from subwhisper.model.whisper import Whisper
from subwhisper.replacing import UNFINISHED

SHAPES = {"0.joined": (70, 64), "vocabulary": (70, 64)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUBWHISPER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SUBWHISPER_KEEP_WEIGHTS", raising=False)
    monkeypatch.setattr(packing, "_FEWEST", 1000)
    return tmp_path / "cache"


def shelf(model: int = 1, shapes: Mapping[str, tuple[int, int]] = SHAPES) -> Shelf:
    found = Shelf.of(f"{model:064x}", shapes)
    assert found is not None
    return found


def matrices(seed: int = 1) -> dict[str, Packed]:
    torch.manual_seed(seed)
    return {name: pack_matrix(torch.randn(70, 64), int8=True) for name in ("0.joined", "vocabulary")}


def assert_same(found: dict[str, Packed], expected: dict[str, Packed]) -> None:
    assert found.keys() == expected.keys()
    for name, matrix in expected.items():
        assert torch.equal(found[name].weights, matrix.weights)
        assert found[name].scale is not None
        assert matrix.scale is not None
        assert torch.equal(found[name].scale, matrix.scale)


def test_what_is_kept_is_found_again_where_vectors_can_be_fetched() -> None:
    shelf().keep(matrices())
    found = dict(shelf().read())
    assert_same(found, matrices())
    assert all(matrix.weights.data_ptr() % 64 == 0 for matrix in found.values())


def test_another_model_finds_nothing() -> None:
    shelf().keep(matrices())
    assert not shelf(2).read()


def test_weights_laid_out_otherwise_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf().keep(matrices())
    for other in ({"1.joined": (70, 64)}, {"vocabulary": (69, 64)}, {"vocabulary": (70, 128)}):
        assert not shelf(shapes=SHAPES | other).read()
    monkeypatch.setattr(packing, "_LAYOUT", 0)
    assert not shelf().read()


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "folder", "pickle"])
def test_a_damaged_file_is_made_again(damage: str) -> None:
    here = shelf()
    here.keep(matrices())
    content = here.path.read_bytes()
    here.path.unlink()
    match damage:
        case "cut":
            here.path.write_bytes(content[:-40])
        case "empty":
            here.path.write_bytes(b"")
        case "other":
            torch.save([1, 2, 3], here.path)
        case "pickle":
            torch.save({(packing._LAYOUT, packing.BLOCK): print}, here.path)
        case "folder":
            here.path.mkdir()
    assert not here.read()
    here.keep(matrices())
    if damage != "folder":
        assert_same(dict(here.read()), matrices())


@pytest.mark.parametrize("seed", range(3))
def test_no_damage_inside_a_file_ends_in_an_error(seed: int) -> None:
    """A pickle with a byte changed raises whatever it likes."""
    here = shelf()
    here.keep(matrices())
    content = here.path.read_bytes()
    start, random = content.index(b"data.pkl"), np.random.default_rng(seed)
    for at in start + random.integers(0, 400, 60):
        changed = bytearray(content)
        changed[at] ^= 1 << int(random.integers(8))
        here.path.write_bytes(changed)
        found = here.read()
        assert not found or all(found[name].is_8_bit(*shape) for name, shape in SHAPES.items())


def test_matrices_of_another_size_are_never_read_from() -> None:
    shelf().keep({name: pack_matrix(torch.randn(70, 32), int8=True) for name in SHAPES})
    assert not shelf().read()


def test_a_cache_that_cannot_be_written_is_done_without(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    shelf().keep(matrices())
    assert not shelf().read()
    assert cache.read_text() == "a file where the folder should be"


def test_the_models_used_last_stay(cache: Path) -> None:
    for model in range(1, 5):
        shelf(model).keep(matrices(model))
    assert shelf(1).read()  # used again
    shelf(5).keep(matrices(5))
    assert [model for model in range(1, 6) if shelf(model).read()] == [1, 3, 4, 5]
    assert len(list((cache / "weights").iterdir())) == 4


def test_a_file_whose_writing_was_cut_short_goes_with_the_next(cache: Path) -> None:
    old, new = (cache / "weights" / f".{age}{UNFINISHED}" for age in ("old", "new"))
    old.parent.mkdir(parents=True)
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    shelf().keep(matrices())
    assert not old.exists()
    assert new.exists()  # somebody may be writing it


def test_a_file_that_may_only_be_read_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf().keep(matrices())

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(packing.os, "utime", refused)
    assert_same(dict(shelf().read()), matrices())


def test_what_is_forgotten_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf().keep(matrices())
    monkeypatch.setenv("SUBWHISPER_KEEP_WEIGHTS", "0")
    size = place_of(f"{1:064x}").stat().st_size  # type: ignore[union-attr]
    assert forget(f"{1:064x}") == size
    monkeypatch.delenv("SUBWHISPER_KEEP_WEIGHTS")
    assert not shelf().read()
    assert forget(f"{1:064x}") == 0


def test_nothing_is_kept_of_small_or_unknown_models_or_where_that_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Shelf.of("1" * 64, {"vocabulary": (10, 64)}) is None
    assert Shelf.of("", SHAPES) is None
    assert Shelf.of("../" * 8, SHAPES) is None
    monkeypatch.setenv("SUBWHISPER_KEEP_WEIGHTS", "0")
    assert Shelf.of("1" * 64, SHAPES) is None


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough for its weights to be kept."""
    torch.manual_seed(4)
    dims = ModelDims(80, 1500, 128, 4, 1, 51864, 448, 128, 4, 1)
    folder = tmp_path_factory.mktemp("model") / "model"
    save_directory(
        folder,
        dims=dims,
        tensors={name: tensor.half() for name, tensor in Whisper(dims).state_dict().items()},
        vocabulary=public_vocabulary(dims.n_vocab),
        alignment_heads=[(0, 0)],
        is_multilingual=False,
    )
    return folder


def logits_of(model: Path) -> torch.Tensor:
    network = Transcriber(read_checkpoint(model), device="cpu", compute="int8").model.network
    with torch.inference_mode():
        heard = network.hear(network.encode(torch.zeros(1, 80, 3000)))
        return network.decode(torch.tensor([[50257, 1, 2, 3]]), network.start(heard))


@pytest.mark.skipif(library() is None, reason="no compiler, or no AVX2, on this machine")
def test_a_model_is_rounded_once_for_all_processes(model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = logits_of(model)
    assert len(list(cache.rglob("*.int8"))) == 1
    with monkeypatch.context() as patched:
        for name in ("pack", "pack_matrix"):
            patched.delattr(decoder, name)  # whoever rounds again fails
        assert torch.equal(logits_of(model), expected)
    monkeypatch.setenv("SUBWHISPER_KEEP_WEIGHTS", "0")
    assert torch.equal(logits_of(model), expected)
