"""Whether every character of some captions has a glyph, found out before the long work begins.

FFmpeg reports success when it has no font and draws nothing, or boxes (seen). What libass says of its fonts is
therefore read, while it draws all captions once, many at a time, on a few small black frames.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from subwhisper.errors import ToolError
from subwhisper.media.ffmpeg import run

_FONT = re.compile(r"fontselect: \(.*?\) -> .*, (\S+)$")
_LOST_GLYPH = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
_EVENT = re.compile(r"^(Dialogue:[^,]*),([^,]*),([^,]*),((?:[^,]*,){6})(.*)$")
_DRAWING = re.compile(r"\{[^}]*\\p[1-9]")
_OVERRIDE = re.compile(r"\{[^}]*\}|\\[Nnh]")
_AT_ONCE = 25
"""Captions on one frame. More are slower: each looks for a place that the others have left."""
_NAMED = 12
"""Characters that a message lists; an unknown script would fill the screen."""


def drawing(script: str, shown: tuple[int, int] | None = None) -> dict[str, str]:
    """The arguments of ffmpeg's `ass` filter, which draws a script that lies in its working folder beside `fonts/`.

    Args:
        script: its name.
        shown: width and height that a player gives the picture, where its pixels are no squares: letters drawn for
            square ones would be stretched as it is.

    By keyword: ffmpeg-python escapes positional values twice. Not the `subtitles` filter: in FFmpeg 5 that draws
    Devanagari without its ligatures and with vowels out of place (seen).
    """
    size = {} if shown is None else {"original_size": "{}x{}".format(*shown)}
    return {"filename": script, "fontsdir": "fonts", "shaping": "complex", **size}


@dataclass
class FontLog:
    """What libass says of its fonts."""

    fonts: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    nothing: bool = False
    """Whether some text found no font at all, and so is not drawn."""

    def hear(self, line: str) -> None:
        if match := _FONT.search(line):
            self.fonts.add(match[1])
        elif match := _LOST_GLYPH.search(line):
            code = int(match[1], 16)
            if code == 0:  # it asks for "any glyph" of a style's font
                self.nothing = True
            else:
                self.lost.add(chr(code))

    def require_fonts(self, captions: Path, *, drawn: bool = False) -> None:
        """Refuse a run in which text found no font.

        Args:
            captions: the file to name.
            drawn: whether some text was certainly on screen.

        Raises:
            ToolError: text would not be visible.
        """
        if self.nothing or (drawn and not self.fonts):
            raise ToolError(
                f"ffmpeg found no font for the text of {captions} and would draw nothing", hint="see: subwhisper doctor"
            )


def character_names(characters: Sequence[str]) -> str:
    """Characters with their code points and Unicode's names, for a message; the first dozen of them."""
    named = [_named(character) for character in characters[:_NAMED]]
    more = len(characters) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _named(character: str) -> str:
    shown = f"{character} " if character.isprintable() else ""
    return f"{shown}U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"


def check_glyphs(script: str, captions: Path, workspace: Path, common: dict[str, Any]) -> FontLog:
    """Draw all captions of an .ass script and hear which characters have no font.

    Args:
        script: the text of the file.
        captions: its name, for errors.
        workspace: the folder with the fonts that ffmpeg will run in.
        common: what `run` gets: ffmpeg, log_level "verbose", cwd, env.

    Raises:
        ToolError: no text would be visible, or ffmpeg failed.
    """
    import ffmpeg

    condensed, n_frames = condense(script)
    log = FontLog()
    if not n_frames:
        return log
    name = "glyphs.ass"
    (workspace / name).write_text(condensed, encoding="utf-8")
    empty = ffmpeg.input(f"color=c=black:s=320x180:r=1:d={n_frames}", f="lavfi")
    drawn = empty.filter("ass", **drawing(name))
    target = ffmpeg.output(drawn, "-", f="null")
    run(ffmpeg.get_args(target), source=captions, on_log=log.hear, **common)
    log.require_fonts(captions, drawn=True)
    return log


def condense(script: str) -> tuple[str, int]:
    """Show the captions of an .ass script that have text 25 at a time, one second each; also count the seconds."""
    lines, count = [], 0
    for line in script.splitlines():
        match = _EVENT.match(line)
        if match is None:
            lines.append(line)
        elif _shows_text(match[5]):
            second = count // _AT_ONCE
            clock = ",".join(f"{it // 3600}:{it // 60 % 60:02d}:{it % 60:02d}.00" for it in (second, second + 1))
            lines.append(f"{match[1]},{clock},{match[4]}{match[5]}")
            count += 1
    return "\n".join(lines) + "\n", -(-count // _AT_ONCE)


def _shows_text(said: str) -> bool:
    return bool(_OVERRIDE.sub("", said).strip()) and not _DRAWING.search(said)
