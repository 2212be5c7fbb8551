"""What of a written text is spoken: no sounds in brackets, no names of speakers, no dashes before their lines."""

import html
import re

from subwhisper.subtitles.known_text import ASIDE
from subwhisper.subtitles.script import join

_DASH = re.compile(r"(?:[-–—‐]|>>)+(?!\d)\s*")
"""Before the line of one of several speakers; a number may be below zero."""
_LABEL = re.compile(r"([^:]{1,40}):(?:\s+|$)")
_BRACKETS = re.compile(r"\[[^\]]*\]|\([^)]*\)|\{[^}]*\}")
_LYRICS = re.compile(r"[♪♫♬♩].*|#\s.*#", re.DOTALL)


def spoken(text: str) -> str:
    """What is spoken of some lines, in one."""
    lines = ASIDE.sub(" ", html.unescape(text)).splitlines()
    told = (" ".join(_without_speaker(line.strip()).split()) for line in lines)
    return join(line for line in told if line)


def is_sung(text: str) -> bool:
    """Whether some lines are lyrics: they begin with a note, or stand between two signs that mean one."""
    bare = _BRACKETS.sub(" ", html.unescape(text)).strip()
    return bool(_LYRICS.fullmatch(_without_dash(bare)))


def _without_speaker(line: str) -> str:
    """The line without a dash, and without a name in capitals before a colon."""
    line = _without_dash(line)
    label = _LABEL.match(line)
    return line[label.end() :] if label and label[1].isupper() else line


def _without_dash(line: str) -> str:
    dash = _DASH.match(line)
    return line[dash.end() :] if dash else line
