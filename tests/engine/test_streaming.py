"""Sound that comes block by block."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from subwhisper.audio import SAMPLE_RATE, Audio, Samples
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions, VadOptions
from subwhisper.engine.streaming import stretches
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import OptionError

from .networks import micro_checkpoint

ENERGY = VadOptions(detector="energy", min_silence_duration_ms=300, speech_pad_ms=100)


def bursts(*loud: tuple[float, float], seconds: float) -> Samples:
    """Noise that is loud in some places."""
    random = np.random.default_rng(3)
    sound = 0.001 * random.normal(size=round(seconds * SAMPLE_RATE))
    for start, end in loud:
        sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] *= 200
    return sound.astype(np.float32)


def in_blocks(sound: Samples, size: int, taken: list[int] | None = None) -> Iterator[Samples]:
    for at in range(0, len(sound), size):
        if taken is not None:
            taken.append(at)
        yield sound[at : at + size]


@pytest.mark.parametrize("size", [7, 1600, 5003, 200_000])
def test_stretches_are_the_sound_itself_whatever_the_blocks(size: int) -> None:
    sound = bursts((2, 3), (5, 6.5), (7.5, 8), seconds=10)
    found = list(stretches(in_blocks(sound, size), ENERGY, longest=5.0))
    assert [stretch.start for stretch in found] == pytest.approx([1.9, 4.9, 7.4], abs=0.1)
    for stretch in found:
        piece = stretch.audio.samples
        np.testing.assert_array_equal(piece, sound[stretch.first : stretch.first + len(piece)])


def test_a_stretch_comes_as_soon_as_the_pause_behind_it_is_long_enough() -> None:
    taken: list[int] = []
    sound = bursts((2, 3), seconds=60)
    next(stretches(in_blocks(sound, 1600, taken), ENERGY, longest=5.0))
    assert len(taken) * 0.1 < 4  # of 60 seconds


def test_empty_blocks_are_no_end() -> None:
    sound = bursts((1, 2), seconds=4)
    blocks = [part for block in in_blocks(sound, 1000) for part in (block, block[:0])]
    found, expected = (list(stretches(some, ENERGY, longest=5.0)) for some in (blocks, [sound]))
    assert [stretch.first for stretch in found] == [stretch.first for stretch in expected]
    assert len(found) == 1


def test_hours_of_stream_need_no_more_memory_than_minutes() -> None:
    def blocks() -> Iterator[Samples]:
        for at in range(3000):  # five minutes
            yield ((0.1 if at % 70 else 0.0) * random.normal(size=1600)).astype(np.float32)

    random = np.random.default_rng(4)
    tracemalloc.start()
    n_stretches = sum(1 for _ in stretches(blocks(), VadOptions(detector="none"), longest=5.0))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_stretches > 60
    assert most < 4_000_000  # five minutes of sound are nineteen million bytes


def test_speech_without_end_is_cut_into_windows() -> None:
    sound = bursts((1, 21), seconds=20)
    found = list(stretches(in_blocks(sound, 1600), VadOptions(detector="none"), longest=5.0))
    assert len(found) >= 4
    assert all(stretch.audio.duration <= 5.0 for stretch in found)
    # each begins and ends with a frame of mel
    assert sum(stretch.audio.duration for stretch in found) == pytest.approx(20, abs=0.01 * len(found))


OPTIONS = TranscribeOptions(
    vad=VadOptions(detector="none"),
    decode=DecodeOptions(beam_size=1, sample_len=12),
    fallback=FallbackOptions(temperatures=(0.0,)),
)


@pytest.fixture(scope="module")
def english() -> Transcriber:
    return Transcriber(micro_checkpoint(), device="cpu")


def test_segments_come_while_the_stream_goes_on(english: Transcriber) -> None:
    taken: list[int] = []
    found = english.stream(in_blocks(bursts((0, 20), seconds=20), 1600, taken), replace(OPTIONS, word_timestamps=True))
    first = next(found)
    assert len(taken) * 0.1 < 3  # windows of this network last two seconds
    segments = [first, *found]
    starts = [segment.start for segment in segments]
    assert starts == sorted(starts)
    assert 18 < segments[-1].end <= 20.1
    assert {segment.seek for segment in segments} >= {0}
    assert all(abs(segment.start - segment.seek / 100) <= 2 for segment in segments)


def test_blocks_of_any_size_give_the_same_text(english: Transcriber) -> None:
    sound = bursts((0, 9), seconds=9)
    texts = [[s.tokens for s in english.stream(in_blocks(sound, size), OPTIONS)] for size in (1000, 7777, 300_000)]
    assert texts[0] == texts[1] == texts[2]


def test_a_stream_says_what_the_file_says(english: Transcriber) -> None:
    """To the token, where stretches are equally loud and lie too far apart to be read as one."""
    burst = bursts((0.5, 1.7), seconds=6.4)
    burst[: round(0.5 * SAMPLE_RATE)] = burst[round(1.7 * SAMPLE_RATE) :] = 0
    sound = np.tile(burst, 3)
    options = replace(OPTIONS, vad=ENERGY, word_timestamps=True)
    whole = english.transcribe(Audio(sound), options)
    assert len({segment.seek for segment in whole.segments}) == 3
    for size in (333, 100_000):
        streamed = list(english.stream(in_blocks(sound, size), options))
        assert [(s.seek, s.tokens) for s in streamed] == [(s.seek, s.tokens) for s in whole.segments]
        times, expected = ([w.start for s in some for w in s.words] for some in (streamed, whole.segments))
        assert times == pytest.approx(expected)


@pytest.mark.parametrize("options", [{"clip_timestamps": (1.0, 2.0)}, {"language": "de"}])
def test_what_a_stream_cannot_do_is_refused(english: Transcriber, options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        next(english.stream(iter(()), replace(OPTIONS, **options)))  # type: ignore[arg-type]


def test_nothing_gives_nothing(english: Transcriber) -> None:
    assert list(english.stream(iter(()), OPTIONS)) == []
