"""Each rule on hand-written logits of ten tokens: 0-4 text, 5 end, 6 no timestamps, 7-9 timestamps."""

import pytest
import torch

from subwhisper.engine.decoding.rules import (
    LogitRule,
    NoRepeatedSequence,
    RepetitionPenalty,
    SuppressAtStart,
    SuppressTokens,
    TimestampRules,
    rules_for,
)
from subwhisper.engine.options import DecodeOptions
from subwhisper.model.dims import ModelDims

from .vocabularies import byte_tokenizer

TEXT, END, NO_TIMESTAMPS, BEGIN, N = 0, 5, 6, 7, 10
NOBODY = float("-inf")


def allowed(rule: LogitRule, sampled: list[int], logits: list[float] | None = None) -> set[int]:
    row = torch.tensor([logits or [0.0] * N])
    rule.apply(row, torch.tensor([sampled], dtype=torch.long))
    return {token for token in range(N) if row[0, token] > NOBODY}


def timestamp_rules(latest_first: int | None = None) -> TimestampRules:
    return TimestampRules(begin=BEGIN, eot=END, no_timestamps=NO_TIMESTAMPS, latest_first=latest_first)


LIKELY_TEXT = [9.0] * 5 + [9.0, 9.0] + [0.0] * 3  # so likely that timestamps do not win by their sum


def test_suppressed_tokens_are_never_said() -> None:
    assert allowed(SuppressTokens([1, 3]), [0]) == set(range(N)) - {1, 3}


def test_blanks_are_suppressed_only_at_the_start() -> None:
    rule = SuppressAtStart([0, END])
    assert allowed(rule, []) == set(range(N)) - {0, END}
    assert allowed(rule, [2]) == set(range(N))


@pytest.mark.parametrize(
    ("sampled", "expected"),
    [
        pytest.param([], {7, 8, 9}, id="a window opens with a timestamp"),
        pytest.param([7], {0, 1, 2, 3, 4, 5}, id="text follows the opening one"),
        pytest.param([7, 0], {0, 1, 2, 3, 4, 5, 8, 9}, id="the next is later than the last"),
        pytest.param([7, 0, 8], {5, 8, 9}, id="a closing one is repeated, or the end comes"),
        pytest.param([7, 0, 8, 8], {0, 1, 2, 3, 4, 5}, id="no third in a row"),
        pytest.param([7, 0, 8, 8, 1], {0, 1, 2, 3, 4, 5, 9}, id="a segment is never empty"),
        pytest.param([7, 0, 9], {5, 9}, id="nothing later than the last exists"),
    ],
)
def test_timestamps_come_in_pairs_and_never_run_backwards(sampled: list[int], expected: set[int]) -> None:
    assert allowed(timestamp_rules(), sampled, LIKELY_TEXT) == expected


def test_the_first_timestamp_is_early() -> None:
    assert allowed(timestamp_rules(latest_first=1), []) == {7, 8}


def test_timestamps_win_when_their_sum_is_likelier_than_any_text() -> None:
    logits = [1.0, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.5]
    assert allowed(timestamp_rules(), [7, 0], logits) == {8, 9}
    assert allowed(timestamp_rules(), [7, 0], [3.0, *logits[1:]]) == {0, 1, 2, 3, 4, 5, 8, 9}


@pytest.mark.parametrize(
    ("size", "sampled", "forbidden"),
    [
        pytest.param(2, [], set(), id="nothing said, nothing repeated"),
        pytest.param(1, [3, 4], {3, 4}, id="no token twice"),
        pytest.param(2, [1, 2, 3, 1], {2}, id="1 2 has been said"),
        pytest.param(2, [1, 2, 1, 4, 1], {2, 4}, id="two pairs begin with 1"),
        pytest.param(3, [1, 2, 3, 4, 1], set(), id="1 alone begins no run of three"),
        pytest.param(3, [1, 2, 3, 4, 1, 2], {3}, id="1 2 3 has been said"),
        pytest.param(3, [2, 2], set(), id="too short"),
        pytest.param(2, [2, 2], {2}, id="runs may overlap"),
    ],
)
def test_no_run_of_tokens_comes_twice(size: int, sampled: list[int], forbidden: set[int]) -> None:
    assert allowed(NoRepeatedSequence(size), sampled) == set(range(N)) - forbidden


def test_runs_are_looked_for_in_each_row_alone() -> None:
    logits = torch.zeros(2, N)
    NoRepeatedSequence(2).apply(logits, torch.tensor([[1, 2, 1], [1, 3, 4]]))
    assert (logits == NOBODY).nonzero().tolist() == [[0, 2]]


@pytest.mark.parametrize(("penalty", "expected"), [(2.0, [1.0, -2.0, 3.0, NOBODY]), (0.5, [4.0, -0.5, 3.0, NOBODY])])
def test_what_was_said_is_penalised_once_whatever_its_sign(penalty: float, expected: list[float]) -> None:
    logits = torch.tensor([[2.0, -1.0, 3.0, NOBODY]])
    RepetitionPenalty(penalty).apply(logits, torch.tensor([[0, 1, 0, 3]]))
    assert logits[0].tolist() == expected


def test_nothing_is_penalised_before_the_first_token() -> None:
    logits = torch.tensor([[2.0, -1.0]])
    RepetitionPenalty(2.0).apply(logits, torch.empty(1, 0, dtype=torch.long))
    assert logits[0].tolist() == [2.0, -1.0]


def test_rows_are_judged_one_by_one() -> None:
    logits = torch.tensor([LIKELY_TEXT, LIKELY_TEXT])
    timestamp_rules().apply(logits, torch.tensor([[7, 0, 8], [7, 0, 1]]))
    assert (logits[0] > NOBODY).nonzero().flatten().tolist() == [5, 8, 9]
    assert (logits[1] > NOBODY).nonzero().flatten().tolist() == [0, 1, 2, 3, 4, 5, 8, 9]


def dims(n_vocab: int) -> ModelDims:
    return ModelDims(80, 100, 64, 2, 1, n_vocab, 64, 64, 2, 1)


def test_ids_beyond_the_vocabulary_are_never_said() -> None:
    """A padded embedding would otherwise speak tokens past the last timestamp."""
    tokenizer = byte_tokenizer()
    n_vocab = tokenizer.timestamp_end + 7
    logits, sampled = torch.zeros(1, n_vocab), torch.empty(1, 0, dtype=torch.long)
    for rule in rules_for(tokenizer, dims(n_vocab), DecodeOptions(max_initial_timestamp=None), None):
        rule.apply(logits, sampled)
    said = (logits[0] > NOBODY).nonzero().flatten().tolist()
    assert said == list(range(tokenizer.timestamp_begin, tokenizer.timestamp_end))


def test_a_models_own_list_replaces_the_unspoken_symbols() -> None:
    tokenizer = byte_tokenizer()
    options = DecodeOptions(without_timestamps=True, suppress_blank=False, suppress_tokens=(-1, 65))
    logits, sampled = torch.zeros(1, tokenizer.timestamp_end), torch.empty(1, 0, dtype=torch.long)
    for rule in rules_for(tokenizer, dims(tokenizer.timestamp_end), options, model_suppressed=[66, 99_999]):
        rule.apply(logits, sampled)
    said = set((logits[0] > NOBODY).nonzero().flatten().tolist())
    assert not said & {65, 66, *tokenizer.control_tokens}
    assert ord("#") in said


def test_repetition_is_judged_only_when_asked() -> None:
    tokenizer = byte_tokenizer()
    kinds = (RepetitionPenalty, NoRepeatedSequence)
    for options, n in ((DecodeOptions(), 0), (DecodeOptions(repetition_penalty=1.2, no_repeat_ngram_size=3), 2)):
        rules = rules_for(tokenizer, dims(tokenizer.timestamp_end), options, None)
        assert sum(isinstance(rule, kinds) for rule in rules) == n


@pytest.mark.parametrize("n_tokens", [1, 2, 3, 40])
def test_timestamps_are_ruled_alike_with_and_without_the_library(
    n_tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = torch.Generator().manual_seed(n_tokens)
    rules = TimestampRules(begin=500, eot=480, no_timestamps=490, latest_first=50)
    sampled = torch.randint(470, 700, (64, n_tokens), generator=random)
    sampled[sampled.gt(479) & sampled.lt(500)] = 3
    logits = torch.randn(64, 701, generator=random) * 3
    logits[::3, 500:] += 4
    found, expected = logits.clone(), logits.clone()
    rules.apply(found, sampled)
    monkeypatch.setattr("subwhisper.engine.decoding.rules.rule_by_timestamps", lambda *_: False)
    rules.apply(expected, sampled)
    assert torch.equal(found, expected)
    forbidden = expected[:, :480].isinf().all(dim=1)
    assert forbidden.any()
    assert not forbidden.all()
