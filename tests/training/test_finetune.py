from pathlib import Path

import numpy as np
import torch

from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.store import BUNDLED_FOLDER
from subwhisper.training.finetune import FinetuneOptions, _Course
from subwhisper.training.material import Example, Sentence


def course(folder: Path) -> _Course:
    random = np.random.default_rng(3)
    sound = [random.integers(-3000, 3000, 32_000).astype(np.int16) for _ in range(3)]
    said = (Sentence("Here we go.", 0.2, 1.6),)
    examples = [Example(samples, said, "", Path("noise.wav")) for samples in sound]
    options = FinetuneOptions(epochs=3, patience=3, batch_size=1)
    return _Course(read_checkpoint(BUNDLED_FOLDER), examples[:2], examples[2:], options, folder, torch.device("cpu"))


def test_a_run_that_was_stopped_goes_on_with_its_average(tmp_path: Path) -> None:
    begun = course(tmp_path / "mine")
    assert next(begun.epochs()).number == 1
    going_on = course(tmp_path / "mine")
    remaining = going_on.epochs()
    assert next(remaining).number == 2
    resumed = course(tmp_path / "mine")
    assert resumed._resumed()[0] == 2
    for name in ("_averaged", "_best"):
        pairs = zip(getattr(resumed, name), getattr(going_on, name), strict=True)
        assert all(torch.equal(found, expected) for found, expected in pairs)
    assert resumed._n_steps == 4
    moved = zip(going_on._averaged, going_on._parameters, strict=True)
    assert any(not torch.equal(average, parameter) for average, parameter in moved)
