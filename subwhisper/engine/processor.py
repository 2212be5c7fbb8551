"""What a processor is called, so that what was measured on one is not believed on another."""

import hashlib
import platform
from pathlib import Path

import torch


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
    return f"{model}, {platform.machine()} {digest}, torch {torch.__version__}"
