"""A decoder for CUDA devices that has its step recorded (a CUDA graph) and replayed.

A step of a single token is hundreds of short operations, and starting them takes longer than they do; a replay starts
all of them at once. The first such step with a cache is taken as it is: whatever the device readies at first use is
ready then. The second is recorded, all others are replays. A recording holds for the store of one cache as it lies, so
it belongs to the cache, and goes when rows are added or leave.

Where a recording cannot be made, or gives other numbers than the step, one warning is logged and the process goes on
without. `SUBWHISPER_GRAPHS=0` goes without from the start.

Tried on processors, with a stand-in for the recorder; not yet on a card.

Shapes: R decoder rows, V vocabulary.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock
from typing import Protocol

import torch
from torch import Tensor, nn

from subwhisper.model.cache import KeyValueCache
from subwhisper.model.fixed_step import FixedStep
from subwhisper.model.whisper import Decoder

Step = Callable[[], Tensor]
"""Reads what lies ready and gives (R, 1, V) logits."""

_log = logging.getLogger(__name__)
_given_up = Event()
_ONE_AT_A_TIME = Lock()  # recordings share memory for what they compute on the way


class Recorder(Protocol):
    """Takes steps, and records them."""

    is_trusted: bool
    """Whether a recording of its has been compared with the step."""

    def take(self, step: Step) -> Tensor:
        """Take a step in the way in which it will be recorded."""
        ...

    def record(self, step: Step) -> Step:
        """Record a step that has been taken; what comes back does it again.

        Raises:
            RuntimeError: it cannot be recorded.
        """
        ...


class CudaRecorder:
    """Records with CUDA graphs, on a stream of its own.

    Source: torch's notes on CUDA semantics, "CUDA Graphs": steps are taken on a side stream before they are recorded,
    and graphs that are never replayed at once share one pool of memory.
    """

    def __init__(self, device: torch.device) -> None:
        self.is_trusted = False
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._latest: torch.cuda.CUDAGraph | None = None  # a pool lasts no longer than the last of its graphs

    def take(self, step: Step) -> Tensor:
        with self._aside():
            return step()

    def record(self, step: Step) -> Step:
        graph = torch.cuda.CUDAGraph()
        pool = None if self._latest is None else self._latest.pool()
        # other threads may go on using the device meanwhile
        with self._aside(), torch.cuda.graph(graph, pool, self._stream, capture_error_mode="thread_local"):
            logits = step()
        self._latest = graph

        def replay() -> Tensor:
            graph.replay()
            return logits.clone()  # the next replay writes to the same place

        return replay

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Use the side stream after all that was begun before, and let all that comes later wait for it.

        So what it gives may be read, and freed, like anything else: the memory is not written to before.
        """
        now = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(now)
        try:
            with torch.cuda.stream(self._stream):  # `torch.cuda.graph` does not leave it when recording fails
                yield
        finally:
            now.wait_stream(self._stream)


class RecordedStep:
    """The step of one cache: taken once, recorded, and replayed from then on."""

    def __init__(self, step: FixedStep, recorder: Recorder) -> None:
        self._step, self._recorder = step, recorder
        self._was_taken = False
        self._replay: Step | None = None

    def __call__(self, tokens: Tensor, position: int) -> Tensor:
        """(R, 1, V) logits of what follows (R, 1) tokens, which come at this position."""
        self._step.aim(tokens, position)
        if self._replay is None:
            if not self._was_taken:  # there may be no other, as when a language is recognised
                self._was_taken = True
                return self._recorder.take(self._step)
            self._replay = self._recorded()
        return self._replay()

    def _recorded(self) -> Step:
        """The recording; the step itself where there is none to be trusted."""
        try:
            replay = self._recorder.record(self._step)
        except torch.OutOfMemoryError:  # fewer windows at once may do, and whoever reads them knows how
            raise
        except RuntimeError as error:
            return self._without(str(error).strip().partition("\n")[0])
        if not self._recorder.is_trusted:
            if not _agree(replay(), self._step(), self._step.dtype):
                return self._without("a replay gave other numbers than the step")
            self._recorder.is_trusted = True
        return replay

    def _without(self, reason: str) -> Step:
        if not _given_up.is_set():
            _given_up.set()
            _log.warning("CUDA graphs are off, and steps are taken one by one: %s", reason)
        return self._step


class RecordingDecoder(Decoder):
    """Takes over the layers of a decoder, and has its single steps recorded."""

    def __init__(self, plain: Decoder, recorder: Recorder) -> None:
        nn.Module.__init__(self)
        self.token_embedding, self.positional_embedding = plain.token_embedding, plain.positional_embedding
        self.blocks, self.ln = plain.blocks, plain.ln
        self._recorder = recorder

    def read(self, tokens: Tensor, cache: KeyValueCache, at: Sequence[int] | None = None) -> Tensor:
        if tokens.shape[-1] > 1 or at is not None or not self._may_record(cache):
            return super().read(tokens, cache, at)
        cache.need(1)
        if cache.step is None:
            cache.step = RecordedStep(FixedStep(self, cache), self._recorder)
        with _ONE_AT_A_TIME:
            logits = cache.step(tokens, cache.length)
        cache.advance(1)
        return logits

    def _may_record(self, cache: KeyValueCache) -> bool:
        """Whether steps can be replayed: no gradients, and no position that the decoder does not know."""
        has_places = cache.capacity <= len(self.positional_embedding)
        return has_places and torch.is_inference_mode_enabled() and not _given_up.is_set()


def recording(decoder: Decoder, device: torch.device) -> Decoder:
    """The decoder with its steps recorded, on a CUDA device where they are wanted; else the decoder itself."""
    if device.type != "cuda" or os.environ.get("SUBWHISPER_GRAPHS") == "0":
        return decoder
    return RecordingDecoder(decoder, CudaRecorder(device))


def _agree(found: Tensor, expected: Tensor, dtype: torch.dtype) -> bool:
    """Whether logits are the same in the upper half of the digits that a precision has."""
    allowed = torch.finfo(dtype).eps ** 0.5 * expected.abs().max()
    return bool((found - expected).abs().max() <= allowed)
