"""Which precision this processor is fastest in: by its instructions where they tell, else by a short try.

The try takes half a second and is made once: what came of it is kept, so that the choice is the same in every run.
Where it cannot be kept, float32 is chosen, which is right everywhere.

The network tried is the product's own, a layer of Whisper base deep and with a part of its vocabulary; the times of
encoder and decoder are weighed as in reading eight windows of a hundred tokens at once.
"""

import hashlib
import platform
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import cast, get_args

import torch
from torch import Tensor

from subwhisper.engine.precision import Compute
from subwhisper.model.dims import ModelDims
from subwhisper.model.few_rows import suit_few_rows
from subwhisper.model.fusion import fuse
from subwhisper.model.quantization import multiplies_fast, quantize
from subwhisper.model.whisper import Whisper
from subwhisper.remembered import recalled, remember

_SUBJECT = "precision"
_MEASURE = 1
"""Version of the try, and of the layers tried: what an older one found counts no more."""
_WORTH = 0.8
"""Another precision is chosen only if it takes less than this share of float32's time."""
_HOPELESS = 3.0
_MAX_ERROR = 0.05
"""Of the logits, relative; 8 bits done well stay under half of it."""
_ROUNDS = 3
_WINDOWS, _STEPS, _TOKENS = 8, 4, 100
_DIMS = ModelDims(
    n_mels=80, n_audio_ctx=250, n_audio_state=512, n_audio_head=8, n_audio_layer=1,
    n_vocab=8192, n_text_ctx=64, n_text_state=512, n_text_head=8, n_text_layer=1,
)  # fmt: skip
_PARTS = 6  # of a window, of which one is encoded


def fastest() -> Compute:
    """The precision to compute in on this processor."""
    if multiplies_fast():
        return "int8"
    key = processor()
    known = recalled(_SUBJECT).get(key)
    if known in get_args(Compute):
        return cast(Compute, known)
    chosen = _tried()
    return chosen if remember(_SUBJECT, key, chosen) else "float32"


def processor() -> str:
    """A name for this processor, its instructions and what drives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").partition("\n\n")[0].splitlines()
    except OSError:
        lines = []
    facts = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    model = facts.get("model name", "").strip() or platform.processor() or platform.machine()
    flags = sorted((facts.get("flags") or facts.get("Features") or "").split())
    digest = hashlib.sha256(" ".join(flags).encode()).hexdigest()[:12]
    return f"{model}, {platform.machine()} {digest}, torch {torch.__version__}, try {_MEASURE}"


@lru_cache(maxsize=1)  # where nothing can be kept, once in a process is enough
def _tried() -> Compute:
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        exact = _Trial("float32")
        best, chosen = exact.seconds * _WORTH, exact.compute
        for compute in _candidates():
            trial = _Trial(compute, exact)
            if trial.error <= _MAX_ERROR and trial.seconds < best:
                best, chosen = trial.seconds, compute
    return chosen


def _candidates() -> tuple[Compute, ...]:
    """What may be faster than float32; bfloat16 is only where a processor has instructions for it."""
    has_bf16 = any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return ("int8", "bfloat16") if has_bf16 or _arm_has_bf16() else ("int8",)


def _arm_has_bf16() -> bool:
    return platform.machine() in ("aarch64", "arm64") and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class _Trial:
    """One precision, tried."""

    def __init__(self, compute: Compute, exact: "_Trial | None" = None) -> None:
        """Time it; against another where there is one, which also tells the error."""
        self.compute: Compute = compute
        network = _network(compute)
        random = torch.Generator().manual_seed(1)
        dtype = torch.bfloat16 if compute == "bfloat16" else torch.float32
        self._mel = torch.randn(1, _DIMS.n_mels, _DIMS.n_frames, generator=random).to(dtype)
        tokens = torch.randint(_DIMS.n_vocab, (_WINDOWS, 1), generator=random)
        self.seconds, self.error = float("inf"), float("inf")
        started = time.perf_counter()
        features = network.encode(self._mel)
        if exact is not None and time.perf_counter() - started > _HOPELESS * exact.seconds:
            return  # a makeshift, such as products made one by one
        heard = features.expand(_WINDOWS, -1, -1).contiguous()
        self._logits = self._decoded(network, heard, tokens)
        encoding = _best(lambda: network.encode(self._mel))
        decoding = _best(lambda: self._decoded(network, heard, tokens)) / _STEPS
        self.seconds = _WINDOWS * _PARTS * encoding + _TOKENS * decoding
        if exact is not None:
            wanted = exact._logits
            self.error = float((self._logits - wanted).norm() / wanted.norm())

    @staticmethod
    def _decoded(network: Whisper, heard: Tensor, tokens: Tensor) -> Tensor:
        cache = network.start(heard)
        for _ in range(_STEPS):
            logits = network.decode(tokens, cache)
        return logits.float()


def _network(compute: Compute) -> Whisper:
    """As `SpeechModel.build` makes it; weights are halves, as those of public models are."""
    torch.manual_seed(0)
    network = Whisper(_DIMS).eval().requires_grad_(False).half().float()
    fuse(network)
    if compute == "int8":
        quantize(network, torch.device("cpu"))
    elif compute == "float32":
        suit_few_rows(network)
    return network.to(torch.bfloat16) if compute == "bfloat16" else network


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
