"""Adapting a model: what is kept aside, and what happens to a run that was interrupted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from subwhisper.errors import OptionError
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.store import BUNDLED_FOLDER
from subwhisper.training.averaging import mean
from subwhisper.training.finetune import FinetuneOptions, _Course
from subwhisper.training.keeping_aside import split
from subwhisper.training.material import Example, Sentence


def course(folder: Path, *, epochs: int = 3, learning_rate: float | None = None) -> _Course:
    random = np.random.default_rng(3)
    sound = [random.integers(-3000, 3000, 32_000).astype(np.int16) for _ in range(3)]
    said = (Sentence("Here we go.", 0.2, 1.6),)
    examples = [Example(samples, said, "", Path("noise.wav")) for samples in sound]
    options = FinetuneOptions(epochs=epochs, patience=3, batch_size=1, learning_rate=learning_rate)
    return _Course(read_checkpoint(BUNDLED_FOLDER), examples[:2], examples[2:], options, folder, torch.device("cpu"))


def test_a_run_that_was_stopped_goes_on_with_its_average(tmp_path: Path) -> None:
    begun = course(tmp_path / "mine")
    assert next(begun.epochs()).number == 1
    going_on = course(tmp_path / "mine")
    going_on.take_up()
    remaining = going_on.epochs()
    assert [next(remaining).number for _ in range(2)] == [1, 2]
    resumed = course(tmp_path / "mine")
    resumed.take_up()
    assert resumed.done == going_on.done
    for name in ("_averaged", "_best"):
        pairs = zip(getattr(resumed, name), getattr(going_on, name), strict=True)
        assert all(torch.equal(found, expected) for found, expected in pairs)
    assert resumed._n_steps == 4
    moved = zip(going_on._averaged, going_on._parameters, strict=True)
    assert any(not torch.equal(average, parameter) for average, parameter in moved)


def window(name: str) -> Example:
    return Example(np.zeros(16_000, np.int16), (Sentence("Here.", 0.2, 0.8),), "", Path(name))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5, 0.75, 0.95])
@pytest.mark.parametrize("n_windows", [(4,), (5,), (40,), (2, 2), (3, 1, 7), (2,) * 20])
def test_about_the_share_asked_for_is_kept_aside(n_windows: tuple[int, ...], share: float) -> None:
    examples = [window(f"{file}.wav") for file, n in enumerate(n_windows) for _ in range(n)]
    learnt, aside = split(examples, share)
    assert learnt
    assert aside
    assert len(learnt) + len(aside) == len(examples)
    assert abs(len(aside) - share * len(examples)) <= max(2, len(n_windows))


def test_the_end_of_each_of_few_files_is_kept_aside() -> None:
    examples = [replace(window(file), before=str(at)) for file in ("a.wav", "b.wav") for at in range(10)]
    _, aside = split(examples, 0.2)
    assert [(one.source.name, one.before) for one in aside] == [(n, at) for n in ("a.wav", "b.wav") for at in "89"]


def test_a_run_that_was_done_waiting_does_not_begin_again(tmp_path: Path) -> None:
    done = course(tmp_path / "mine")
    list(done.epochs())
    again = course(tmp_path / "mine")
    again.take_up()
    again._learn = None  # type: ignore[method-assign,assignment]  # whoever learns fails
    assert list(again.epochs()) == done.done


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"not a state at all"])
def test_a_damaged_state_is_told_of_and_begun_anew(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    begun = course(tmp_path / "mine")
    next(begun.epochs())
    begun._state_file.write_bytes(damage)
    again = course(tmp_path / "mine")
    again.take_up()
    assert again.done == []
    assert "begins anew" in caplog.text


def test_the_state_of_another_run_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    next(course(tmp_path / "mine").epochs())
    again = course(tmp_path / "mine", epochs=4)
    again.take_up()
    assert again.done == []
    assert "another run" in caplog.text


def test_a_spoilt_network_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="the network is spoilt") as caught:
        list(course(tmp_path / "mine", learning_rate=1e30).epochs())
    assert "learning-rate" in (caught.value.hint or "")


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_must_be_one(rate: float) -> None:
    with pytest.raises(OptionError, match="learning_rate must be more than 0"):
        FinetuneOptions(learning_rate=rate)


def test_a_mean_is_written_in_the_types_of_the_model_before(tmp_path: Path) -> None:
    before = read_checkpoint(BUNDLED_FOLDER)
    after = replace(before, tensors={name: value.float() + 1 for name, value in before.tensors.items()})
    middle = mean([(after, 0.25), (before, 0.75)])
    assert middle.fingerprint == ""
    for name, value in before.tensors.items():
        torch.testing.assert_close(middle.tensors[name], value.float() + 0.25)
    course(tmp_path / "mine").write(middle)
    written = read_checkpoint(tmp_path / "mine")
    for name, value in before.tensors.items():
        assert written.tensors[name].dtype == value.dtype
