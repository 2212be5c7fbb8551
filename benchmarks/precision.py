"""What does a precision cost, and what does it save? `python benchmarks/precision.py [--size tiny] [--threads 1]`.

Random weights of a public model's shape. `int8` is ours, with one scale per row of activations; `linear_dynamic` is
torch's layer with one scale for a whole tensor, put in the same places. Per precision, the best of several rounds:
one window through the encoder, one decoder step of 1 and of 8 windows, and the error against float32 of features and
logits. `neighbours` is how far the logits of a window move when seven much louder windows are decoded beside it.
Prints JSON.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from subwhisper.model.catalog import find
from subwhisper.model.quantization import quantised, quantize
from subwhisper.model.whisper import TokenEmbedding, Whisper

PROMPT, STEPS = 4, 12


class LinearDynamic(nn.Module):
    """Torch's own 8-bit layer."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        (_, scales), zeros = quantised(weight), torch.zeros(len(weight), dtype=torch.long)
        whole = torch.quantize_per_channel(weight.detach(), scales.double(), zeros, 0, torch.qint8)
        self.packed = torch.ops.quantized.linear_prepack(whole, None if bias is None else bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.quantized.linear_dynamic(x, self.packed, False)

    logits = forward


def replace_linears(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, LinearDynamic(child.weight, child.bias))
        elif isinstance(child, TokenEmbedding):
            child.logits = LinearDynamic(child.weight, None)
        else:
            replace_linears(child)


def network(size: str, precision: str) -> Whisper:
    torch.manual_seed(0)
    model = Whisper(find(size).dims).eval().requires_grad_(False)
    if precision == "int8":
        quantize(model, torch.device("cpu"))
    elif precision == "linear_dynamic":
        replace_linears(model)
    else:
        model.to(getattr(torch, precision))
    return model


def best(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds of the fastest round."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return round(1000 * min(times), 2)


def logits(model: Whisper, features: Tensor, tokens: Tensor) -> Tensor:
    return model.decode(tokens, model.start(model.hear(features)))


def step_time(model: Whisper, features: Tensor, tokens: Tensor, rounds: int) -> float:
    cache = model.start(model.hear(features))
    model.decode(tokens, cache)

    def steps() -> None:
        cache.length = PROMPT
        for _ in range(STEPS):
            model.decode(tokens[:, :1], cache)

    return round(best(steps, rounds) / STEPS, 3)


def error(wanted: Tensor, got: Tensor) -> float:
    return round(float((got.float() - wanted).norm() / wanted.norm()), 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.simplefilter("ignore")  # torch is about to retire linear_dynamic
    dims = find(arguments.size).dims
    mel = torch.randn(8, dims.n_mels, dims.n_frames, generator=torch.Generator().manual_seed(1)) * 0.5
    tokens = torch.randint(50000, (8, PROMPT), generator=torch.Generator().manual_seed(2))
    rows, reference = {}, None
    for precision in ("float32", "bfloat16", "int8", "linear_dynamic"):
        with torch.inference_mode():
            model = network(arguments.size, precision)
            quiet, loud = model.encode(mel[:1]), model.encode(10 * mel[1:])
            features = quiet.repeat(8, 1, 1)
            alone = logits(model, quiet, tokens[:1])
            beside = logits(model, torch.cat([quiet, 20 * loud]), tokens)[:1]
            reference = reference or (quiet.float(), alone)
            rows[precision] = {
                "encoder_ms": best(lambda m=model: m.encode(mel[:1]), arguments.rounds),
                "step_1_ms": step_time(model, quiet, tokens[:1], arguments.rounds),
                "step_8_ms": step_time(model, features, tokens, arguments.rounds),
                "features_error": error(reference[0], quiet),
                "logits_error": error(reference[1], alone),
                "neighbours": error(alone, beside),
            }
    print(json.dumps({"size": arguments.size, "threads": arguments.threads, "precisions": rows}, indent=2))


if __name__ == "__main__":
    main()
