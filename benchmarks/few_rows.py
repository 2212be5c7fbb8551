"""How long a decoder's layer takes for a few rows: `python benchmarks/few_rows.py [--threads 2]`.

Microseconds of the plain layer and of its stand-ins (`subwhisper.model.few_rows`, `.quantization`) at Whisper's sizes.
The layers of each kind are as many as make 80 MB of float weights, and come one behind the other, so that weights are
fetched as in a whole network and not found in the processor's cache.
"""

import argparse
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from subwhisper.model.few_rows import HalfWeightLinear, TransposedLinear, widens_fast
from subwhisper.model.quantization import FbgemmInt8Linear, OneDnnInt8Linear, fetches_fast, multiplies_fast

SHAPES = ((384, 384), (384, 1536), (512, 512), (512, 2048), (768, 768), (768, 3072), (384, 51865), (768, 51865))
"""Inputs and outputs."""
ROWS = (1, 5, 8, 16)
ROUNDS = 9
BYTES_IN_TURN = 80e6

Make = Callable[[Tensor, Tensor], nn.Module]


def plain(weight: Tensor, bias: Tensor) -> nn.Module:
    layer = nn.Linear(*reversed(weight.shape)).requires_grad_(False)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
    return layer


def kinds() -> dict[str, Make]:
    """The plain layer and the stand-ins that this processor has."""
    return {
        "plain": plain,
        "transposed": TransposedLinear,
        **({"half weights": HalfWeightLinear} if widens_fast() else {}),
        **({"int8 (FBGEMM)": FbgemmInt8Linear} if fetches_fast() else {}),
        **({"int8 (oneDNN)": OneDnnInt8Linear} if multiplies_fast() else {}),
    }


def microseconds(layers: Sequence[nn.Module], x: Tensor) -> float:
    """Median over rounds of the mean time of a layer."""
    taken = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        for layer in layers:
            layer(x)
        taken.append((time.perf_counter() - started) / len(layers))
    return sorted(taken[1:])[ROUNDS // 2] * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    torch.set_num_threads(parser.parse_args().threads)
    print("| inputs x outputs | rows | " + " | ".join(kinds()) + " |")
    print("| --- | --- |" + " --- |" * len(kinds()))
    with torch.inference_mode():
        for n_inputs, n_outputs in SHAPES:
            n_layers = max(2, round(BYTES_IN_TURN / (4 * n_inputs * n_outputs)))
            weights = [torch.randn(n_outputs, n_inputs).mul_(0.05).half().float() for _ in range(n_layers)]
            layers = {
                name: [make(weight, torch.zeros(n_outputs)) for weight in weights] for name, make in kinds().items()
            }
            for n_rows in ROWS:
                x = torch.randn(n_rows, n_inputs)
                cells = (f"{microseconds(some, x):.0f}" for some in layers.values())
                print(f"| {n_inputs} x {n_outputs} | {n_rows} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
