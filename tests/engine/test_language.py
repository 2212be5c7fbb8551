from collections.abc import Iterator

import pytest
import torch

from subwhisper.audio import Samples, Span
from subwhisper.engine.language import WindowLanguages, agreed_language, detect_language, first_openings, openings
from subwhisper.engine.options import VadOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.model.cache import HeardWindows
from subwhisper.model.whisper import Whisper

from .networks import micro_checkpoint
from .test_streaming import bursts, in_blocks

LANGUAGES = ("en", "de", "es", "fr")


@pytest.fixture(scope="module")
def polyglot() -> tuple[Whisper, Tokenizer]:
    checkpoint = micro_checkpoint(languages=LANGUAGES)
    model = Whisper(checkpoint.dims)
    model.load_state_dict(checkpoint.tensors)
    return model.eval().requires_grad_(False), Tokenizer(checkpoint.vocabulary, is_multilingual=True)


@pytest.fixture(scope="module")
def heard(polyglot: tuple[Whisper, Tokenizer]) -> HeardWindows:
    mel = torch.empty(4, 16, 200).normal_(generator=torch.Generator().manual_seed(5))
    return polyglot[0].hear(polyglot[0].encode(mel))


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


def test_only_allowed_languages_are_heard(polyglot: tuple[Whisper, Tokenizer], heard: HeardWindows) -> None:
    every, few = detect_language(*polyglot, heard), detect_language(*polyglot, heard, ("de", "fr"))
    for free, bound in zip(every, few, strict=True):
        assert set(free) == set(LANGUAGES)
        assert set(bound) == {"de", "fr"}
        assert sum(bound.values()) == pytest.approx(1)
        assert bound["de"] / bound["fr"] == pytest.approx(free["de"] / free["fr"], rel=1e-4)


def test_a_window_that_is_not_sure_is_in_the_recordings_language(
    polyglot: tuple[Whisper, Tokenizer], heard: HeardWindows
) -> None:
    surest = [next(iter(ranked.items())) for ranked in detect_language(*polyglot, heard)]
    threshold = sorted(probability for _, probability in surest)[1]
    found = WindowLanguages(*polyglot, main="xx", allowed=(), threshold=threshold)(heard)
    assert found == [code if probability > threshold else "xx" for code, probability in surest]
    assert found.count("xx") == 2


@pytest.mark.parametrize(
    ("speech", "clips", "firsts"),
    [
        pytest.param([], [(0, 9000)], [], id="nobody speaks"),
        pytest.param([(40, 50)], [(0, 9000)], [4000], id="behind music"),
        pytest.param([(0, 90)], [(0, 9000)], [0, 3000, 6000], id="without a pause"),
        pytest.param([(0, 29), (29, 58), (58, 61)], [(0, 9000)], [0, 3000, 6000], id="cut to fit windows"),
        pytest.param([(0, 30.5)], [(0, 9000)], [0], id="half a second is not worth a window"),
        pytest.param([(0, 5), (12, 20), (70, 80)], [(0, 9000)], [0, 7000], id="in one window once"),
        pytest.param([(0, 90)], [(5000, 5500), (8000, 9000)], [5000, 8000], id="only in clips"),
        pytest.param([(3, 3.2)], [(0, 9000)], [300], id="a word is better than nothing"),
    ],
)
def test_a_language_is_heard_where_someone_speaks(
    speech: list[tuple[float, float]], clips: list[tuple[int, int]], firsts: list[int]
) -> None:
    assert [*openings(clips, SpeechMap(Span(*span) for span in speech), 3000)] == firsts


class Tape:
    """A recording, and how much of it was played."""

    def __init__(self, sound: Samples) -> None:
        self.sound, self.taken = sound, list[int]()

    def blocks(self) -> Iterator[Samples]:
        yield from in_blocks(self.sound, 16_000, self.taken)


def test_a_recording_is_read_no_further_than_someone_has_spoken() -> None:
    energy = VadOptions(detector="energy")
    tape = Tape(bursts((9, 12), (20, 21), (26, 27), seconds=90))
    [first] = first_openings(tape, energy, 1, 500)
    assert first == pytest.approx(860, abs=20)  # with its pad
    assert len(tape.taken) < 20
    assert len(first_openings(tape, energy, 3, 500)) == 3
    assert len(first_openings(tape, energy, 9, 500)) == 3
    assert first_openings(Tape(bursts(seconds=8)), energy, 2, 500) == [0, 500]
    assert first_openings(Tape(bursts(seconds=0)), energy, 2, 500) == [0]
