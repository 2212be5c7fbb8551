"""The text of WebVTT cues: spans, voices, ruby, inline times (W3C, WebVTT 1, section 6.4 and what follows it).

Unlike a browser, a `<` that begins no tag is read as text, not as a tag that swallows the rest of the cue.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from subwhisper.subtitles.formats.clock import clock, parse_clock
from subwhisper.subtitles.formats.reading import Marked
from subwhisper.subtitles.markup import PLAIN, Style
from subwhisper.subtitles.runs import Run

_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-z]+)(?P<classes>(?:\.[^\s.<>]*)*)(?:\s(?P<annotation>[^<>]*))?>|<(?P<time>[\d:.]+)>|<[^<>\s=]*>"
)
_FLAGS = {"b": "bold", "i": "italic", "u": "underline"}
_KNOWN = frozenset({*_FLAGS, "c", "v", "lang", "ruby", "rt"})
_DEEPEST = 50

COLOURS = {
    "white": "#ffffff", "lime": "#00ff00", "cyan": "#00ffff", "red": "#ff0000",
    "yellow": "#ffff00", "magenta": "#ff00ff", "blue": "#0000ff", "black": "#000000",
}  # fmt: skip
"""The classes that have a colour without any style sheet (section 5.1.1)."""
_CLASSES = {colour: name for name, colour in COLOURS.items()}
_OWN = re.compile(r"(bg_)?x([0-9a-f]{6}(?:[0-9a-f]{2})?)$")


@dataclass(frozen=True, slots=True)
class _Node:
    """An open tag and what was in force before it."""

    name: str
    style: Style
    voice: str | None
    language: str | None


def parse(text: str, start_ms: int, end_ms: int, *, sheet: Mapping[str, Style] | None = None) -> Marked:
    """Understand the text of a cue.

    Args:
        text: with its tags.
        start_ms: of the cue; text before the first inline time is said from here on.
        end_ms: of the cue.
        sheet: the looks that classes have by the file's style sheet.
    """
    reader = _Reader(sheet or {})
    position = 0
    for match in _TAG.finditer(text):
        reader.say(html.unescape(text[position : match.start()]))
        position = match.end()
        if match["time"]:
            reader.moment(parse_clock(match["time"]))
        elif match["name"] in _KNOWN:
            reader.tag(match)
        else:
            reader.unheld[match[0][:20]] = None
    reader.say(html.unescape(text[position:]))
    return Marked(tuple(reader.timed(start_ms, end_ms)), unheld=tuple(reader.unheld))


class _Reader:
    def __init__(self, sheet: Mapping[str, Style]) -> None:
        self._sheet = sheet
        self._runs: list[tuple[Run, int | None]] = []
        """With the inline time that each stands behind."""
        self._open: list[_Node] = []
        self._style = PLAIN
        self._voice: str | None = None
        self._language: str | None = None
        self._time: int | None = None
        self._base = 0
        """Index of the first run of the ruby text that is open."""
        self._gloss: list[str] = []
        """The reading that is being collected for it."""
        self.unheld: dict[str, None] = {}

    def say(self, text: str) -> None:
        if not text:
            return
        if self._is_open("rt"):
            self._gloss.append(text)
        else:
            run = Run(text, self._style, self._voice, language=self._language)
            self._runs.append((run, self._time))

    def _is_open(self, name: str) -> bool:
        return any(node.name == name for node in self._open)

    def _settle_ruby(self) -> None:
        """Put the reading above what was said since the ruby began, or since its last reading."""
        text = " ".join("".join(self._gloss).split())
        for index in range(self._base, len(self._runs)):
            run, time = self._runs[index]
            self._runs[index] = replace(run, ruby=text or None), time
        self._gloss, self._base = [], len(self._runs)

    def moment(self, ms: int | None) -> None:
        if ms is not None and (self._time is None or ms > self._time):
            self._time = ms

    def tag(self, match: re.Match[str]) -> None:
        name = match["name"]
        if match["end"]:
            self._close(name)
            return
        if (name == "rt" and (not self._open or self._open[-1].name != "ruby")) or len(self._open) == _DEEPEST:
            return
        self._open.append(_Node(name, self._style, self._voice, self._language))
        annotation = html.unescape(match["annotation"] or "").strip()
        annotation = " ".join(annotation.split())
        if name in _FLAGS:
            self._style = self._style.flagged(_FLAGS[name])
        elif name == "v" and annotation:
            self._voice = annotation
        elif name == "lang" and annotation:
            self._language = annotation
        elif name == "ruby":
            self._base = len(self._runs)
        for klass in filter(None, match["classes"].split(".")):
            self._style = self._classed(klass)

    def _classed(self, name: str) -> Style:
        background = name.startswith("bg_")
        if match := _OWN.match(name):
            colour = f"#{match[2]}"
        elif name.removeprefix("bg_") in COLOURS:
            colour = COLOURS[name.removeprefix("bg_")]
        else:
            look = self._sheet.get(name, PLAIN)
            style = replace(self._style, classes=(*self._style.classes, name))
            return replace(
                style,
                bold=style.bold or look.bold,
                italic=style.italic or look.italic,
                underline=style.underline or look.underline,
                colour=look.colour or style.colour,
                background=look.background or style.background,
            )
        return replace(self._style, background=colour) if background else replace(self._style, colour=colour)

    def _close(self, name: str) -> None:
        if not self._open:
            return
        if self._open[-1].name == name:
            node = self._open.pop()
        elif name == "ruby" and self._open[-1].name == "rt":
            self._open.pop()
            node = self._open.pop()
        else:
            return
        if name == "rt" or self._gloss:
            self._settle_ruby()
        self._style, self._voice, self._language = node.style, node.voice, node.language

    def timed(self, start_ms: int, end_ms: int) -> Iterator[Run]:
        """The runs, each with its time where the cue has inline times at all."""
        if self._gloss:
            self._settle_ruby()
        moments = sorted({time for _, time in self._runs if time is not None})
        if not moments:
            yield from (run for run, _ in self._runs)
            return
        stops = dict(zip([None, *moments], [*moments, end_ms], strict=True))
        for run, time in self._runs:
            begin = start_ms if time is None else time
            yield replace(run, said=(begin, max(stops[time], begin)))


def write_line(runs: list[Run], *, from_ms: int | None = None) -> str:
    """Write one line of a cue.

    Args:
        runs: what it is made of.
        from_ms: write inline times, where they are later than this.
    """
    parts = []
    for voice, spoken in groupby(runs, key=lambda run: run.voice):
        said = []
        for run in spoken:
            if from_ms is not None and run.said and run.said[0] > from_ms:
                from_ms = run.said[0]
                said.append(f"<{clock(from_ms, point='.', hours=True)}>")
            said.append(_tagged(run))
        text = "".join(said)
        parts.append(f"<v {escape(voice)}>{text}</v>" if voice else text)
    return "".join(parts)


def _tagged(run: Run) -> str:
    text, style = escape(run.text), run.style
    if run.ruby:
        text = f"<ruby>{text}<rt>{escape(run.ruby)}</rt></ruby>"
    for name, flag in _FLAGS.items():
        if getattr(style, flag):
            text = f"<{name}>{text}</{name}>"
    classes = "".join(f".{name}" for name in _classes(style))
    if classes:
        text = f"<c{classes}>{text}</c>"
    return f"<lang {escape(run.language)}>{text}</lang>" if run.language else text


def _classes(style: Style) -> Iterator[str]:
    yield from style.classes
    if style.colour:
        yield _CLASSES.get(style.colour, f"x{style.colour[1:]}")
    if style.background:
        yield f"bg_{_CLASSES.get(style.background, f'x{style.background[1:]}')}"


def sheet_for(styles: set[Style]) -> list[str]:
    """The rules that give colours without a class of their own one."""
    rules = set()
    for style in styles:
        for name in _classes(style):
            if match := _OWN.match(name):
                rules.add(f"::cue(.{name}) {{ {'background-color' if match[1] else 'color'}: #{match[2]}; }}")
    return sorted(rules)


def escape(text: str) -> str:
    """Escape what WebVTT would take for an entity, a tag, or (`-->`) a time."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
