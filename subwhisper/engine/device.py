"""Where the network runs and in which precision; asked when a model is loaded, never on import."""

from dataclasses import dataclass, replace

import torch

from subwhisper.engine.precision import Compute as Compute
from subwhisper.engine.precision import parse_compute
from subwhisper.errors import OptionError
from subwhisper.model.compiled.library import library
from subwhisper.model.quantization import multiplies_fast

_DEVICES = "auto, cpu, cuda, cuda:1 or mps"
_LIGHTER: dict[str, dict[Compute, Compute]] = {
    "cuda": {"float32": "float16", "float16": "int8", "bfloat16": "int8"},
    "mps": {"float32": "float16"},
    "cpu": {"float32": "bfloat16", "bfloat16": "int8", "float16": "int8"},
}
_COMPLAINTS = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


@dataclass(frozen=True, slots=True)
class Placement:
    """A device and a precision that go together."""

    device: torch.device
    compute: Compute

    @property
    def dtype(self) -> torch.dtype:
        """Of everything that is not quantised."""
        return torch.float32 if self.compute == "int8" else getattr(torch, self.compute)

    def __str__(self) -> str:
        return f"{self.compute} on {self.device}"

    def lighter(self) -> "Placement | None":
        """Where a network needs less memory: the next smaller precision, then the processor; None if there is none."""
        precision = _LIGHTER[self.device.type].get(self.compute)
        if precision is not None:
            return replace(self, compute=precision)
        return None if self.device.type == "cpu" else place("cpu", "int8" if self.compute == "int8" else "auto")


def place(device: str = "auto", compute: str = "auto") -> Placement:
    """Decide where to run.

    Args:
        device: `auto` (CUDA if present, else CPU), `cpu`, `cuda`, `cuda:1` or `mps` (Apple's GPUs).
        compute: a precision, or `auto`: float16 on a GPU, int8 on a CPU with instructions for it or with a compiled
            decoder, else float32. No trial run decides: it took seconds, and came out differently on a busy machine.

    Raises:
        OptionError: the device is not there, the precision is unknown, or the device does not have it.
    """
    chosen, precision = _device(device), parse_compute(compute)
    if precision == "auto":
        if chosen.type != "cpu":
            return Placement(chosen, "float16")
        return Placement(chosen, "int8" if multiplies_fast() or library() else "float32")
    if precision == "int8" and chosen.type == "mps":
        raise OptionError("there is no int8 on mps", hint="use --compute float16")
    return Placement(chosen, precision)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(f"unknown device {name!r}", hint=_DEVICES) from error
    present = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if device.type not in present:
        raise OptionError(f"device {name!r} is not supported", hint=_DEVICES)
    if (device.index or 0) >= present[device.type]:
        raise OptionError(f"device {name!r} is not present", hint="run on the processor with: --device cpu")
    return device


def set_threads(threads: int | None) -> None:
    """Use this many processor threads in the whole process; `None` or 0 leaves torch's choice.

    Raises:
        OptionError: the number is negative.
    """
    if threads is not None and threads < 0:
        raise OptionError(f"threads must not be negative, got {threads}")
    if threads:
        torch.set_num_threads(threads)


def lack_of_memory(error: BaseException) -> str | None:
    """What an error says of memory that has run out, on any device, in one line; None if it is about something else."""
    said = str(error).strip().partition("\n")[0]
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return said or "out of memory"
    is_it = isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _COMPLAINTS)
    return said if is_it else None
