"""Where 8-bit weights are kept for the next process, one file for each checkpoint; `compiled.packing` fills them."""

import re
import time
from pathlib import Path

from subwhisper.settings import cache_folder

_MOST = 4
"""Models of which they are kept; those used last stay."""
_SUFFIX = ".int8"
PART = ".part-"
"""What the name of a file begins with while it is written."""
_ABANDONED = 3600.0
"""Seconds after which nobody is still writing one."""


def place_of(fingerprint: str) -> Path | None:
    """The file of a checkpoint, by the SHA-256 of its weights in hex; `None` where that is not known."""
    if not re.fullmatch(r"[0-9a-f]{64}", fingerprint):
        return None
    return cache_folder() / "weights" / f"{fingerprint}{_SUFFIX}"


def forget(fingerprint: str) -> int:
    """Delete what is kept of a checkpoint; the bytes that were freed."""
    place = place_of(fingerprint)
    if place is None:
        return 0
    try:
        n_bytes = place.stat().st_size
        place.unlink()
    except OSError:
        return 0
    return n_bytes


def make_way(folder: Path) -> None:
    """Delete the files that were used longest ago where there are too many, and those whose writing was cut short."""
    newest_first = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    abandoned = [part for part in folder.glob(f"{PART}*") if time.time() - part.stat().st_mtime > _ABANDONED]
    for path in (*newest_first[_MOST:], *abandoned):
        path.unlink(missing_ok=True)
