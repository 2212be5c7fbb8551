from collections.abc import Iterator

import pytest
import torch

from subwhisper.engine.language import WindowLanguages, agreed_language, detect_language
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.whisper import Whisper

from .networks import micro_checkpoint

LANGUAGES = ("en", "de", "es", "fr")


@pytest.fixture(scope="module")
def polyglot() -> tuple[Whisper, Tokenizer]:
    checkpoint = micro_checkpoint(languages=LANGUAGES)
    model = Whisper(checkpoint.dims)
    model.load_state_dict(checkpoint.tensors)
    return model.eval().requires_grad_(False), Tokenizer(checkpoint.vocabulary, is_multilingual=True)


@pytest.fixture(scope="module")
def features(polyglot: tuple[Whisper, Tokenizer]) -> torch.Tensor:
    mel = torch.empty(4, 16, 200).normal_(generator=torch.Generator().manual_seed(5))
    return polyglot[0].encode(mel)


@pytest.mark.parametrize(
    ("windows", "threshold", "language", "probability", "n_heard"),
    [
        pytest.param(
            [{"de": 0.9, "en": 0.1}, {"en": 1.0, "de": 0.0}], 0.5, "de", 0.9, 1, id="the first sure one decides"
        ),
        pytest.param(
            [{"de": 0.6, "en": 0.4}, {"en": 0.9, "de": 0.1}], 0.7, "en", 0.9, 2, id="an unsure one is passed over"
        ),
        pytest.param(
            [{"de": 0.4, "en": 0.3}, {"en": 0.45, "de": 0.4}, {"de": 0.35, "en": 0.3}],
            0.5,
            "de",
            0.4,
            3,
            id="most votes",
        ),
        pytest.param([{"de": 0.4, "en": 0.3}, {"en": 0.45, "de": 0.4}], 0.5, "en", 0.45, 2, id="the surest of equals"),
        pytest.param([{"de": 0.2, "en": 0.1}], 0.5, "de", 0.2, 1, id="one window has to do"),
    ],
)
def test_windows_agree_on_a_language(
    windows: list[dict[str, float]], threshold: float, language: str, probability: float, n_heard: int
) -> None:
    listened = []

    def listen() -> Iterator[dict[str, float]]:
        for window in windows:
            listened.append(window)
            yield window

    heard = agreed_language(listen(), threshold)
    assert (heard.language, heard.probability) == (language, probability)
    assert len(listened) == n_heard
    assert heard.ranked["de"] == pytest.approx(sum(window["de"] for window in listened) / n_heard)


def test_only_allowed_languages_are_heard(polyglot: tuple[Whisper, Tokenizer], features: torch.Tensor) -> None:
    every, few = detect_language(*polyglot, features), detect_language(*polyglot, features, ("de", "fr"))
    for free, bound in zip(every, few, strict=True):
        assert set(free) == set(LANGUAGES)
        assert set(bound) == {"de", "fr"}
        assert sum(bound.values()) == pytest.approx(1)
        assert bound["de"] / bound["fr"] == pytest.approx(free["de"] / free["fr"], rel=1e-4)


def test_a_window_that_is_not_sure_is_in_the_recordings_language(
    polyglot: tuple[Whisper, Tokenizer], features: torch.Tensor
) -> None:
    surest = [next(iter(ranked.items())) for ranked in detect_language(*polyglot, features)]
    threshold = sorted(probability for _, probability in surest)[1]
    found = WindowLanguages(*polyglot, main="xx", allowed=(), threshold=threshold)(features)
    assert found == [code if probability > threshold else "xx" for code, probability in surest]
    assert found.count("xx") == 2
