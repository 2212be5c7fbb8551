"""Where the network runs and in which precision; asked when a model is loaded, never on import."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from subwhisper.errors import OptionError

Compute = Literal["float32", "bfloat16", "float16", "int8"]
"""`int8`: weights and the products of linear layers in whole numbers, everything else in float32."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A device and a precision that go together."""

    device: torch.device
    compute: Compute

    @property
    def dtype(self) -> torch.dtype:
        """Of everything that is not quantised."""
        return torch.float32 if self.compute == "int8" else getattr(torch, self.compute)


def place(device: str = "auto", compute: str = "auto") -> Placement:
    """Decide where to run.

    Args:
        device: `auto` (CUDA if present, else CPU), `cpu`, `cuda` or `cuda:1`.
        compute: `auto` is float32 on a CPU and float16 on CUDA.

    Raises:
        OptionError: the device is not there, or the precision is unknown.
    """
    chosen = _device(device)
    if compute == "auto":
        compute = "float16" if chosen.type == "cuda" else "float32"
    for known in get_args(Compute):
        if compute == known:
            return Placement(chosen, known)
    raise OptionError(f"unknown precision {compute!r}", hint=f"auto, {', '.join(get_args(Compute))}")


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(f"unknown device {name!r}", hint="auto, cpu, cuda or cuda:1") from error
    if device.type not in ("cpu", "cuda"):
        raise OptionError(f"device {name!r} is not supported", hint="auto, cpu, cuda or cuda:1")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
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
