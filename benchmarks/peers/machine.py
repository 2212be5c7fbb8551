"""The machine in words, and how fast it multiplies and reads at best: what torch alone reaches with these threads.

`python -m benchmarks.peers.machine THREADS` prints it as JSON; it wants a process of its own, with its threads bound.
"""

import json
import platform
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_ROWS, _WIDTH = 1500, 768
_FEW_ROWS = 64
"""For a product that some processors do ten times slower than any other."""
_SECONDS = 1.0
"""For each ceiling; the fastest repetition counts."""
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimddp", "i8mm", "bf16")


def describe(threads: int) -> dict[str, Any]:
    """Processor, instructions and ceilings."""
    torch.set_num_threads(threads)
    cpu = _cpu()
    return {
        "processor": cpu.get("model name", platform.processor() or platform.machine()),
        "instructions": [name for name in _INSTRUCTIONS if name in cpu.get("flags", "").split()],
        "threads": threads,
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ceilings": ceilings(),
    }


def ceilings() -> dict[str, float]:
    """GFLOP/s of matrix products by precision, and GB/s of memory."""
    x, weight = torch.randn(_ROWS, _WIDTH), torch.randn(4 * _WIDTH, _WIDTH)
    whole = torch.zeros(_FEW_ROWS, _WIDTH, dtype=torch.int8), torch.zeros(_WIDTH, 4 * _WIDTH, dtype=torch.int8)
    half = x.bfloat16(), weight.bfloat16()
    products = {
        "float32 GFLOP/s": (_ROWS, lambda: torch.nn.functional.linear(x, weight)),
        "bfloat16 GFLOP/s": (_ROWS, lambda: torch.nn.functional.linear(*half)),
        "int8 GFLOP/s": (_FEW_ROWS, lambda: torch._int_mm(*whole)),
        "int8 dynamic GFLOP/s": (_ROWS, _dynamic(x, weight)),
    }
    per_row = 2 * _WIDTH * 4 * _WIDTH
    found = {name: rows * per_row / _fastest(product) / 1e9 for name, (rows, product) in products.items()}
    big, copy = torch.ones(64 << 20), torch.empty(64 << 20)
    found["memory read GB/s"] = big.nbytes / _fastest(big.sum) / 1e9
    found["memory copy GB/s"] = 2 * big.nbytes / _fastest(lambda: copy.copy_(big)) / 1e9
    return {name: round(value, 1) for name, value in found.items()}


def _dynamic(x: Tensor, weight: Tensor) -> Callable[[], Tensor]:
    """The layer of torch with whole numbers inside and float32 around."""
    channels = len(weight)
    quantised = torch.quantize_per_channel(
        weight,
        torch.full((channels,), 0.03, dtype=torch.double),
        torch.zeros(channels, dtype=torch.long),
        0,
        torch.qint8,
    )
    packed = torch.ops.quantized.linear_prepack(quantised, None)
    return lambda: torch.ops.quantized.linear_dynamic(x, packed, False)


def _fastest(work: Callable[[], object]) -> float:
    work()
    best, until = float("inf"), time.perf_counter() + _SECONDS
    while time.perf_counter() < until:
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def _cpu() -> dict[str, str]:
    """The first processor as Linux tells of it."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    lines = path.read_text().split("\n\n")[0].splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def kept(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The description of now, with the best of both ceilings: company only ever lowers them."""
    known = before.get("ceilings", {})
    best = {name: max(value, known.get(name, 0.0)) for name, value in now["ceilings"].items()}
    return {**now, "ceilings": best}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # torch is about to retire what is measured here
    print(json.dumps(describe(int(sys.argv[1]))))
