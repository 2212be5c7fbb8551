r"""The tags of SubRip files: `<b>`, `<i>`, `<u>`, `<s>`, `<font>`, and players' borrowings `{\an8}` and `{i}`.

There is no standard. What is known is understood, also when never closed; other angle brackets are text.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from subwhisper.subtitles.colours import parse_colour
from subwhisper.subtitles.formats import overrides
from subwhisper.subtitles.formats.reading import Marked
from subwhisper.subtitles.markup import PLAIN, Placement, Style
from subwhisper.subtitles.runs import Run

_TOKEN = re.compile(
    r"<(?P<end>/?)(?P<name>b|i|u|s|font|c|v)(?P<rest>[\s=.][^<>]{0,200})?/?>"
    r"|(?P<codes>\{\\[^{}]{0,200}\})|\{(?P<close>/?)(?P<letter>[biu])\}",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"(\w{1,20})\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"']+)")
_FLAGS = {"b": "bold", "i": "italic", "u": "underline", "s": "strikeout"}


def parse(text: str) -> Marked:
    """Understand the text of a cue."""
    reader = _Reader()
    position = 0
    for match in _TOKEN.finditer(text):
        reader.say(text[position : match.start()])
        position = match.end()
        reader.tag(match)
    reader.say(text[position:])
    return Marked(tuple(reader.runs), reader.placement, tuple(reader.unheld))


class _Reader:
    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.placement: Placement | None = None
        self.unheld: dict[str, None] = {}
        self._open: list[tuple[str, Style]] = []
        """Tags not closed yet, each with the style before it."""
        self._style = PLAIN

    def say(self, text: str) -> None:
        if text:
            self.runs.append(Run(text, self._style))

    def tag(self, match: re.Match[str]) -> None:
        if match["codes"]:
            self._codes(match["codes"])
            return
        name = (match["name"] or match["letter"]).lower()
        if name in ("c", "v"):
            self.unheld[f"<{name}>"] = None
        elif match["end"] or match["close"]:
            self._close(name)
        else:
            self._open.append((name, self._style))
            if len(self._open) > 50:  # nobody means that: keep the pile from growing without end
                del self._open[0]
            self._style = self._opened(name, match["rest"] or "")

    def _opened(self, name: str, attributes: str) -> Style:
        if name in _FLAGS:
            return self._style.flagged(_FLAGS[name])
        style = self._style
        for key, value in _ATTRIBUTE.findall(attributes):
            value = value.strip("\"'")
            if key.lower() == "color" and (colour := parse_colour(value)):
                style = replace(style, colour=colour)
            elif key.lower() == "face" and value:
                style = replace(style, font=value)
            elif key.lower() == "size" and value:
                style = replace(style, size=value)
            else:
                self.unheld[f"font {key.lower()}"] = None
        return style

    def _close(self, name: str) -> None:
        """Undo the last tag of that name; tags opened since then stay in force, however they are nested."""
        for index in reversed(range(len(self._open))):
            if self._open[index][0] == name:
                self._style = self._open[index][1]
                since = [opened for opened, _ in self._open[index + 1 :]]
                del self._open[index:]
                for opened in since:
                    self._open.append((opened, self._style))
                    if opened in _FLAGS:
                        self._style = self._style.flagged(_FLAGS[opened])
                return

    def _codes(self, block: str) -> None:
        marked = overrides.parse(block + "x")
        self.placement = self.placement or marked.placement
        for name in marked.unheld:
            self.unheld[name] = None
        told = marked.runs[0].style if marked.runs else PLAIN
        for code, name in _FLAGS.items():
            if re.search(rf"\\{code}[01]", block):
                self._style = self._style.flagged(name, getattr(told, name))
        if told.colour:
            self._style = replace(self._style, colour=told.colour)


def write(run: Run) -> str:
    """Write a stretch of text with its tags around it."""
    style, text = run.style, run.text
    attributes = [
        f'{name}="{value.replace(chr(34), "")}"'
        for name, value in (("face", style.font), ("size", style.size), ("color", style.colour))
        if value
    ]
    for begin, end in reversed(list(_around(style, attributes))):
        text = f"{begin}{text}{end}"
    return text


def _around(style: Style, attributes: list[str]) -> Iterator[tuple[str, str]]:
    if attributes:
        yield f"<font {' '.join(attributes)}>", "</font>"
    for letter, name in _FLAGS.items():
        if getattr(style, name):
            yield f"<{letter}>", f"</{letter}>"
