from collections.abc import Sequence
from dataclasses import replace

import pytest

from subwhisper.engine.decoding.loop import Decoded
from subwhisper.engine.fallback import decode_with_fallback, is_noise, is_silence, judge
from subwhisper.engine.options import FallbackOptions


def decoded(
    text: str = "a fine sentence", logprob: float = -0.3, no_speech: float = 0.0, temperature: float = 0.0
) -> Decoded:
    return Decoded((1, 2), text, logprob, no_speech, temperature)


LOOP = "and then " * 40


@pytest.mark.parametrize(
    ("candidate", "accepted", "reason"),
    [
        (decoded(), True, "fluent"),
        (decoded(LOOP), False, "repetition"),
        (decoded(logprob=-1.2), False, "guess"),
        (decoded(logprob=-1.2, no_speech=0.7), True, "silence"),
        (decoded(LOOP, logprob=-1.2, no_speech=0.7), True, "silence"),
        (decoded(no_speech=0.7), True, "fluent"),
        (decoded(""), True, "fluent"),
    ],
)
def test_a_text_is_judged(candidate: Decoded, accepted: bool, reason: str) -> None:
    verdict = judge(candidate, FallbackOptions())
    assert verdict.accepted is accepted
    assert verdict.reason.startswith(reason)


def test_thresholds_can_be_switched_off() -> None:
    options = FallbackOptions(compression_ratio_threshold=None, logprob_threshold=None, no_speech_threshold=None)
    assert judge(decoded(LOOP, logprob=-9, no_speech=1), options).accepted
    assert not is_silence(decoded(no_speech=1), options)


@pytest.mark.parametrize(
    ("candidate", "silent"),
    [
        (decoded(no_speech=0.7, logprob=-1.2), True),
        (decoded(no_speech=0.7, logprob=-0.2), False),
        (decoded(no_speech=0.5, logprob=-1.2), False),
    ],
)
def test_silence_needs_both_kinds_of_evidence(candidate: Decoded, silent: bool) -> None:
    assert is_silence(candidate, FallbackOptions()) is silent


def test_without_a_threshold_for_guesses_no_speech_alone_is_silence() -> None:
    assert is_silence(decoded(no_speech=0.7), FallbackOptions(logprob_threshold=None))


@pytest.mark.parametrize(
    ("noise_logprob", "logprob_threshold", "noise"),
    [(-2.5, -1.0, True), (-3.5, -1.0, False), (None, -1.0, False), (-2.5, None, False)],
)
def test_a_model_may_state_what_its_text_of_noise_is_like(
    noise_logprob: float | None, logprob_threshold: float | None, noise: bool
) -> None:
    options = FallbackOptions(logprob_threshold=logprob_threshold)
    assert is_noise(decoded(logprob=-3.0), options, noise_logprob) is noise


def test_temperatures_rise_until_each_text_passes_and_only_failing_ones_are_decoded_again() -> None:
    tried = []

    def decode(temperature: float, windows: Sequence[int]) -> list[Decoded]:
        tried.append((temperature, [*windows]))
        return [decoded(logprob=-2 + 3 * temperature + window, temperature=temperature) for window in windows]

    kept = decode_with_fallback(decode, 3, FallbackOptions())
    assert [found.temperature for found in kept] == [0.4, 0.0, 0.0]
    assert tried == [(0.0, [0, 1, 2]), (0.2, [0]), (0.4, [0])]


def test_a_further_doubt_has_a_text_decoded_again_and_is_noted() -> None:
    def decode(temperature: float, windows: Sequence[int]) -> list[Decoded]:
        return [decoded("bad" if temperature < 0.3 else "good", temperature=temperature) for _ in windows]

    doubt = {"bad": "loop"}.get
    [kept] = decode_with_fallback(decode, 1, FallbackOptions(), doubt)
    assert (kept.text, kept.temperature) == ("good", 0.4)
    assert kept.doubts == ("decoded again, for loop",) * 2


def test_what_is_taken_for_silence_is_not_doubted() -> None:
    silent = decoded(logprob=-2, no_speech=0.9)
    [kept] = decode_with_fallback(lambda t, _: [silent], 1, FallbackOptions(), lambda text: "loop")
    assert kept.doubts == ()


def test_the_last_text_stands() -> None:
    options = FallbackOptions(temperatures=(0.0, 1.0))
    [kept] = decode_with_fallback(lambda t, _: [decoded(logprob=-5, temperature=t)], 1, options)
    assert kept.temperature == 1.0


@pytest.mark.parametrize(("likeliest", "text", "doubts"), [(False, "last", 4), (True, "best", 5)])
def test_of_texts_that_never_pass_the_last_or_the_likeliest_stands(likeliest: bool, text: str, doubts: int) -> None:
    texts = {0.0: decoded(LOOP, -0.1), 0.2: decoded("good", -1.5), 0.4: decoded("best", -1.2), 0.6: decoded("no", -3)}

    def decode(temperature: float, windows: Sequence[int]) -> list[Decoded]:
        return [replace(texts.get(temperature, decoded("last", -2)), temperature=temperature) for _ in windows]

    options = FallbackOptions(temperatures=(0.0, 0.2, 0.4, 0.6, 0.8))
    [kept] = decode_with_fallback(decode, 1, options, likeliest=likeliest)
    assert (kept.text, kept.temperature, len(kept.doubts)) == (text, 0.8, doubts)
