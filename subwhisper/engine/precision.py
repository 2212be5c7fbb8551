"""The precisions a network can run in, and the names people give them. No torch."""

from typing import Literal, cast, get_args

from subwhisper.errors import OptionError

Compute = Literal["float32", "bfloat16", "float16", "int8"]
"""`int8`: weights and the products of linear layers in whole numbers, everything else in float32; on processors that
multiply tiles of bfloat16 (AMX), what reads whole windows is in that."""

_SHORT: dict[str, Compute] = {
    "f32": "float32",
    "fp32": "float32",
    "f16": "float16",
    "fp16": "float16",
    "bf16": "bfloat16",
    "i8": "int8",
}


def parse_compute(name: str) -> Compute | Literal["auto"]:
    """The precision of a name, long or short; `auto` leaves the choice to us.

    Raises:
        OptionError: it is the name of none.
    """
    spelt = name.strip().lower()
    full = _SHORT.get(spelt, spelt)
    if full not in ("auto", *get_args(Compute)):
        raise OptionError(f"unknown precision {name!r}", hint=f"one of auto, {', '.join(get_args(Compute))}")
    return cast("Compute | Literal['auto']", full)
