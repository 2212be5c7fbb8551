"""Windows laid over speech and read several at once."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from subwhisper.audio import Audio, Samples, Span
from subwhisper.engine import features
from subwhisper.engine.batched import LONGEST_STRETCH, BatchedPlan, clips_with_speech, pack
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions, VadOptions
from subwhisper.engine.transcriber import Transcriber
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.engine.windows import Window, whole_window

from .networks import micro_checkpoint

WHOLE = ((0, 100_000),)
T = 100  # the timestamp of 0.00 in hand-written tokens


def spans(*bounds: tuple[float, float]) -> list[Span]:
    return [Span(*pair) for pair in bounds]


@pytest.mark.parametrize(
    ("speech", "clips", "expected"),
    [
        pytest.param(spans(), WHOLE, [], id="nobody speaks"),
        pytest.param(spans((1, 3)), WHOLE, [(1, 3)], id="a window is as long as its speech"),
        pytest.param(spans((1, 3), (5, 20), (22, 28)), WHOLE, [(1, 28)], id="speech is packed"),
        pytest.param(spans((1, 3), (5, 20), (22, 31.5)), WHOLE, [(1, 20), (22, 31.5)], id="up to 30 s"),
        pytest.param(spans((1, 3), (8, 20)), WHOLE, [(1, 3), (8, 20)], id="a long silence parts"),
        pytest.param(spans((0, 30), (30, 60)), WHOLE, [(0, 30), (30, 60)], id="full windows"),
        pytest.param(spans((0, 50)), WHOLE, [(0, 30), (30, 50)], id="speech that nobody has cut"),
        pytest.param(spans((1, 9), (10, 14)), ((0, 500), (1200, 1300)), [(1, 5), (12, 13)], id="clips"),
        pytest.param(spans((1, 9)), ((2000, 3000),), [], id="nobody speaks in the clip"),
        pytest.param(spans((0.123, 1.456)), WHOLE, [(0.12, 1.46)], id="whole frames around it"),
    ],
)
def test_windows_are_laid_over_speech(
    speech: list[Span], clips: tuple[tuple[int, int], ...], expected: list[tuple[float, float]]
) -> None:
    windows = list(pack(speech, clips, window_frames=3000))
    assert [(window.first / 100, window.end_frame / 100) for window in windows] == expected


def test_all_speech_lies_in_windows_and_no_window_is_too_long() -> None:
    random = np.random.default_rng(6)
    for _ in range(50):
        edges = np.cumsum(random.uniform(0.05, 7, 200))
        speech = spans(*zip(edges[::2], edges[1::2], strict=True))
        windows = list(pack(speech, WHOLE, window_frames=1000))
        covered = SpeechMap([Span(w.first / 100, w.end_frame / 100) for w in windows])
        assert all(0 < window.n_frames <= 1000 for window in windows)
        assert all(covered.seconds_in(span) == pytest.approx(span.duration, abs=1e-4) for span in speech)


def test_the_sequential_plan_reads_where_someone_speaks() -> None:
    speech = SpeechMap(spans((1, 3), (5, 20), (40, 50)))
    assert clips_with_speech(WHOLE, speech) == ((100, 2000), (4000, 5000))


def test_batches_are_of_the_size_asked_for_and_lie_close_together() -> None:
    windows = [Window(first * 3000, 3000) for first in range(7)]
    far = Window(round(LONGEST_STRETCH * 100) + 40_000, 3000)
    plan = BatchedPlan([*windows, far], batch_size=3)
    sizes = []
    while batch := plan.upcoming():
        sizes.append(len(batch))
    assert sizes == [3, 3, 1, 1]


def test_the_text_of_a_window_that_nothing_goes_on_from_is_kept_whole() -> None:
    window = Window(1000, 500)  # 10 to 15 s
    tokens = [T, 1, T + 50, T + 60, 2, 3]
    split = whole_window(tokens, window, T)
    assert [(p.start, pytest.approx(p.end), p.tokens) for p in split.pieces] == [
        (10.0, 11.0, (T, 1, T + 50)),
        (11.2, 15.0, (T + 60, 2, 3)),
    ]
    assert split.next_frame == 1500
    beyond = whole_window([T, 1, T + 400], window, T)  # 8 s into a window of 5
    assert beyond.pieces[0].end == 15.0


BATCHED = TranscribeOptions(
    plan="batched",
    vad=VadOptions(detector="none"),
    decode=DecodeOptions(beam_size=1, best_of=2, sample_len=16),
    fallback=FallbackOptions(temperatures=(0.0, 0.8)),
)


def noise(seconds: float) -> Audio:
    random = np.random.default_rng(11)
    loudness = np.repeat(random.uniform(0.01, 0.3, round(seconds * 4)), 4000)
    return Audio((loudness * random.normal(size=len(loudness))).astype(np.float32))


@pytest.fixture(scope="module")
def english() -> Transcriber:
    return Transcriber(micro_checkpoint(), device="cpu", compute="float32")


@pytest.mark.parametrize("compute", ["float32", "bfloat16", "int8"])
@pytest.mark.parametrize("beam_size", [1, 3])
def test_batched_equals_one_by_one(compute: str, beam_size: int) -> None:
    model = Transcriber(micro_checkpoint(), device="cpu", compute=compute)
    options = replace(BATCHED, decode=replace(BATCHED.decode, beam_size=beam_size))
    alone, together = (
        model.transcribe(noise(13), replace(options, batch_size=size, word_timestamps=True)) for size in (1, 8)
    )
    assert len({segment.seek for segment in alone.segments}) >= 7
    assert {segment.quality.temperature for segment in alone.segments if segment.quality} != {0.0}
    assert [s.tokens for s in together.segments] == [s.tokens for s in alone.segments]
    assert [w.start for w in together.words()] == [w.start for w in alone.words()]


def test_windows_without_a_detector_cover_everything(english: Transcriber) -> None:
    """They are cut where it is quiet, none is longer than the network can hear, and none overlaps another."""
    progress: list[float] = []
    english.transcribe(noise(9), BATCHED, on_progress=lambda p: progress.append(p.position))
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(9, abs=0.01)
    assert len(progress) >= 5


def test_segments_come_batch_by_batch_and_in_order(english: Transcriber) -> None:
    options = replace(BATCHED, batch_size=2)
    transcript = english.transcribe(noise(9), options)
    starts = [segment.start for segment in transcript.segments]
    assert starts == sorted(starts)
    assert next(english.segments(noise(9), options)) == transcript.segments[0]


def test_only_clips_are_read_in_batches_too(english: Transcriber) -> None:
    transcript = english.transcribe(noise(9), replace(BATCHED, clip_timestamps=(1.0, 2.5, 6.0)))
    assert all(100 <= s.seek < 250 or 600 <= s.seek < 900 for s in transcript.segments)
    assert transcript.segments


def test_an_initial_prompt_stands_before_every_window(english: Transcriber) -> None:
    alone, told = (english.transcribe(noise(9), replace(BATCHED, initial_prompt=prompt)) for prompt in (None, "Names"))
    seeks = {segment.seek for segment in alone.segments} & {segment.seek for segment in told.segments}
    assert len(seeks) > 3
    for seek in seeks:
        assert [s.tokens for s in alone.segments if s.seek == seek] != [
            s.tokens for s in told.segments if s.seek == seek
        ]


class Counted:
    """A recording that tells how often it has been read from the start."""

    def __init__(self, audio: Audio) -> None:
        self.audio, self.n_readings = audio, 0

    def blocks(self) -> Iterator[Samples]:
        self.n_readings += 1
        for at in range(0, len(self.audio.samples), 8000):
            yield self.audio.samples[at : at + 8000]


@pytest.mark.parametrize(("kept_seconds", "n_readings"), [(20, 1), (19, 2)])
def test_a_long_recording_is_read_twice(
    english: Transcriber, monkeypatch: pytest.MonkeyPatch, kept_seconds: int, n_readings: int
) -> None:
    monkeypatch.setattr(features, "KEPT_SECONDS", kept_seconds)
    audio = Counted(noise(20))
    english.transcribe(audio, BATCHED)
    assert audio.n_readings == n_readings


def test_silence_gives_an_empty_transcript(english: Transcriber) -> None:
    for plan in ("batched", "sequential"):
        options = replace(BATCHED, plan=plan, vad=VadOptions())
        transcript = english.transcribe(Audio(np.zeros(100_000, np.float32)), options)
        assert transcript.segments == ()
        assert transcript.duration == 6.25
