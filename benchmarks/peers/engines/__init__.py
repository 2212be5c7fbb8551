"""The engines that are measured, by name; each module is imported only by the worker that runs it."""

from dataclasses import dataclass, field
from importlib import import_module

from benchmarks.peers.engines.work import Engine, Setting


@dataclass(frozen=True, slots=True)
class Choice:
    """How an engine is started."""

    module: str
    options: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


_AVX512 = {"CT2_FORCE_CPU_ISA": "AVX512"}

ENGINES = {
    "ours": Choice("ours", {"compute": "auto"}),
    "ours-float32": Choice("ours", {"compute": "float32"}),
    "ours-bfloat16": Choice("ours", {"compute": "bfloat16"}),
    "ours-int8": Choice("ours", {"compute": "int8"}),
    "faster-whisper": Choice("faster", {"compute": "int8"}),
    "faster-whisper-avx512": Choice("faster", {"compute": "int8"}, _AVX512),
    "faster-whisper-float32": Choice("faster", {"compute": "float32"}, _AVX512),
    "whisper.cpp": Choice("cpp", {"weights": "q8_0"}),
    "openai-whisper": Choice("openai"),
    "transformers": Choice("huggingface", {"compute": "float32"}),
    "transformers-bfloat16": Choice("huggingface", {"compute": "bfloat16"}),
    "stable-ts": Choice("openai", {"words": "stable-ts"}),
    "whisper-timestamped": Choice("openai", {"words": "whisper-timestamped"}),
}
"""Name on the command line and in results -> how it is started."""


def load(name: str, setting: Setting) -> Engine:
    """Import and load an engine in this process."""
    choice = ENGINES[name]
    module = import_module(f"benchmarks.peers.engines.{choice.module}")
    engine: Engine = module.load(setting, choice.options)
    return engine
