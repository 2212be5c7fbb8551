"""What is given up, and in which order, when memory runs out; and that reading goes on from there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from subwhisper.engine import memory, recording, speech_model
from subwhisper.engine.device import Placement, lack_of_memory
from subwhisper.engine.memory import Load, MemoryLadder
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import ModelError
from subwhisper.model.whisper import Whisper
from subwhisper.transcript import Quality, Segment

from .networks import micro_checkpoint
from .test_batched import BATCHED, noise
from .test_window_store import Memory

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nSee the manual.")


def loads(device: str, compute: str, batch: int) -> list[tuple[int, str, str]]:
    """Everything that is tried, one after the other."""
    load: Load | None = Load(Placement(torch.device(device), compute), batch)  # type: ignore[arg-type]
    tried = []
    while load is not None:
        tried.append((load.batch, load.placement.compute, load.placement.device.type))
        load = load.lighter()
    return tried


def test_the_batch_goes_first_then_the_precision_then_the_device() -> None:
    on_cuda = [(1, "float32", "cuda"), (1, "float16", "cuda"), (1, "int8", "cuda")]
    assert loads("cuda", "float32", 4) == [(4, "float32", "cuda"), (2, "float32", "cuda"), *on_cuda, (1, "int8", "cpu")]
    assert [load[1] for load in loads("cpu", "float32", 1)] == ["float32", "bfloat16", "int8"]


def test_apples_gpus_have_no_8_bit_products() -> None:
    assert loads("mps", "float32", 1)[:2] == [(1, "float32", "mps"), (1, "float16", "mps")]
    assert loads("mps", "float32", 1)[2][2] == "cpu"


@pytest.fixture
def model() -> Transcriber:
    return Transcriber(micro_checkpoint(), device="cpu", compute="float32")


@pytest.mark.parametrize("error", [ValueError("out of memory"), RuntimeError("shapes differ"), KeyError("x")])
def test_other_errors_are_not_swallowed(model: Transcriber, error: Exception) -> None:
    def work(some: Sequence[int]) -> Iterator[int]:
        raise error

    ladder = MemoryLadder(model.model, 8)
    with pytest.raises(type(error)) as caught:
        list(ladder.run(work, [1, 2]))
    assert caught.value is error
    assert ladder.steps == []


def test_what_is_done_stays_done() -> None:
    asked: list[Sequence[int]] = []

    def work(some: Sequence[int]) -> Iterator[int]:
        asked.append(some)
        for at, one in enumerate(some):
            if at == 2:
                raise FULL
            yield one

    ladder = MemoryLadder(Transcriber(micro_checkpoint(), device="cpu", compute="float32").model, 8)
    assert list(ladder.run(work, range(12))) == [*range(12)]
    assert [list(some) for some in asked[:3]] == [[*range(8)], [2, 3, 4], [4]]


def test_at_the_end_of_the_ladder_the_load_is_named(model: Transcriber) -> None:
    def work(some: Sequence[int]) -> Iterator[int]:
        raise FULL

    with pytest.raises(ModelError, match=r"not enough memory for 1 window at once in int8 on cpu: CUDA out of memory"):
        list(MemoryLadder(model.model, 1).run(work, [1]))


@pytest.mark.parametrize("said", ["unable to mmap 9 bytes: Cannot allocate memory (12)", "MPS backend out of memory"])
def test_complaints_of_others_are_understood(said: str) -> None:
    assert lack_of_memory(RuntimeError(f"{said}\nTry this.")) == said
    assert lack_of_memory(ValueError(said)) is None


def test_the_processors_own_complaint_is_understood() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert "memory" in (lack_of_memory(caught.value) or "")


class Little:
    """Memory for so many windows at once, and only in these precisions."""

    def __init__(self, model: Transcriber, *, most: int = 99, computes: Sequence[str] = ("float32",)) -> None:
        self._model, self._most, self._computes = model.model, most, computes
        self._encode, self._decode = self._model.network.encode, self._model.network.decode
        self.n_encoded = 0

    def encode(self, mels: Tensor) -> Tensor:
        if self._model.placement.compute not in self._computes:
            raise FULL
        self.n_encoded += len(mels)
        return self._encode(mels)

    def decode(self, tokens: Tensor, *more: object, **options: object) -> Tensor:
        if len(tokens) > self._most:
            raise MemoryError
        return self._decode(tokens, *more, **options)


@pytest.fixture
def little(model: Transcriber, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Little]:
    def make(**limits: object) -> Little:
        made = Little(model, **limits)  # type: ignore[arg-type]
        monkeypatch.setattr(model.model.network, "encode", made.encode)
        monkeypatch.setattr(model.model.network, "decode", made.decode)
        return made

    return make


OPTIONS = replace(BATCHED, batch_size=8, word_timestamps=True, fallback=replace(BATCHED.fallback, temperatures=(0.0,)))


def test_too_many_windows_at_once_are_read_fewer_at_once(model: Transcriber, little: Callable[..., Little]) -> None:
    unlimited = little()
    plenty = model.transcribe(noise(26), OPTIONS)
    n_windows = unlimited.n_encoded
    machine = little(most=3)
    scarce = model.transcribe(noise(26), OPTIONS)
    assert scarce.segments == plenty.segments
    assert scarce.provenance["gave_up"] == [
        "memory ran out with 8 windows at once in float32 on cpu; went on with 4 windows at once in float32 on cpu",
        "memory ran out with 4 windows at once in float32 on cpu; went on with 2 windows at once in float32 on cpu",
    ]
    assert plenty.provenance["gave_up"] == []
    assert n_windows > 12
    assert machine.n_encoded == n_windows + 8 + 4  # only those in flight are read again


def test_a_smaller_precision_is_taken_where_one_window_is_too_many(
    model: Transcriber, little: Callable[..., Little]
) -> None:
    reference = Transcriber(micro_checkpoint(), device="cpu", compute="bfloat16").transcribe(noise(9), OPTIONS)
    little(computes=("bfloat16",))
    found = model.transcribe(noise(9), OPTIONS)
    assert [segment.tokens for segment in found.segments] == [segment.tokens for segment in reference.segments]
    assert found.provenance["compute"] == "bfloat16"
    assert found.provenance["gave_up"][-1].endswith("went on with 1 window at once in bfloat16 on cpu")
    [told] = model.transcribe(noise(5), OPTIONS).provenance["gave_up"]
    assert told == "memory had run out before; began with 8 windows at once in bfloat16 on cpu"


def test_whole_numbers_are_the_last_resort(model: Transcriber, little: Callable[..., Little]) -> None:
    little(computes=("int8",))
    found = model.transcribe(noise(5), OPTIONS)
    assert found.segments
    assert found.provenance["compute"] == "int8"


def test_the_language_is_heard_with_little_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Transcriber(micro_checkpoint(languages=("en", "de")), device="cpu", compute="float32")
    machine = Little(model, computes=("bfloat16",))
    monkeypatch.setattr(model.model.network, "encode", machine.encode)
    found = model.transcribe(noise(5), OPTIONS)
    assert found.language in ("en", "de")
    assert len(found.provenance["gave_up"]) == 1


def test_what_was_given_up_is_told_when_the_work_goes_on_another_day(
    model: Transcriber, little: Callable[..., Little]
) -> None:
    little(most=3)
    store = Memory()
    first = model.transcribe(noise(26), OPTIONS, windows=store)
    again = model.transcribe(noise(26), OPTIONS, windows=store)
    assert again == first
    assert len(again.provenance["gave_up"]) == 2


def room_for(monkeypatch: pytest.MonkeyPatch, *computes: str) -> None:
    """Memory for the layers of a network in these precisions only."""
    ready = speech_model.ready

    def prepared(network: Whisper, placement: Placement, fingerprint: str) -> Whisper:
        if placement.compute not in computes:
            raise FULL
        return ready(network, placement, fingerprint)

    monkeypatch.setattr(speech_model, "ready", prepared)


def test_a_model_too_large_for_the_memory_is_loaded_in_a_smaller_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Transcriber(micro_checkpoint(), device="cpu", compute="int8").transcribe(noise(5), OPTIONS)
    room_for(monkeypatch, "int8")
    found = Transcriber(micro_checkpoint(), device="cpu", compute="float32").transcribe(noise(5), OPTIONS)
    assert [segment.tokens for segment in found.segments] == [segment.tokens for segment in expected.segments]
    assert found.provenance["compute"] == "int8"
    assert found.provenance["gave_up"] == ["memory had run out before; began with 8 windows at once in int8 on cpu"]


def test_a_model_too_large_for_any_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    room_for(monkeypatch)
    with pytest.raises(ModelError, match=r"not enough memory for the model micro: CUDA out of memory.*smaller model"):
        Transcriber(micro_checkpoint(), device="cpu", compute="float32")


def test_a_model_that_cannot_be_moved_either_goes_one_step_further(
    model: Transcriber, little: Callable[..., Little], monkeypatch: pytest.MonkeyPatch
) -> None:
    little(computes=("int8",))
    room_for(monkeypatch, "int8")  # on the way there bfloat16 is tried, and the layers do not fit
    found = model.transcribe(noise(5), OPTIONS)
    assert found.segments
    assert [step.rpartition("in ")[2] for step in found.provenance["gave_up"]][-2:] == [
        "bfloat16 on cpu",
        "int8 on cpu",
    ]


def test_a_model_that_fitted_nowhere_is_tried_again_with_the_next_recording(
    model: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(model.model.network, "encode", Little(model, computes=()).encode)
        room_for(full)
        with pytest.raises(ModelError, match="not enough memory for 1 window at once in int8 on cpu"):
            model.transcribe(noise(5), OPTIONS)
    found = model.transcribe(noise(5), OPTIONS)  # other programs have been closed
    assert found.segments
    assert found.provenance["compute"] == "int8"


def test_a_language_is_detected_with_little_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Transcriber(micro_checkpoint(languages=("en", "de")), device="cpu", compute="float32")
    monkeypatch.setattr(model.model.network, "encode", Little(model, computes=("bfloat16",)).encode)
    assert model.hear_language(noise(5)).language in ("en", "de")
    assert model.model.placement.compute == "bfloat16"


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc to look into")
def test_what_has_been_freed_is_returned() -> None:
    """Holes between what stays were kept: a long recording took more and more."""
    pieces = [bytearray(100_000) for _ in range(1000)]  # too small to be mapped alone
    stays = pieces[::50]
    full = resident()
    del pieces
    memory.give_back()
    if memory._trim() is None:
        pytest.skip("this C library has no function for it")
    assert full - resident() > 60_000_000
    assert len(stays) == 20


def test_long_recordings_are_tidied_up_after(monkeypatch: pytest.MonkeyPatch) -> None:
    tidied: list[None] = []
    monkeypatch.setattr(recording, "give_back", lambda: tidied.append(None))
    monkeypatch.setattr(recording, "_TIDY_EVERY", 10.0)
    Transcriber(micro_checkpoint(), device="cpu").transcribe(noise(26), OPTIONS)
    assert 1 <= len(tidied) <= 2


def test_equal_parts_of_segments_are_held_once(model: Transcriber) -> None:
    """Ten hours of speech say the same words again and again."""
    segments = model.transcribe(noise(26), OPTIONS).segments
    words = [word for segment in segments for word in segment.words]
    parts = [*(word.text for word in words), *(token for segment in segments for token in segment.tokens)]
    assert len(parts) > len(set(parts)) == len({id(part) for part in parts})
    inside = [time for word in segments[0].words for time in (word.start, word.end)]
    assert len({id(time) for time in inside}) == len(set(inside))


def test_a_window_has_one_quality() -> None:
    sharing = memory.Sharing()
    first, second, other = (Segment(0, 1, "a", quality=Quality(logprob, 1, 0)) for logprob in (-0.5, -0.5, -0.6))
    assert first.quality is not second.quality
    kept = [sharing.shared(segment) for segment in (first, second, other)]
    assert kept == [first, second, other]
    assert kept[0].quality is kept[1].quality is not kept[2].quality
