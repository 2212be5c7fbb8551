import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from subwhisper.errors import InputError, OutputError
from subwhisper.model.checkpoints import Checkpoint, read_checkpoint
from subwhisper.model.store import BUNDLED_FOLDER
from subwhisper.training.__main__ import run
from subwhisper.training.averaging import average, join


@pytest.fixture(scope="module")
def bundled() -> Checkpoint:
    return read_checkpoint(BUNDLED_FOLDER)


def test_weights_are_averaged_and_all_else_is_the_firsts(bundled: Checkpoint, tmp_path: Path) -> None:
    twice = replace(bundled, tensors={name: 2 * value for name, value in bundled.tensors.items()}, noise_logprob=None)
    first = replace(bundled, suppress_tokens=(3, 5))
    average([(first, 1), (twice, 3)], tmp_path / "mean")
    found = read_checkpoint(tmp_path / "mean")
    for name, value in bundled.tensors.items():
        torch.testing.assert_close(found.tensors[name].float(), 1.75 * value.float(), atol=1e-4, rtol=1e-3)
    assert found.vocabulary == bundled.vocabulary
    assert found.alignment_heads == bundled.alignment_heads
    assert found.noise_logprob == bundled.noise_logprob
    assert found.spreads_timestamps
    assert found.suppress_tokens == (3, 5)
    assert not found.reads_prompts


def test_a_model_with_itself_is_itself(bundled: Checkpoint, tmp_path: Path) -> None:
    average([(bundled, 1), (bundled, 1)], tmp_path / "mean")
    found = read_checkpoint(tmp_path / "mean")
    assert all(torch.equal(found.tensors[name], value) for name, value in bundled.tensors.items())


def test_what_has_no_mean_is_refused(bundled: Checkpoint, tmp_path: Path) -> None:
    wider = replace(bundled, dims=replace(bundled.dims, n_audio_layer=5))
    with pytest.raises(InputError, match="another shape"):
        average([(bundled, 1), (wider, 1)], tmp_path / "mean")
    for parts in ([], [(bundled, 0.0)], [(bundled, -1.0)], [(bundled, float("nan"))]):
        with pytest.raises(InputError, match="count more than nothing"):
            average(parts, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_a_model_that_is_there_stays_unless_told(bundled: Checkpoint, tmp_path: Path) -> None:
    average([(bundled, 1)], tmp_path / "mean")
    (tmp_path / "mean" / "README.md").write_text("mine")
    with pytest.raises(OutputError, match="exists and is not empty"):
        average([(bundled, 1)], tmp_path / "mean")
    average([(bundled, 1)], tmp_path / "mean", overwrite=True)
    assert (tmp_path / "mean" / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("export", "--run", "nope", "-o", "made"), 3, "nope/state.pt is not a saved training run"),
        (("average", "made", "nothing"), 5, "nothing"),
        (("evaluate", "bundled"), 2, "there is nothing to measure with"),
        (("train", "--sentences", "some.jsonl", "--run", "run", "--width", "100"), 2, "width must be a multiple of 64"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    words: tuple[str, ...],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.jsonl").write_text('{"text": "Here we go."}\n')
    monkeypatch.setattr(sys, "argv", ["subwhisper.training", *words])
    with pytest.raises(SystemExit) as ended:
        run()
    error = capsys.readouterr().err
    assert ended.value.code == code
    assert said in error
    assert len(error.splitlines()) == 1


def test_runs_that_are_joined_go_on_from_their_mean_each_by_its_own_clock(tmp_path: Path) -> None:
    paths = [tmp_path / name / "state.pt" for name in ("a", "b")]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        weights = {"weight": torch.full((2, 2), 1.0 + 2 * number)}
        momenta = ({"state": {0: {"momentum": torch.full((2,), float(number)), "step": torch.tensor(3.0)}}},)
        kept = {
            "options": {"seed": number},
            "pieces": [b"a"],
            "classes": {},
            "trainee": weights,
            "averaged": weights,
            "optimizers": momenta,
        }
        torch.save(kept | {"clock": (10 + number, 1.5)}, path)
    join(paths)
    for number, path in enumerate(paths):
        state = torch.load(path, weights_only=True)
        assert state["options"] == {"seed": number}
        assert state["clock"] == (10 + number, 1.5)
        assert torch.equal(state["trainee"]["weight"], torch.full((2, 2), 2.0))
        assert torch.equal(state["averaged"]["weight"], torch.full((2, 2), 2.0))
        assert torch.equal(state["optimizers"][0]["state"][0]["momentum"], torch.full((2,), 0.5))
    with pytest.raises(InputError, match="not a saved training run"):
        join([*paths, tmp_path / "c" / "state.pt"])
    other = torch.load(paths[1], weights_only=True) | {"pieces": [b"b"]}
    torch.save(other, paths[1])
    with pytest.raises(InputError, match="another shape or vocabulary"):
        join(paths)
