"""Facts that were costly to find out, kept in the user's cache: if they are lost, they are found out again.

One small JSON file for each subject. A cache that cannot be read or written is as good as an empty one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from subwhisper.errors import ConfigError
from subwhisper.replacing import replacing
from subwhisper.settings import cache_folder

_MOST = 200
"""Facts of one subject; the oldest make way."""


def recalled(subject: str) -> Mapping[str, Any]:
    """Every fact known of a subject. What it holds may have been damaged: whoever asks looks twice."""
    try:
        facts = json.loads(_place(subject).read_bytes())
    except (ConfigError, OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def remember(subject: str, key: str, fact: object) -> bool:
    """Keep a fact, as plain JSON values, for later processes; whether that succeeded."""
    facts = {known: value for known, value in recalled(subject).items() if known != key}
    newest = dict([*facts.items(), (key, fact)][-_MOST:])
    try:
        place = _place(subject)
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place, is_durable=False) as file:
            file.write(json.dumps(newest, indent=1).encode())
    except (ConfigError, OSError):
        return False
    return True


def _place(subject: str) -> Path:
    return cache_folder() / f"{subject}.json"
