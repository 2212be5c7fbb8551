import math
from collections.abc import Sequence

import pytest
import torch

from subwhisper.engine.decoding.loop import Beginning, Decoded, WindowDecoder
from subwhisper.engine.decoding.search import Beam, Candidate, Greedy, Sampling
from subwhisper.engine.options import DecodeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import OptionError
from subwhisper.model.fusion import fuse, shorten
from subwhisper.model.graphs import RecordingDecoder, Step
from subwhisper.model.whisper import Whisper

from .networks import ending_checkpoint, micro_network

END, N = 3, 4
CPU = torch.device("cpu")


def logits(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows).log()


def test_greedy_takes_the_most_probable_until_all_have_ended() -> None:
    search = Greedy(2, eot=END, device=CPU)
    search.advance(logits([0.5, 0.2, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]))
    assert not search.done
    search.advance(logits([0.1, 0.1, 0.2, 0.6], [0.9, 0.1, 1e-9, 1e-9]))
    assert search.done
    [[first], [second]] = search.candidates()
    assert first.tokens == (0,)
    assert first.logprob == pytest.approx(torch.tensor([0.5 * 0.6]).log().item())
    assert second.tokens == ()  # what comes after the end is not said
    assert second.logprob == pytest.approx(torch.tensor([0.7]).log().item())


@pytest.mark.parametrize("n_rows", [1, 2])
def test_windows_that_are_done_leave_and_the_rest_goes_on(n_rows: int) -> None:
    """Of four windows the outer two have more to say."""
    kinds: list[Greedy | Beam] = [
        Beam(4, eot=END, device=CPU, rows_per_window=n_rows),
        Greedy(4, eot=END, device=CPU, rows_per_window=n_rows),
    ]
    more, end = [0.8, 0.1, 0.09, 0.01], [0.01, 0.01, 0.01, 0.97]
    for search in kinds:
        search.advance(logits(*[row for row in (more, end, end, more) for _ in range(n_rows)]))
        if n_rows == 2 and isinstance(search, Beam):  # two texts are wanted, one has ended
            search.advance(logits(*[row for row in (more, end, end, more) for _ in range(n_rows)]))
        rows = search.retire()
        assert rows is not None
        assert rows.tolist() == [row for window in (0, 3) for row in range(window * n_rows, (window + 1) * n_rows)]
        assert len(search.tokens) == 2 * n_rows
        search.advance(logits(*[row for row in (more, end) for _ in range(n_rows)]))
        assert not search.done
        while not search.done:
            search.advance(logits(*[end for _ in range(2 * n_rows)]))
        first, second, third, fourth = (max(found, key=lambda c: c.logprob).tokens for found in search.candidates())
        assert len(first) > len(fourth) > len(second) == len(third) == 0


def test_a_single_window_never_leaves_before_it_is_done() -> None:
    search = Greedy(1, eot=END, device=CPU)
    search.advance(logits([0.8, 0.1, 0.09, 0.01]))
    assert search.retire() is None


def test_a_beam_finds_what_greed_misses() -> None:
    search = Beam(1, eot=END, device=CPU, rows_per_window=2)
    search.advance(logits([0.6, 0.4, 1e-9, 1e-9], [0.6, 0.4, 1e-9, 1e-9]))
    assert search.tokens.tolist() == [[0], [1]]
    search.advance(logits([0.3, 0.3, 0.3, 0.1], [0.01, 0.01, 0.08, 0.9]))
    [found] = search.candidates()
    assert max(found, key=lambda c: c.logprob).tokens == (1,)  # 0.4 * 0.9 beats 0.6 * 0.3


def test_beams_are_not_spent_on_neighbouring_timestamps() -> None:
    """Two texts and three timestamps: one beam each for the best text and for all timestamps together."""
    row = [0.2, 0.25, 1e-9, 1e-9, 0.18, 0.19, 0.18]
    for joined_from, first in ((None, [[1], [0]]), (4, [[5], [1]])):
        search = Beam(1, eot=END, device=CPU, rows_per_window=2, joined_from=joined_from)
        search.advance(logits(row, row))
        assert search.tokens.tolist() == first
        found = {beam.tokens[0]: beam.logprob for beam in search.candidates()[0]}
        assert found == pytest.approx({token: math.log(row[token]) for [token] in first}, abs=1e-5)  # each its own


def test_joined_timestamps_may_be_all_that_is_allowed_or_nothing() -> None:
    only_stamps = [0.0, 0.0, 0.0, 0.0, 0.5, 0.25, 0.25]
    search = Beam(1, eot=END, device=CPU, rows_per_window=2, joined_from=4)
    search.advance(logits(only_stamps, only_stamps))
    assert search.tokens[0].tolist() == [4]
    no_stamps = [0.25, 0.75, 0.0, 0.0, 0.0, 0.0, 0.0]
    search.advance(logits(no_stamps, no_stamps))
    assert search.tokens.tolist() == [[4, 1], [4, 0]]
    found = search.candidates()[0]
    assert [beam.logprob for beam in found] == pytest.approx([math.log(0.5 * 0.75), math.log(0.5 * 0.25)], abs=1e-5)


def test_patience_waits_for_more_texts() -> None:
    for patience, wanted in ((1.0, 2), (2.0, 4)):
        search = Beam(1, eot=END, device=CPU, rows_per_window=2, patience=patience)
        for _ in range(8):
            if not search.done:
                search.advance(logits([0.3, 0.2, 0.1, 0.4], [0.3, 0.2, 0.1, 0.4]))
        assert len(search.candidates()[0]) == wanted


def test_sampling_follows_the_probabilities() -> None:
    generators = [torch.Generator().manual_seed(3)]
    search = Sampling(generators, temperature=1.0, eot=END, device=CPU, rows_per_window=4000)
    search.advance(logits([0.5, 0.3, 0.2, 1e-9]).expand(4000, N))
    shares = torch.bincount(search.tokens[:, 0], minlength=N) / 4000
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.3, 0.2, 0.0]), atol=0.03, rtol=0)


def test_a_length_penalty_favours_longer_texts() -> None:
    short, long = Candidate((1,), -1.0), Candidate((1,) * 8, -7.0)
    assert long.score(None) > short.score(None)
    assert long.score(0.0) < short.score(0.0)


def decode(
    features: torch.Tensor, *, options: DecodeOptions, prompt: Sequence[int] = (), **given: object
) -> list[Decoded]:
    model, tokenizer = micro_network()
    beginning = Beginning(tokenizer.start_sequence("en", "transcribe"), tuple(prompt))
    return WindowDecoder(model, tokenizer, options).decode(model.hear(features), [beginning] * len(features), **given)


@pytest.fixture(scope="module")
def features() -> torch.Tensor:
    """(3, 100, 32): three windows."""
    model, _ = micro_network()
    mel = torch.empty(3, 16, 200).normal_(generator=torch.Generator().manual_seed(5))
    return model.encode(mel)


def test_random_windows_differ(features: torch.Tensor) -> None:
    texts = {one.tokens for one in decode(features, options=DecodeOptions(beam_size=1))}
    assert len(texts) > 1
    assert all(len(tokens) > 3 for tokens in texts)


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("options", [DecodeOptions(beam_size=1), DecodeOptions(beam_size=3, patience=0.5, best_of=2)])
def test_windows_decoded_together_are_as_alone(
    features: torch.Tensor, options: DecodeOptions, temperature: float
) -> None:
    prompt = [72, 105]
    together = decode(features, options=options, temperature=temperature, prompt=prompt, seeds=[1, 2, 3])
    for at, expected in enumerate(together):
        [alone] = decode(features[at : at + 1], options=options, temperature=temperature, prompt=prompt, seeds=[at + 1])
        assert alone.tokens == expected.tokens
        assert alone.avg_logprob == pytest.approx(expected.avg_logprob, abs=1e-5)


def test_the_same_seed_gives_the_same_text(features: torch.Tensor) -> None:
    first, again, other = (
        decode(features[:1], options=DecodeOptions(), temperature=1.0, seeds=[seed])[0] for seed in (4, 4, 5)
    )
    assert first == again
    assert first.tokens != other.tokens


def test_cached_steps_equal_reading_everything_again(features: torch.Tensor) -> None:
    model, _ = micro_network()
    tokens = torch.randint(0, 256, (3, 12), generator=torch.Generator().manual_seed(6))
    whole = model.decode(tokens, model.start(model.hear(features)))
    cache = model.start(model.hear(features))
    steps = [model.decode(tokens[:, :5], cache), *(model.decode(tokens[:, at : at + 1], cache) for at in range(5, 12))]
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, atol=1e-4, rtol=0)


def test_a_widened_cache_equals_rows_from_the_start(features: torch.Tensor) -> None:
    model, _ = micro_network()
    tokens = torch.randint(0, 256, (3, 6), generator=torch.Generator().manual_seed(6))
    wide = model.start(model.hear(features), rows_per_window=2)
    model.decode(tokens.repeat_interleave(2, dim=0), wide)
    narrow = model.start(model.hear(features))
    model.decode(tokens, narrow)
    narrow.widen(2)
    following = torch.arange(6)[:, None]
    torch.testing.assert_close(model.decode(following, narrow), model.decode(following, wide), atol=1e-4, rtol=0)


def test_a_prefix_that_leaves_no_room_is_refused(features: torch.Tensor) -> None:
    with pytest.raises(OptionError, match="prefix is too long"):
        decode(features, options=DecodeOptions(prefix="word " * 20))


def test_the_context_is_never_overrun(features: torch.Tensor) -> None:
    options = DecodeOptions(
        beam_size=2, prefix="so it begins", suppress_tokens=(256,)
    )  # 256 is the end: it never comes
    [decoded] = decode(features[:1], options=options, prompt=list(range(65, 91)) * 4)
    n_initial = 1 + 31 + 1 + len(" so it begins")
    assert len(decoded.tokens) == 64 - n_initial + 1


PROMPTS = ((72, 105), (), tuple(range(65, 91)))
"""Of different lengths: rows that begin earlier wait for the others."""


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("options", [DecodeOptions(beam_size=1), DecodeOptions(beam_size=3, best_of=2)])
def test_texts_with_different_beginnings_are_as_alone(
    features: torch.Tensor, options: DecodeOptions, temperature: float
) -> None:
    """Two texts of each window, with prompts of three lengths, all in one decoding."""
    model, tokenizer = micro_network()
    decoder = WindowDecoder(model, tokenizer, options)
    start = tokenizer.start_sequence("en", "transcribe")
    beginnings = [Beginning(start, PROMPTS[at % 3]) for at in range(6)]
    together = decoder.decode(model.hear(features), beginnings, temperature=temperature, seeds=list(range(6)))
    for at, expected in enumerate(together):
        heard = model.hear(features[at // 2 : at // 2 + 1])
        [alone] = decoder.decode(heard, beginnings[at : at + 1], temperature=temperature, seeds=[at])
        assert alone.tokens == expected.tokens
        assert alone.avg_logprob == pytest.approx(expected.avg_logprob, abs=1e-5)
        assert alone.no_speech_prob == pytest.approx(expected.no_speech_prob, abs=1e-6)


class Again:
    """Records on the processor: the step again."""

    is_trusted = False
    n_recorded = 0

    def take(self, step: Step) -> torch.Tensor:
        return step()

    def record(self, step: Step) -> Step:
        self.n_recorded += 1
        return step


@pytest.mark.parametrize("prompts", [((),), PROMPTS])
@pytest.mark.parametrize("beam_size", [1, 5])
def test_recorded_steps_write_the_same_texts(beam_size: int, prompts: Sequence[tuple[int, ...]]) -> None:
    """Six windows that leave at different times; every time, what is recorded holds no longer."""
    checkpoint, recorder = ending_checkpoint(), Again()
    model, tokenizer = Whisper(checkpoint.dims), Tokenizer(checkpoint.vocabulary, is_multilingual=False)
    model.load_state_dict(checkpoint.tensors)
    model.requires_grad_(False)
    windows = torch.empty(6, 100, 32).normal_(generator=torch.Generator().manual_seed(5))
    start = tokenizer.start_sequence("en", "transcribe")
    beginnings = [Beginning(start, prompts[at % len(prompts)]) for at in range(6)]
    options = DecodeOptions(beam_size=beam_size, no_repeat_ngram_size=2)
    expected = WindowDecoder(model, tokenizer, options).decode(model.hear(windows), beginnings)
    fuse(model.decoder)
    shorten(model)
    model.decoder = RecordingDecoder(model.decoder, recorder)
    found = WindowDecoder(model, tokenizer, options).decode(model.hear(windows), beginnings)
    assert [text.tokens for text in found] == [text.tokens for text in expected]
    assert [text.avg_logprob for text in found] == pytest.approx([text.avg_logprob for text in expected], abs=1e-5)
    assert len({len(text.tokens) for text in found}) > 3
    assert recorder.n_recorded > 2


def test_what_is_forbidden_is_no_text() -> None:
    """Where one token alone is allowed, the end is among the others only as one of them."""
    search = Beam(1, eot=0, device=CPU, rows_per_window=2)
    only = [0.0, 0.0, 1.0, 0.0]
    search.advance(logits(only, only))
    search.advance(logits([0.0, 0.5, 0.5, 0.0], [0.0, 0.5, 0.5, 0.0]))
    assert all(beam.tokens for beam in search.candidates()[0])
