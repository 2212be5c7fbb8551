"""A step of fixed shapes gives the numbers of the plain one, and what is recorded of it is never replayed for another.

What records here is a stand-in on the processor; tests/engine/test_gpus.py has CUDA's, where there is a device.
"""

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import SimpleNamespace
from typing import Any
from weakref import ref

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from subwhisper.model import graphs
from subwhisper.model.cache import KeyValueCache
from subwhisper.model.dims import ModelDims
from subwhisper.model.fixed_step import FixedStep
from subwhisper.model.fusion import fuse, shorten
from subwhisper.model.graphs import CudaRecorder, RecordingDecoder, Step, recording
from subwhisper.model.quantization import quantize
from subwhisper.model.whisper import Whisper

DIMS = ModelDims(80, 60, 64, 2, 1, 600, 40, 64, 2, 2)
N_WINDOWS = 3


class Notebook:
    """Records on the processor: the step again, with another step's numbers if it is told so."""

    def __init__(self, *, wrong: float = 0.0, error: Exception | None = None) -> None:
        self.is_trusted = False
        self.n_taken = self.n_recorded = self.n_replayed = 0
        self._wrong, self._error = wrong, error

    def take(self, step: Step) -> Tensor:
        self.n_taken += 1
        return step()

    def record(self, step: Step) -> Step:
        self.n_recorded += 1
        if self._error:
            raise self._error

        def replay() -> Tensor:
            self.n_replayed += 1
            return step() + self._wrong

        return replay


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(graphs, "_given_up", Event())
    with torch.inference_mode():
        yield


def plain_network(*, short: bool = True) -> Whisper:
    torch.manual_seed(3)
    made = Whisper(DIMS).eval().requires_grad_(False)
    for weights in made.parameters():
        weights.normal_(std=0.2)
    if short:
        fuse(made.decoder)
        shorten(made)
    return made


def recorded(plain: Whisper, recorder: Notebook) -> Whisper:
    made = copy.copy(plain)
    made._modules = {**plain._modules, "decoder": RecordingDecoder(plain.decoder, recorder)}
    return made


def features() -> Tensor:
    return torch.randn(N_WINDOWS, 60, 64, generator=torch.Generator().manual_seed(4))


class Pair:
    """A network and the same one recorded, fed with the same tokens."""

    def __init__(self, recorder: Notebook, *, short: bool = True, rows_per_window: int = 1, filled: bool = False):
        plain = plain_network(short=short)
        self.networks = plain, recorded(plain, recorder)
        n_rows = N_WINDOWS * rows_per_window
        filler = torch.arange(n_rows) % 3 if filled else None
        self.caches = [
            one.start(one.hear(features()), rows_per_window=rows_per_window, filler=filler) for one in self.networks
        ]
        self._random = torch.Generator().manual_seed(5)

    def read(self, n_tokens: int = 1) -> None:
        """Read tokens, which must come to the same logits."""
        tokens = torch.randint(600, (self.caches[0].known.shape[2], n_tokens), generator=self._random)
        expected, found = (one.decode(tokens, cache) for one, cache in zip(self.networks, self.caches, strict=True))
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        assert float(expected.std()) > 0.1

    def do(self, change: Callable[[KeyValueCache], None]) -> None:
        for cache in self.caches:
            change(cache)


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("rows_per_window", [1, 3])
@pytest.mark.parametrize("short", [False, True])
def test_recorded_steps_give_the_numbers_of_plain_ones(short: bool, rows_per_window: int, filled: bool) -> None:
    recorder = Notebook()
    pair = Pair(recorder, short=short, rows_per_window=rows_per_window, filled=filled)
    pair.read(4)
    for _ in range(20):
        pair.read()
    pair.read(3)
    pair.read()
    assert (recorder.n_taken, recorder.n_recorded) == (1, 1)
    assert recorder.n_replayed == 21  # of 21 steps all but the first, and once to see what it is worth


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("short", [False, True])
def test_a_recording_is_made_anew_when_rows_come_or_leave_and_only_then(short: bool, filled: bool) -> None:
    recorder = Notebook()
    pair = Pair(recorder, short=short, filled=filled)
    pair.read(4)
    pair.do(lambda cache: cache.widen(2))
    for _ in range(3):
        pair.read()
    pair.do(lambda cache: cache.reorder(torch.tensor([1, 0, 2, 2, 5, 4])))
    for _ in range(3):
        pair.read()
    assert recorder.n_recorded == 1
    for kept, n_recorded in (([2, 3, 4, 5], 2), ([2, 3], 3)):
        pair.do(lambda cache, rows=kept: cache.keep(torch.tensor(rows)))
        for _ in range(3):
            pair.read()
        pair.do(lambda cache: cache.reorder(torch.tensor([1, 1, *range(2, cache.known.shape[2])])))
        pair.read()
        assert recorder.n_recorded == n_recorded
    pair.do(lambda cache: cache.widen(2))
    for _ in range(3):
        pair.read()
    assert recorder.n_recorded == 4


class Log(TorchDispatchMode):
    """Every operation with the shapes it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = tree_map_only(Tensor, lambda one: (one.shape, one.stride()), (args, kwargs))
        self.operations.append(f"{func} {given}")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("int8", [False, True])
def test_every_step_is_the_same_operations_and_none_asks_the_device(int8: bool, filled: bool) -> None:
    plain = plain_network(short=False)
    fuse(plain.decoder)
    if int8:
        quantize(plain, torch.device("cuda"))
    shorten(plain)
    filler = torch.arange(2 * N_WINDOWS) % 3 if filled else None
    cache = plain.start(plain.hear(features()), rows_per_window=2, filler=filler)
    step = FixedStep(plain.decoder, cache)
    seen = []
    for position in (4, 5, 6, 17):
        step.aim(torch.full((2 * N_WINDOWS, 1), position), position)
        with Log() as log:
            step()
        seen.append(log.operations)
    assert seen[1] == seen[2] == seen[3]  # the first is taken before a recording
    asking = ("_local_scalar_dense", "nonzero", "aten.equal", "_to_copy", "aten.item")
    assert [said for said in seen[1] if any(word in said.split()[0] for word in asking)] == []


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_step_keeps_to_the_precision_of_the_network(dtype: torch.dtype) -> None:
    plain = plain_network().to(dtype)
    shorten(plain)  # it holds the weights of before
    network = recorded(plain, Notebook())
    caches = [one.start(one.hear(features().to(dtype)), rows_per_window=2) for one in (plain, network)]
    for n_tokens in (4, 1, 1, 1):
        tokens = torch.randint(600, (2 * N_WINDOWS, n_tokens), generator=torch.Generator().manual_seed(n_tokens))
        expected, found = (one.decode(tokens, cache) for one, cache in zip((plain, network), caches, strict=True))
        assert caches[1].known.dtype == dtype
        assert (found - expected).norm() <= 4 * torch.finfo(dtype).eps * expected.norm()


def test_a_step_is_the_same_again_until_it_is_aimed_elsewhere() -> None:
    plain = plain_network()
    cache = plain.start(plain.hear(features()))
    plain.decode(torch.randint(600, (N_WINDOWS, 4)), cache)
    step = FixedStep(plain.decoder, cache)
    step.aim(torch.full((N_WINDOWS, 1), 7), 4)
    assert torch.equal(step(), step())


def test_a_single_step_is_not_recorded() -> None:
    recorder = Notebook()
    pair = Pair(recorder)
    pair.read(1)
    assert (recorder.n_taken, recorder.n_recorded) == (1, 0)


def test_a_recording_goes_with_its_cache() -> None:
    """Memory of a card must not wait for Python's collector of cycles."""
    pair = Pair(Notebook())
    for _ in range(3):
        pair.read()
    cache = ref(pair.caches.pop())
    assert cache() is None


def test_nothing_is_recorded_where_gradients_may_be_wanted() -> None:
    recorder = Notebook()
    with torch.inference_mode(mode=False), torch.no_grad():
        pair = Pair(recorder)
        for _ in range(3):
            pair.read()
    assert (recorder.n_taken, recorder.n_recorded) == (0, 0)


def test_positions_that_the_decoder_does_not_know_are_refused_as_before() -> None:
    plain = plain_network()
    network = recorded(plain, Notebook())
    cache = network.start(network.hear(features()), capacity=50)
    for _ in range(40):
        network.decode(torch.zeros(N_WINDOWS, 1, dtype=torch.long), cache)
    with pytest.raises(ValueError, match="reads 40 tokens, 41 were given"):
        network.decode(torch.zeros(N_WINDOWS, 1, dtype=torch.long), cache)
    cache = network.start(network.hear(features()), capacity=5)
    for _ in range(5):
        network.decode(torch.zeros(N_WINDOWS, 1, dtype=torch.long), cache)
    with pytest.raises(ValueError, match="holds 5 tokens, 6 were asked for"):
        network.decode(torch.zeros(N_WINDOWS, 1, dtype=torch.long), cache)


@pytest.mark.parametrize(
    ("recorder", "reason"),
    [
        (Notebook(error=RuntimeError("not permitted\nwhile a stream is capturing")), "not permitted"),
        (Notebook(wrong=0.1), "a replay gave other numbers than the step"),
        (Notebook(wrong=float("nan")), "a replay gave other numbers than the step"),
    ],
)
def test_recordings_that_fail_are_given_up_with_one_warning(
    recorder: Notebook, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            pair = Pair(recorder)
            pair.read(4)
            for _ in range(4):
                pair.read()
            pair.do(lambda cache: cache.keep(torch.tensor([0, 2])))
            for _ in range(4):
                pair.read()
    assert caplog.messages == [f"CUDA graphs are off, and steps are taken one by one: {reason}"]
    assert recorder.n_recorded == 1


def test_a_lack_of_memory_is_not_taken_for_a_failure_of_recordings() -> None:
    pair = Pair(Notebook(error=torch.OutOfMemoryError("CUDA out of memory.")))
    pair.read()
    with pytest.raises(torch.OutOfMemoryError):
        pair.read()
    assert not graphs._given_up.is_set()


def test_only_cuda_records_and_not_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = plain_network().decoder
    assert recording(decoder, torch.device("cpu")) is decoder
    assert recording(decoder, torch.device("mps")) is decoder
    monkeypatch.setenv("SUBWHISPER_GRAPHS", "0")
    assert recording(decoder, torch.device("cuda")) is decoder


class StubbedCuda:
    """As much of torch.cuda as the recorder uses; tells in which order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.current: Any = self.stream("main")
        self.fails = False

    def stream(self, name: str) -> SimpleNamespace:
        def wait_stream(other: SimpleNamespace) -> None:
            self.done.append(f"{name} waits for {other.name}")

        return SimpleNamespace(name=name, device="cuda", wait_stream=wait_stream)

    @contextmanager
    def using(self, stream: SimpleNamespace) -> Iterator[None]:
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def graph(self, graph: Any, pool: Any, stream: Any, *, capture_error_mode: str) -> Iterator[None]:
        assert self.current is stream
        assert capture_error_mode == "thread_local"
        self.done.append(f"record in {pool}")
        yield
        if self.fails:
            raise RuntimeError("not permitted")

    def new_graph(self) -> SimpleNamespace:
        return SimpleNamespace(pool=lambda: "the same pool", replay=lambda: self.done.append("replay"))


def test_the_cuda_recorder_keeps_to_its_stream_and_its_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = StubbedCuda()
    for name, stub in {
        "Stream": lambda device: cuda.stream("side"),
        "stream": cuda.using,
        "current_stream": lambda device: cuda.current,
        "graph": cuda.graph,
        "CUDAGraph": cuda.new_graph,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stub)
    recorder = CudaRecorder(torch.device("cuda"))
    logits = torch.ones(2, 1, 5)

    def step() -> Tensor:
        cuda.done.append(f"step on {cuda.current.name}")
        return logits

    aside = ["side waits for main", "step on side", "main waits for side"]
    assert recorder.take(step) is logits
    assert cuda.done == aside
    for pool in ("None", "the same pool"):
        cuda.done.clear()
        replay = recorder.record(step)
        assert cuda.done == [aside[0], f"record in {pool}", *aside[1:]]
    given = replay()
    given.zero_()
    assert cuda.done[-1] == "replay"
    assert float(logits.sum()) == 10  # what is done with the logits leaves the recorded ones alone
    cuda.fails = True
    with pytest.raises(RuntimeError, match="not permitted"):
        recorder.record(step)
    assert cuda.current.name == "main"
