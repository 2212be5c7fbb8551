"""Where someone speaks: the state machine as tables, the detectors on real sound."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from subwhisper.audio import SAMPLE_RATE, Samples, Span
from subwhisper.engine.options import VadOptions
from subwhisper.engine.vad import silero
from subwhisper.engine.vad.detector import FRAME_SAMPLES, FRAME_SECONDS, EnergyDetector, SpeechDetector, levels_db
from subwhisper.engine.vad.listener import SpeechListener, find_speech
from subwhisper.engine.vad.silero import SileroDetector
from subwhisper.engine.vad.spans import SpanMaker
from subwhisper.errors import OptionError
from subwhisper.media.decode import open_audio

SECOND = round(1 / FRAME_SECONDS)  # frames in it, nearly: 31
BARE = VadOptions(min_silence_duration_ms=500, speech_pad_ms=0)


def frames(*parts: tuple[float, float]) -> list[float]:
    """Probabilities: (seconds, probability) one after the other."""
    return [probability for seconds, probability in parts for _ in range(round(seconds / FRAME_SECONDS))]


def spans_of(
    probabilities: list[float], options: VadOptions, longest: float | None = None
) -> list[tuple[float, float]]:
    maker = SpanMaker(options, longest=longest)
    found = maker.add(probabilities) + maker.finish(len(probabilities) * FRAME_SECONDS)
    return [(round(span.start, 1), round(span.end, 1)) for span in found]


@pytest.mark.parametrize(
    ("probabilities", "options", "expected"),
    [
        pytest.param([], {}, [], id="nothing"),
        pytest.param(frames((3, 0.1)), {}, [], id="nobody"),
        pytest.param(frames((3, 0.9)), {}, [(0, 3)], id="all the time"),
        pytest.param(frames((1, 0), (2, 0.9), (1, 0)), {}, [(1, 3)], id="once"),
        pytest.param(frames((1, 0), (2, 0.9)), {}, [(1, 3)], id="to the end"),
        pytest.param(frames((1, 0), (2, 0.9), (0.3, 0)), {}, [(1, 3)], id="a pause at the end is no speech"),
        pytest.param(frames((1, 0.9), (0.4, 0), (1, 0.9)), {}, [(0, 2.4)], id="a short pause is bridged"),
        pytest.param(frames((1, 0.9), (0.6, 0), (1, 0.9)), {}, [(0, 1), (1.6, 2.6)], id="a long pause parts"),
        pytest.param(frames((1, 0.9), (2, 0.4), (1, 0)), {}, [(0, 3)], id="no end between the thresholds"),
        pytest.param(frames((1, 0.4), (2, 0.9), (1, 0)), {}, [(1, 3)], id="no beginning between them"),
        pytest.param(frames((1, 0.9), (2, 0.4), (1, 0)), {"neg_threshold": 0.45}, [(0, 1)], id="another lower one"),
        pytest.param(frames((1, 0), (0.2, 0.9), (2, 0)), {"min_speech_duration_ms": 250}, [], id="too short"),
        pytest.param(frames((1, 0), (1, 0.9), (2, 0)), {"speech_pad_ms": 200}, [(0.8, 2.2)], id="padded"),
        pytest.param(frames((0.1, 0), (1, 0.9)), {"speech_pad_ms": 400}, [(0, 1.1)], id="no pad beyond the recording"),
        pytest.param(
            frames((1, 0.9), (0.6, 0), (1, 0.9), (1, 0)),
            {"speech_pad_ms": 400},
            [(0, 1.2), (1.2, 2.9)],
            id="pads never reach into the neighbour",
        ),
        pytest.param(
            frames((3, 0.9), (0.3, 0), (1, 0.9), (0.3, 0), (4, 0.9)),
            {"max_speech_duration_s": 5.0},
            [(0, 4.5), (4.5, 8.6)],
            id="cut in the last deep pause",
        ),
    ],
)
def test_probabilities_become_spans(
    probabilities: list[float], options: dict[str, float], expected: list[tuple[float, float]]
) -> None:
    chosen = VadOptions(**{"min_silence_duration_ms": 500, "speech_pad_ms": 0, **options})
    found = spans_of(probabilities, chosen)
    assert len(found) == len(expected), found
    assert np.allclose(found, expected, atol=0.15), found


def test_speech_without_pauses_is_cut_where_it_is_quietest() -> None:
    loudness = np.full(10 * SECOND, -20.0)
    loudness[7 * SECOND] = -40.0
    maker = SpanMaker(BARE, longest=9.0)
    [first] = maker.add([0.95] * len(loudness), loudness.tolist())
    [second] = maker.finish(len(loudness) * FRAME_SECONDS)
    assert first.end == second.start == pytest.approx(7 * SECOND * FRAME_SECONDS, abs=0.05)


@pytest.mark.parametrize(("longest_pad", "limits"), [(800, (3, 12)), (40_000, (0.2, 12))])
def test_spans_are_in_order_never_overlap_and_hold_every_frame_of_speech(
    longest_pad: int, limits: tuple[float, float]
) -> None:
    """A pad as long as the longest span left nothing to cut, and ended in an error."""
    random = np.random.default_rng(5)
    for _ in range(60):
        lengths, levels = random.integers(1, 90, 40), random.random(40)
        probabilities = np.repeat(levels, lengths)
        options = VadOptions(
            min_silence_duration_ms=int(random.integers(0, 2500)), speech_pad_ms=int(random.integers(0, longest_pad))
        )
        longest = float(random.uniform(*limits))
        maker = SpanMaker(options, longest=longest)
        duration = len(probabilities) * FRAME_SECONDS
        spans = maker.add(probabilities, random.random(len(probabilities))) + maker.finish(duration)
        assert all(0 <= span.start < span.end <= duration for span in spans)
        assert all(span.duration <= longest + 1e-6 for span in spans)
        assert all(one.end <= other.start + 1e-9 for one, other in pairwise(spans))
        for frame in np.flatnonzero(probabilities >= options.threshold):
            middle = (frame + 0.5) * FRAME_SECONDS
            assert any(span.start <= middle <= span.end for span in spans)


@pytest.mark.parametrize(
    "options",
    [
        {"detector": "ear"},
        {"threshold": 1.5},
        {"threshold": 0.3, "neg_threshold": 0.4},
        {"min_silence_duration_ms": -1},
        {"max_speech_duration_s": 0.0},
    ],
)
def test_impossible_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        VadOptions(**options)  # type: ignore[arg-type]


def sound_of(path: Path) -> Samples:
    return np.concatenate([*open_audio(path).blocks()])


def in_frames(sound: Samples) -> np.ndarray:
    n_whole = len(sound) // FRAME_SAMPLES * FRAME_SAMPLES
    return sound[:n_whole].reshape(-1, FRAME_SAMPLES)


def in_pieces(sound: Samples, size: int) -> Iterator[Samples]:
    for at in range(0, len(sound), size):
        yield sound[at : at + size]


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of the package's own model
def test_the_network_says_what_the_package_says(samples: Path) -> None:
    threads = torch.get_num_threads()
    package = pytest.importorskip("silero_vad")
    torch.set_num_threads(threads)  # the package changed it
    heard = in_frames(sound_of(samples / "speech" / "jfk.flac"))
    theirs = package.load_silero_vad()
    with torch.inference_mode():
        expected = [float(theirs(torch.from_numpy(frame), SAMPLE_RATE)) for frame in heard]
    np.testing.assert_allclose(SileroDetector().probabilities(heard), expected, atol=1e-4)


def test_finding_speech_leaves_torchs_threads_alone() -> None:
    before = torch.get_num_threads()
    SileroDetector().probabilities(np.zeros((3, FRAME_SAMPLES), np.float32))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("kind", [SileroDetector, EnergyDetector])
def test_frames_in_pieces_are_judged_as_one(samples: Path, kind: type[SpeechDetector]) -> None:
    heard = in_frames(sound_of(samples / "speech" / "jfk.flac"))
    whole, piecewise = kind().probabilities(heard), kind()
    pieces = [piecewise.probabilities(part) for part in (heard[:300], heard[300:301], heard[301:301], heard[301:])]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-5)


@pytest.mark.parametrize("name", ["silero", "energy"])
def test_blocks_of_any_size_give_the_same_spans(samples: Path, name: str) -> None:
    sound = sound_of(samples / "speech" / "shakespeare-sonnet-1.mp3")
    options = VadOptions(detector=name, min_silence_duration_ms=300)  # type: ignore[arg-type]
    whole = find_speech([sound], options, longest=10.0)
    assert len(whole) > 5
    pieces = find_speech(in_pieces(sound, 160_003), options, longest=10.0)
    assert [t for s in pieces for t in (s.start, s.end)] == pytest.approx([t for s in whole for t in (s.start, s.end)])


def test_silero_hears_speakers_and_no_other_sound(samples: Path) -> None:
    for path in sorted((samples / "nonspeech").iterdir()):
        assert find_speech(open_audio(path).blocks(), VadOptions()) == [], path.name
    for name in ("emu-ae-msajc010.flac", "common_voice_ja_20527819.mp3", "leopard-es.flac", "vosk-digits.flac"):
        sound = sound_of(samples / "speech" / name)
        heard = sum(span.duration for span in find_speech([sound], VadOptions()))
        assert heard > 0.5 * len(sound) / SAMPLE_RATE, name


def test_silero_finds_speech_in_long_noise(samples: Path) -> None:
    random = np.random.default_rng(8)
    speech = sound_of(samples / "speech" / "leopard-en.flac")
    noise = (0.02 * random.normal(size=120 * SAMPLE_RATE)).astype(np.float32)
    noise[60 * SAMPLE_RATE : 60 * SAMPLE_RATE + len(speech)] += speech
    [span] = find_speech(in_pieces(noise, 480_000), VadOptions())
    assert Span(60.5, 65).clipped(span) == Span(60.5, 65)


def test_energy_is_told_from_a_background_of_any_loudness() -> None:
    random = np.random.default_rng(4)
    for background in (0.0, 0.001, 0.05):
        sound = (background * random.normal(size=30 * SAMPLE_RATE)).astype(np.float32)
        assert find_speech([sound], VadOptions(detector="energy")) == []
        sound[10 * SAMPLE_RATE : 13 * SAMPLE_RATE] += (0.3 * random.normal(size=3 * SAMPLE_RATE)).astype(np.float32)
        [span] = find_speech([sound], VadOptions(detector="energy", speech_pad_ms=0))
        assert (span.start, span.end) == pytest.approx((10, 13), abs=0.1)


def test_everything_is_speech_to_no_detector() -> None:
    assert find_speech([np.zeros(SAMPLE_RATE, np.float32)] * 3, VadOptions(detector="none")) == [Span(0, 3)]
    assert find_speech([], VadOptions(detector="none")) == []


def test_what_is_still_open_is_known() -> None:
    """Live input: windows may be placed up to where no further span can begin."""
    random = np.random.default_rng(2)
    listener = SpeechListener(EnergyDetector(), VadOptions(speech_pad_ms=0))
    noise = (0.001 * random.normal(size=10 * SAMPLE_RATE)).astype(np.float32)
    loud = (0.3 * random.normal(size=2 * SAMPLE_RATE)).astype(np.float32)
    assert listener.hear(noise) == []
    assert 10 - FRAME_SAMPLES / SAMPLE_RATE < listener.sure_until <= 10  # a piece of a frame is not judged yet
    assert listener.hear(loud) == []
    assert listener.sure_until == pytest.approx(10, abs=0.1)
    [span] = listener.hear(noise[: 3 * SAMPLE_RATE])
    assert (span.start, span.end) == pytest.approx((10, 12), abs=0.1)
    assert 15 - FRAME_SAMPLES / SAMPLE_RATE < listener.sure_until <= 15


def test_few_lengths_are_passed_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """OneDNN keeps something for each; a worker of a large batch grew by it with every recording."""
    network = silero._network()
    lengths: set[int] = set()

    class Watched:
        def __call__(self, heard: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]) -> object:
            lengths.add(len(heard))
            return network(heard, state)

    monkeypatch.setattr(silero, "_network", Watched)
    noise = np.random.default_rng(1).standard_normal((1100, FRAME_SAMPLES)).astype(np.float32) * np.float32(0.1)
    for n_frames in range(1, 1100, 37):
        assert len(SileroDetector().probabilities(noise[:n_frames])) == n_frames
    assert len(lengths) <= 11


def test_the_level_of_a_frame_is_the_same_in_any_company() -> None:
    frames_of_noise = np.random.default_rng(5).normal(size=(200, FRAME_SAMPLES)).astype(np.float32)
    alone = [levels_db(frames_of_noise[at : at + 1]) for at in range(200)]
    np.testing.assert_array_equal(levels_db(frames_of_noise), np.concatenate(alone))
    assert len(levels_db(frames_of_noise[:0])) == 0
