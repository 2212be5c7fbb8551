"""What this machine can do with a model: measured once by `bench`, used by whoever has to promise a time.

Figures are filed under everything that decides them: the model's files, the precision, the device, the threads, the
processor, the versions, and the options that cost time.
"""

import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

import subwhisper
from subwhisper.engine.device import Placement
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.processor import processor
from subwhisper.pipeline.identity import FileIdentity
from subwhisper.pipeline.recall import key_of
from subwhisper.remembered import recalled, remember

_SUBJECT = "bench"


@dataclass(frozen=True, slots=True)
class Figures:
    """One model in one precision on this machine."""

    sample: str
    """What was listened to, in words."""
    sound: float
    """Seconds of it."""
    took: float
    """Seconds that took, the loading of the model left out."""
    loading: float
    memory: int
    """Bytes the process needed at most, torch and all; of the graphics card where one is used."""
    n_windows: int
    n_words: int
    when: str
    """Date, as 2030-12-31."""

    @property
    def speed(self) -> float:
        """Seconds of sound per second of work."""
        return self.sound / self.took

    def to_dict(self) -> dict[str, Any]:
        """A row of the machine-readable report."""
        return asdict(self) | {"speed": round(self.speed, 2)}


def keep(figures: Figures, model: Path, placement: Placement, options: TranscribeOptions) -> None:
    """File figures of a model; where there is no cache to be written, they are told and forgotten."""
    remember(_SUBJECT, _key(model, placement, options), asdict(figures))


def find(model: Path, placement: Placement, options: TranscribeOptions) -> Figures | None:
    """The figures of a model under the same circumstances, if it was measured."""
    known: Any = recalled(_SUBJECT).get(_key(model, placement, options))
    try:
        figures = Figures(**known)
        return figures if min(figures.sound, figures.took, figures.loading, figures.memory) > 0 else None
    except TypeError:  # none, of another version, or damaged
        return None


def _key(model: Path, placement: Placement, options: TranscribeOptions) -> str:
    files = sorted(model.iterdir()) if model.is_dir() else [model]
    return key_of(
        {
            "files": [(str(file.resolve()), repr(FileIdentity.of(file))) for file in files if file.is_file()],
            "placement": [str(placement.device), placement.compute, torch.get_num_threads(), processor()],
            "version": subwhisper.__version__,
            "search": [options.decode.beam_size, options.plan, options.batch_size],
            "texts": [options.task == "both", options.word_timestamps],
        }
    )


def peak_memory() -> int:
    """Bytes this process has needed at most: of the graphics card where one is used, else of the machine."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated()
    try:  # not getrusage: on Linux it begins with what the process that started this one needed
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1024  # type: ignore[index]
    except (OSError, TypeError):
        pass
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0
