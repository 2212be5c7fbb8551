"""Where 8-bit weights are kept for the next process, one file for each checkpoint; `compiled.packing` fills them."""

import os
import re
from pathlib import Path

from subwhisper.settings import cache_folder

_MOST = 4
"""Models of which they are kept; those used last stay."""
_SUFFIX = ".int8"


def place_of(fingerprint: str) -> Path | None:
    """The file of a checkpoint, by the SHA-256 of its weights in hex; `None` where nothing is to be kept."""
    if os.environ.get("SUBWHISPER_KEEP_WEIGHTS") == "0" or not re.fullmatch(r"[0-9a-f]{64}", fingerprint):
        return None
    return cache_folder() / "weights" / f"{fingerprint}{_SUFFIX}"


def forget(fingerprint: str) -> int:
    """Delete what is kept of a checkpoint; the bytes that were freed."""
    place = place_of(fingerprint)
    try:
        n_bytes = place.stat().st_size if place else 0
        if place:
            place.unlink()
    except OSError:
        return 0
    return n_bytes


def make_way(folder: Path) -> None:
    """Delete the files that were used longest ago where there are too many."""
    newest_first = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first[_MOST:]:
        path.unlink(missing_ok=True)
