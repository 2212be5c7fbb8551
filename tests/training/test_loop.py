from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from packs import packed

from subwhisper.errors import InputError, OptionError
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.training import dataset, loop
from subwhisper.training.forced import load_timings
from subwhisper.training.synthesis import Espeak
from subwhisper.training.text import Corpus

SENTENCES = tuple(
    f"{who} {what} the {thing}."
    for who in ("We", "They", "You")
    for what in ("see", "take", "hold")
    for thing in ("sun", "hand", "door", "book")
)
TINY = loop.TrainOptions(
    minutes=0.05, width=32, n_heads=2, encoder_layers=1, decoder_layers=1, n_pieces=300, warmup_steps=5
)


NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NO_CUDA)])
def test_a_run_learns_and_goes_on_where_it_stopped(
    device: str, espeak: Espeak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SHAPES", (loop.Shape(2.0, 4),) * 4)
    corpus = Corpus(SENTENCES, ())
    run = loop.begin(TINY, corpus, device=device)
    before = {name: value.clone() for name, value in run.averaged.items()}
    loop.train(run, corpus, tmp_path)
    assert run.share == 1
    assert any(not torch.equal(before[name], value) for name, value in run.averaged.items())

    resumed = loop.resume(tmp_path / "state.pt", minutes=run.seconds / 60 + 0.05, device=device)
    assert (resumed.step, resumed.heard) == (run.step, run.heard)
    assert all(torch.equal(resumed.averaged[name], value) for name, value in run.averaged.items())
    loop.train(resumed, corpus, tmp_path)
    assert resumed.step > run.step


@pytest.mark.slow
def test_recordings_are_timed_and_heard(espeak: Espeak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHAPES", (loop.Shape(2.0, 4),) * 4)
    recordings = packed(espeak, tmp_path / "pack", SENTENCES[:6])
    corpus = Corpus(SENTENCES, ())
    run = loop.begin(replace(TINY, realign_at=(0.0,)), corpus, recordings)
    loop.train(run, corpus, tmp_path / "run", recordings=tmp_path / "pack")
    assert run.share == 1
    assert run.n_alignments == 1
    assert len(load_timings(tmp_path / "run" / loop.TIMINGS)) == 6


def test_a_run_goes_on_from_a_model_with_fewer_layers(espeak: Espeak, tmp_path: Path) -> None:
    shallow = loop.begin(TINY, Corpus(SENTENCES, ()))
    loop.export(shallow, tmp_path / "shallow")
    deep = loop.begin(
        replace(TINY, encoder_layers=3), Corpus(SENTENCES, ()), first=read_checkpoint(tmp_path / "shallow")
    )
    mel = torch.randn(1, 80, 400)
    heard = [run.trainee.network.encoder(mel, torch.zeros(1, dtype=torch.long)) for run in (shallow, deep)]
    torch.testing.assert_close(heard[0], heard[1], atol=2e-2, rtol=1e-2)  # exported in half precision


@pytest.mark.slow
def test_the_classifier_learns_alone_first(espeak: Espeak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHAPES", (loop.Shape(2.0, 4),) * 4)
    corpus = Corpus(SENTENCES, ())
    run = loop.begin(replace(TINY, teach_minutes=0.03), corpus)
    network = {name: value.clone() for name, value in run.trainee.network.state_dict().items()}
    sounds = run.trainee.sounds.weight.clone()
    loop._teach_sounds(run, corpus, 1)
    assert not torch.equal(run.trainee.sounds.weight, sounds)
    assert all(torch.equal(value, network[name]) for name, value in run.trainee.network.state_dict().items())


def test_each_process_makes_batches_of_its_own(espeak: Espeak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHAPES", (loop.Shape(2.0, 1),) * 4)
    run = loop.begin(replace(TINY, batch_scale=3), Corpus(SENTENCES, ()))
    stream = loop._stream(run, Corpus(SENTENCES, ()), None)

    def first_of(maker: int) -> dataset.Batch:
        monkeypatch.setattr(dataset, "get_worker_info", lambda: SimpleNamespace(id=maker))
        return next(iter(stream))

    one, other, again = (first_of(maker) for maker in (0, 1, 0))
    assert len(one.mel) == 3
    # what espeak-ng said before may move a word by a step of 20 ms
    assert one.tokens.shape == again.tokens.shape
    assert (one.tokens - again.tokens).abs().max() <= 1
    assert one.tokens.shape != other.tokens.shape or (one.tokens - other.tokens).abs().max() > 1


def test_resuming_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a saved training run"):
        loop.resume(tmp_path / "state.pt")


def test_the_learning_rate_rises_stays_and_falls() -> None:
    options = loop.TrainOptions(warmup_steps=10, decay_share=0.25)
    rates = [
        loop.learning_rate(options, step, share) / options.learning_rate
        for step, share in ((0, 0.0), (9, 0.1), (500, 0.7), (900, 0.875), (999, 1.0))
    ]
    assert rates == pytest.approx([0.1, 1.0, 1.0, 0.5, 0.01])


@pytest.mark.parametrize("wrong", [{"dropout": 1.0}, {"dropout": -0.1}, {"wrong": 1.5}, {"moments": -1.0}])
def test_shares_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=f"{next(iter(wrong))} must"):
        loop.TrainOptions(**wrong)
