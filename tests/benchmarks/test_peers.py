"""The suite that measures us beside the peers: what it says the same in all, and what it makes of the numbers."""

import pytest
import torch

from benchmarks.peers.checkpoints import script, tensors_of
from benchmarks.peers.engines.work import TEXT_TOKENS, WINDOW_TOKENS
from benchmarks.peers.ratios import comparisons, slower
from benchmarks.peers.report import table
from benchmarks.peers.results import Results, Round
from subwhisper.engine.decoding.loop import Beginning, WindowDecoder
from subwhisper.engine.options import DecodeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import public_vocabulary
from subwhisper.model.whisper import Whisper

SMALL = ModelDims(
    n_mels=80,
    n_audio_ctx=20,
    n_audio_state=128,
    n_audio_head=2,
    n_audio_layer=1,
    n_vocab=51865,
    n_text_ctx=448,
    n_text_state=128,
    n_text_head=2,
    n_text_layer=2,
)


@pytest.mark.parametrize("beams", [1, 3])
def test_a_random_model_says_the_script_and_ends(beams):
    vocabulary = public_vocabulary(SMALL.n_vocab)
    said = script(vocabulary)
    network = Whisper(SMALL).eval().requires_grad_(False)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors_of(SMALL, said).items()})
    tokenizer = Tokenizer(vocabulary, is_multilingual=True)
    features = network.encode(torch.randn(2, SMALL.n_mels, SMALL.n_frames, generator=torch.Generator().manual_seed(1)))
    heard = network.hear(features)
    decoder = WindowDecoder(network, tokenizer, DecodeOptions(beam_size=beams))

    found = decoder.decode(heard, [Beginning(tokenizer.start_sequence("en", "transcribe"))] * 2)

    for one in found:
        assert list(one.tokens) == said[2:-1]
        assert len(one.tokens) == WINDOW_TOKENS
        assert one.avg_logprob > -0.5  # so nobody decodes it again
        assert one.compression_ratio < 2.4
    assert len([token for token in found[0].tokens if token < tokenizer.eot]) == TEXT_TOKENS


def measured(path, ratios, commit="a"):
    results = Results(path)
    for ratio in ratios:
        values = {"ours": ratio, "faster-whisper": 1.0}
        results.rounds.append(
            Round("tiny", "encoder", 10, commit, list(values), values, {"ours": 1500, "faster-whisper": 1500})
        )
    return results


def test_a_ratio_is_the_median_of_rounds_and_is_held_against_the_promise(tmp_path):
    (one,) = comparisons(measured(tmp_path / "r.json", [0.5, 0.9, 0.6, 0.65, 0.55]))
    assert one.middle == 0.6
    assert one.verdict == "stretch"
    assert one.quartiles == pytest.approx((0.55, 0.65))
    assert "| tiny | encoder | faster-whisper |" in table(measured(tmp_path / "r.json", [0.5]))


def test_only_the_newest_state_of_ours_counts(tmp_path):
    results = measured(tmp_path / "r.json", [2.0, 2.0])
    results.rounds += measured(tmp_path / "r.json", [0.5], commit="b").rounds
    (one,) = comparisons(results)
    assert one.ratios == (0.5,)


def test_unequal_work_is_marked(tmp_path):
    results = measured(tmp_path / "r.json", [0.5])
    results.rounds[0].amounts["ours"] = 700
    assert "unequal work" in table(results)


def test_slower_is_what_lies_outside_of_both_spreads(tmp_path):
    before = measured(tmp_path / "b.json", [0.5, 0.52, 0.54, 0.56])
    assert slower(measured(tmp_path / "n.json", [0.51, 0.53, 0.55, 0.58]), before) == []
    (told,) = slower(measured(tmp_path / "n.json", [0.8, 0.82, 0.84, 0.86]), before)
    assert told.startswith("tiny encoder against faster-whisper: 0.83")


def test_results_are_read_as_they_were_written(tmp_path):
    results = measured(tmp_path / "r.json", [0.5, 0.25])
    results.machine = {"threads": 2}
    results.save()
    again = Results.at(tmp_path / "r.json")
    assert again.rounds == results.rounds
    assert again.machine == {"threads": 2}
