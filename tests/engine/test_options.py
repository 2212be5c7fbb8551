import pytest

from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions, temperature_ladder
from subwhisper.errors import OptionError


@pytest.mark.parametrize(
    ("options", "values", "named"),
    [
        (DecodeOptions, {"beam_size": 0}, "beam_size"),
        (DecodeOptions, {"best_of": 0}, "best_of"),
        (DecodeOptions, {"beam_size": 2, "patience": 0.1}, "patience"),
        (DecodeOptions, {"length_penalty": 1.5}, "length_penalty"),
        (DecodeOptions, {"suppress_tokens": (-2,)}, "suppress_tokens"),
        (DecodeOptions, {"max_initial_timestamp": float("nan")}, "max_initial_timestamp"),
        (DecodeOptions, {"repetition_penalty": 0.0}, "repetition_penalty"),
        (DecodeOptions, {"repetition_penalty": float("nan")}, "repetition_penalty"),
        (DecodeOptions, {"no_repeat_ngram_size": -1}, "no_repeat_ngram_size"),
        (DecodeOptions, {"sample_len": 0}, "sample_len"),
        (TranscribeOptions, {"prompt_reset_on_temperature": -0.1}, "prompt_reset_on_temperature"),
        (FallbackOptions, {"temperatures": ()}, "temperatures"),
        (FallbackOptions, {"temperatures": (0.0, -1.0)}, "temperature"),
        (TranscribeOptions, {"language": "Klingon"}, "Klingon"),
        (TranscribeOptions, {"task": "summarise"}, "summarise"),
        (TranscribeOptions, {"clip_timestamps": (3.0, 1.0)}, "clip_timestamps"),
        (TranscribeOptions, {"clip_timestamps": (-1.0,)}, "clip_timestamps"),
        (TranscribeOptions, {"hallucination_silence_threshold": 2.0}, "word_timestamps"),
    ],
)
def test_impossible_values_fail_at_once(options: type, values: dict[str, object], named: str) -> None:
    with pytest.raises(OptionError, match=named):
        options(**values)


@pytest.mark.parametrize(
    ("start", "increment", "expected"),
    [(0.0, 0.2, (0, 0.2, 0.4, 0.6, 0.8, 1)), (0.5, 0.5, (0.5, 1)), (0.3, None, (0.3,)), (2.0, 0.2, (2.0,))],
)
def test_the_ladder_climbs_to_one(start: float, increment: float | None, expected: tuple[float, ...]) -> None:
    assert temperature_ladder(start, increment) == pytest.approx(expected)
