"""What to do when memory runs out: fewer windows at once, then a smaller precision, then the processor.

Whoever runs windows holds a `MemoryLadder` and asks it what to run with:

    ladder = MemoryLadder(Load(placement, batch=8))
    while windows:
        try:
            done = run(windows[: ladder.load.batch], ladder.load)
        except Exception as error:
            ladder.step_down(error)   # raises the error again when it is of another kind
        ...
"""

from dataclasses import dataclass, replace

import torch

from subwhisper.engine.device import Compute, Placement, place
from subwhisper.errors import ModelError

_LIGHTER: dict[str, dict[Compute, Compute]] = {
    "cuda": {"float32": "float16", "float16": "int8", "bfloat16": "int8"},
    "mps": {"float32": "float16"},
    "cpu": {"float32": "bfloat16", "bfloat16": "int8", "float16": "int8"},
}
_COMPLAINTS = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True, slots=True)
class Load:
    """How much is run at once, and where."""

    placement: Placement
    batch: int
    """Windows at once."""

    def __str__(self) -> str:
        windows = "1 window" if self.batch == 1 else f"{self.batch} windows"
        return f"{windows} at once in {self.placement.compute} on {self.placement.device}"

    def lighter(self) -> "Load | None":
        """The next smaller load: half the batch, then the next precision, then the processor; None if there is none."""
        if self.batch > 1:
            return replace(self, batch=self.batch // 2)
        device = self.placement.device
        precision = _LIGHTER[device.type].get(self.placement.compute)
        if precision is not None:
            return replace(self, placement=Placement(device, precision))
        return None if device.type == "cpu" else replace(self, placement=place("cpu"))


class MemoryLadder:
    """The load that still fits, and the steps that led there."""

    def __init__(self, load: Load) -> None:
        """Begin with everything that was asked for."""
        self.load = load
        self.steps: list[str] = []
        """What was given up, in words, for the result to tell."""

    def step_down(self, error: Exception) -> None:
        """Take the next smaller load after memory has run out.

        Raises:
            Exception: `error` itself, where it is of another kind.
            ModelError: there is no smaller load.
        """
        if not is_out_of_memory(error):
            raise error
        lighter = self.load.lighter()
        if lighter is None:
            raise ModelError(
                f"there is not enough memory for {self.load}", hint="use a smaller model, or close other programs"
            ) from error
        self.steps.append(f"memory ran out with {self.load}; went on with {lighter}")
        if self.load.placement.device.type == "cuda":
            torch.cuda.empty_cache()
        self.load = lighter


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory has run out, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _COMPLAINTS)
