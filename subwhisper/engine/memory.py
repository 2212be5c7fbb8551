"""Keeping memory flat, and what to do when it runs out: fewer windows at once, a smaller precision, the processor.

The work goes on from the window it had reached. The model itself is changed, so whatever is read after that is read the
same way, in this recording and in the next.
"""

import ctypes
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

import torch

from subwhisper.engine.device import Placement, lack_of_memory
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.errors import ModelError
from subwhisper.transcript import Quality, Segment

_log = logging.getLogger(__name__)

Waiting = TypeVar("Waiting")
Done = TypeVar("Done")


def give_back() -> None:
    """Return to the system what has been freed.

    The C library keeps it for later. In hours of windows of all sizes, a little more is always kept than was used, in
    holes between what stays: some 20 MB an hour with the bundled model.
    """
    if trim := _trim():
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """The C library's own function, where it has one: glibc's."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # macOS and musl; Windows
        return None


class Sharing:
    """Holds equal parts of segments once: in ten hours of speech most words and tokens have been there before."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._tokens: dict[int, int] = {}
        self._quality: Quality | None = None

    def shared(self, segment: Segment) -> Segment:
        """The same segment, made of parts of those before it where it can be."""
        if segment.quality != self._quality:
            self._quality = segment.quality
        times: dict[float, float] = {}  # a word mostly begins where another ends
        start, end = (times.setdefault(time, time) for time in (segment.start, segment.end))
        words = tuple(
            replace(
                word,
                text=self._texts.setdefault(word.text, word.text),
                start=times.setdefault(word.start, word.start),
                end=times.setdefault(word.end, word.end),
            )
            for word in segment.words
        )
        tokens = tuple(self._tokens.setdefault(token, token) for token in segment.tokens)
        return replace(segment, start=start, end=end, tokens=tokens, words=words, quality=self._quality)


@dataclass(frozen=True, slots=True)
class Load:
    """How much is run at once, and where."""

    placement: Placement
    batch: int
    """Windows at once."""

    def __str__(self) -> str:
        windows = "1 window" if self.batch == 1 else f"{self.batch} windows"
        return f"{windows} at once in {self.placement}"

    def lighter(self) -> "Load | None":
        """The next smaller load: half the batch, then the next precision, then the processor; None if there is none."""
        if self.batch > 1:
            return replace(self, batch=self.batch // 2)
        placement = self.placement.lighter()
        return None if placement is None else replace(self, placement=placement)


class MemoryLadder:
    """Runs work on as many windows at once as there is memory for."""

    def __init__(self, model: SpeechModel, batch: int) -> None:
        """Begin with everything that was asked for."""
        self._model, self._batch = model, batch
        self.steps: list[str] = []
        """What was given up, in words, for the result to tell."""
        if model.placement != model.intended:
            self.steps.append(f"memory had run out before; began with {Load(model.placement, batch)}")

    def run(self, work: Callable[[Sequence[Waiting]], Iterable[Done]], waiting: Sequence[Waiting]) -> Iterator[Done]:
        """Work on everything that waits, in order; what is done when memory runs out stays done.

        Args:
            work: gives one thing for each that it is given, as soon as it has it.
            waiting: windows, mostly.

        Raises:
            ModelError: memory has run out, and there is nothing left to give up.
        """
        n_done = 0
        while n_done < len(waiting):
            some = waiting[n_done : n_done + self._batch]
            n_waiting = n_done + len(some)
            try:
                self._model.restore()
                for done in work(some):
                    n_done += 1
                    yield done
                continue
            except (MemoryError, RuntimeError) as error:
                complaint = lack_of_memory(error)
                if complaint is None:
                    raise
            # only now is the error gone, and with it all that its frames held
            self._step_down(Load(self._model.placement, n_waiting - n_done), complaint)

    def _step_down(self, load: Load, complaint: str | None) -> None:
        while complaint is not None:
            lighter = load.lighter()
            if lighter is None:
                hint = "use a smaller model, or close other programs"
                raise ModelError(f"there is not enough memory for {load}: {complaint}", hint=hint)
            self.steps.append(f"memory ran out with {load}; went on with {lighter}")
            _log.info("%s (%s)", self.steps[-1], complaint)
            if load.placement.device.type == "cuda":
                with suppress(RuntimeError):  # torch refuses where the recording of a step has failed
                    torch.cuda.empty_cache()
            self._batch, complaint = lighter.batch, self._moved(lighter.placement)
            load = lighter

    def _moved(self, placement: Placement) -> str | None:
        """Let the model compute elsewhere; what is said if there is too little memory for that too."""
        if placement == self._model.placement:
            return None
        try:
            self._model.move(placement)
        except (MemoryError, RuntimeError) as error:
            complaint = lack_of_memory(error)
            if complaint is None:
                raise
            return complaint
        return None
