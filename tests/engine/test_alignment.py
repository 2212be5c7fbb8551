import pytest
import torch

from subwhisper.engine.alignment import TimedWord, attention_map, median_filter, merge_punctuation


def timed(*texts: str) -> list[TimedWord]:
    return [TimedWord(text, (at,), float(at), at + 1.0, 0.5) for at, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([" one", ","], [" one,", ""]),
        ([' "', "one", '"', "."], ["", ' "one".', "", ""]),
        ([" one", " (", " two", ")"], [" one", "", " ( two)", ""]),
        ([" ¿", " Qué", "?"], ["", " ¿ Qué?", ""]),
        ([" one", " -", " two"], [" one", "", " - two"]),
        ([" one"], [" one"]),
        ([], []),
    ],
)
def test_marks_join_the_word_they_belong_to(words: list[str], expected: list[str]) -> None:
    merged = merge_punctuation(timed(*words), "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、")
    assert [word.text for word in merged] == expected
    assert sorted(token for word in merged for token in word.tokens) == list(range(len(words)))
    assert [(word.start, word.end) for word in merged] == [(word.start, word.end) for word in timed(*words)]


@pytest.mark.parametrize("length", [1, 3, 4, 5, 20])
@pytest.mark.parametrize("width", [3, 5, 7])
def test_the_median_filter_equals_sorting(length: int, width: int) -> None:
    x = torch.randn(2, 3, length, generator=torch.Generator().manual_seed(length))
    half = width // 2
    if length <= half:
        expected = x
    else:
        padded = torch.nn.functional.pad(x, (half, half), mode="reflect")
        expected = padded.unfold(-1, width, 1).median(dim=-1).values
    torch.testing.assert_close(median_filter(x, width), expected, atol=0, rtol=0)


def test_a_position_nobody_listens_to_is_no_division_by_zero() -> None:
    scores = torch.zeros(1, 4, 12)
    scores[..., 5] = -1e9
    assert attention_map(scores).isfinite().all()
