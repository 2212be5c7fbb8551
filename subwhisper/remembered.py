"""Facts that were costly to find out, kept in the user's cache: if they are lost, they are found out again.

One small JSON file for each subject. A cache that cannot be read or written is as good as an empty one.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from subwhisper.settings import cache_folder

_MOST = 200
"""Facts of one subject; the oldest make way."""


def recalled(subject: str) -> Mapping[str, Any]:
    """Every fact known of a subject. What it holds may have been damaged: whoever asks looks twice."""
    try:
        facts = json.loads(_place(subject).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def remember(subject: str, key: str, fact: object) -> bool:
    """Keep a fact, as plain JSON values, for later processes; whether that succeeded."""
    facts = {known: value for known, value in recalled(subject).items() if known != key}
    newest = dict([*facts.items(), (key, fact)][-_MOST:])
    place, part = _place(subject), None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=place.parent, prefix=f".{subject}-", delete=False) as file:
            part = Path(file.name)
            json.dump(newest, file, indent=1)
        os.replace(part, place)
    except OSError:
        if part is not None:
            with suppress(OSError):
                part.unlink()
        return False
    return True


def _place(subject: str) -> Path:
    return cache_folder() / f"{subject}.json"
