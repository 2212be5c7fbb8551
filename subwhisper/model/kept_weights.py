"""Where 8-bit weights are kept for the next process, one file for each checkpoint; `compiled.packing` fills them."""

import re
import time
from contextlib import suppress
from pathlib import Path

from subwhisper.errors import ConfigError
from subwhisper.replacing import UNFINISHED
from subwhisper.settings import cache_folder

_MOST = 4
"""Models of which they are kept; those used last stay."""
_SUFFIX = ".int8"
_ABANDONED = 3600.0
"""Seconds after which nobody is still writing one."""


def place_of(fingerprint: str) -> Path | None:
    """The file of a checkpoint, by the SHA-256 of its weights in hex; `None` where that, or the cache, is not known."""
    if not re.fullmatch(r"[0-9a-f]{64}", fingerprint):
        return None
    try:
        return cache_folder() / "weights" / f"{fingerprint}{_SUFFIX}"
    except ConfigError:
        return None


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
    newest_first = sorted(folder.glob(f"*{_SUFFIX}"), key=_last_used, reverse=True)
    abandoned = [part for part in folder.glob(f".*{UNFINISHED}") if time.time() - _last_used(part) > _ABANDONED]
    for path in (*newest_first[_MOST:], *abandoned):
        with suppress(OSError):
            path.unlink()


def _last_used(path: Path) -> float:
    """When a file was written or read, in seconds since 1970; 0 for one that another process has just deleted."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
