"""What can be told of an address before anything is fetched. Light, because every command line is read by it."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

LONGEST_NAME = 120
"""Bytes of a title in a file's name; names of results come after it."""


def is_url(text: str) -> bool:
    """Whether an argument is an address and no file."""
    return text.lower().startswith(("http://", "https://"))


def url_stem(url: str) -> str:
    """What the results of a URL are called, known before anything is fetched: from its last part, made harmless."""
    parts = urlsplit(url)
    last = unquote(parts.path).rstrip("/").rpartition("/")[2]
    stem = last.rpartition(".")[0] or last or parts.hostname or "recording"
    marks = [values[0] for values in parse_qs(parts.query).values()] if not last.rpartition(".")[0] else []
    harmless = re.sub(r"[^\w.-]+", "_", "-".join([stem, *marks[:1]])).lstrip("-.")
    return harmless.encode()[:LONGEST_NAME].decode(errors="ignore") or "recording"
