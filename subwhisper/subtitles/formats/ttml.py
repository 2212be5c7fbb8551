"""TTML (.ttml, .xml, .dfxp): W3C's timed text, of which IMSC 1.1 text is the profile written here.

Read: nested times, clock times, frames and ticks; style sheets, inherited looks, regions, agents, ruby, spans with
times of their own (as karaoke and Apple's lyrics have them).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import Clerk, Marked, Row, collect
from subwhisper.subtitles.formats.ttml_styles import (
    INHERITED,
    XML,
    Look,
    Sheet,
    local,
    placement_of,
    style_of,
    usual_look,
)
from subwhisper.subtitles.formats.ttml_times import TimeBase, parse_time, time_base
from subwhisper.subtitles.markup import Raw, RawBlock
from subwhisper.subtitles.runs import Run
from subwhisper.subtitles.track import Track

FORMAT = "ttml"
TTML = "http://www.w3.org/ns/ttml"
_DRAFTS = ("http://www.w3.org/2006/04/ttaf1", "http://www.w3.org/2006/10/ttaf1")
"""Namespaces of the standard before it was one."""
HEAD = "head"
_DEEPEST = 60
_PARAGRAPH = re.compile(r"<!--.*?(?:-->|\Z)|<(?:\w{1,20}:)?p(?=[\s>/])", re.DOTALL)
_UNTIMED_MS = 4000


@dataclass(frozen=True, slots=True)
class Context:
    """What an element inherits."""

    begin: int
    """Milliseconds at which the times of its children count from 0."""
    end: int | None
    look: Look
    region: str | None = None
    agent: str | None = None
    language: str | None = None


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it is not TTML, or no element of it can be read.
    """
    clerk = Clerk(source, report)
    root = _parse(text, source, clerk)
    if local(root.tag) != "tt":
        raise InputError(f"{source}, line 1: this XML is not TTML, whose first element is tt")
    document = Document(root)
    rows = list(document.rows(_lines_of_paragraphs(text), clerk))
    head = document.head
    blocks = [] if head is None else [RawBlock(FORMAT, HEAD, ElementTree.tostring(head, encoding="unicode"))]
    track = collect(rows, clerk, raw=blocks, karaoke=any(run.said for row in rows for run in row.runs))
    return replace(track, language=root.get(f"{XML}lang") or None)


def _parse(text: str, source: str, clerk: Clerk) -> Element:
    """The tree of a document; of a broken one, what comes before the break."""
    if "<!ENTITY" in text:
        raise InputError(f"{source}: entities are not read, since they can grow without end")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", lambda match: "\n" * match[0].count("\n"), text.removeprefix("\ufeff"))
    for draft in _DRAFTS:
        text = text.replace(draft, TTML)
    parser: Any = ElementTree.XMLPullParser(["start", "end"])
    try:
        parser.feed(text)
        parser.close()
    except ElementTree.ParseError as error:
        root = _root(parser, source)
        line, _ = error.position
        if root is None:
            raise InputError(f"{source}, line {line}: this is not XML: {error.msg}") from error
        clerk(line, f"the XML is broken here ({error.msg}); what comes before it was read")
        return root
    root = _root(parser, source)
    if root is None:
        raise InputError(f"{source}: this XML is empty")
    return root


def _root(parser: Any, source: str) -> Element | None:
    """The first element, which holds all that was read."""
    root: Element | None = None
    depth = 0
    try:
        for event, element in parser.read_events():
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            if depth > _DEEPEST:
                raise InputError(f"{source}: elements are nested more than {_DEEPEST} deep")
    except ElementTree.ParseError:
        pass
    return root


def _lines_of_paragraphs(text: str) -> Iterator[int]:
    """The line of each paragraph in the file: the tree does not tell."""
    line, position = 1, 0
    for match in _PARAGRAPH.finditer(text):
        if not match[0].startswith("<!--"):
            line += text.count("\n", position, match.start())
            position = match.start()
            yield line
    while True:
        yield line


class Document:
    """The tree of a TTML document, and how to read paragraphs in it."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.head = next((child for child in root if local(child.tag) == "head"), None)
        self.body = next((child for child in root if local(child.tag) == "body"), None)
        self.sheet = Sheet(self.head)
        self._base: TimeBase = time_base({local(name): value for name, value in root.attrib.items()})
        self._agents = _agents(self.head)
        self._language = root.get(f"{XML}lang")
        # Apple's lyrics count every time from the beginning of the song, where the standard nests them.
        self._nests = not any("itunes" in name or "lyric-ttml" in name for name in root.attrib)
        self._usual: Look = {}

    def rows(self, lines: Iterator[int], clerk: Clerk) -> Iterator[Row]:
        """Every paragraph of the body."""
        if self.body is None:
            return
        top = Context(0, None, {}, language=self._language)
        found = list(self._paragraphs(self.body, top, 0))
        self.settle(found)
        for (element, context), line in zip(found, lines, strict=False):
            yield self._row(element, context, line, clerk)

    def settle(self, paragraphs: Iterable[tuple[Element, Context]]) -> None:
        """Find out which look is the usual one, so that only what differs from it is special."""
        self._usual = usual_look(self._own_look(element, context) for element, context in paragraphs)

    def _paragraphs(self, element: Element, context: Context, depth: int) -> Iterator[tuple[Element, Context]]:
        if local(element.tag) == "p":
            yield element, context
            return
        inner = self._entered(element, context)
        if depth < _DEEPEST:
            for child in element:
                if local(child.tag) in ("div", "p"):
                    yield from self._paragraphs(child, inner, depth + 1)

    def _entered(self, element: Element, context: Context) -> Context:
        begin, end = self._times(element, context)
        own = self.sheet.own(element)
        inherited = {name: value for name, value in context.look.items() if name in INHERITED}
        return Context(
            begin,
            end,
            inherited | own,
            element.get("region") or context.region,
            _agent(element) or context.agent,
            element.get(f"{XML}lang") or context.language,
        )

    def _times(self, element: Element, context: Context) -> tuple[int, int | None]:
        begin, end, duration = (parse_time(element.get(name, ""), self._base) for name in ("begin", "end", "dur"))
        origin = context.begin if self._nests else 0
        if begin is not None and context.end is not None and origin + begin >= context.end > begin:
            origin = 0  # times that make sense only when counted from the beginning
        start = context.begin if begin is None else origin + begin
        stops = [context.end] if context.end is not None else []
        stops += [origin + end] if end is not None else []
        stops += [start + duration] if duration is not None else []
        return start, min(stops) if stops else None

    def _own_look(self, element: Element, context: Context) -> Look:
        region = self.sheet.region(element.get("region") or context.region)
        inherited = {name: value for name, value in (region | context.look).items() if name in INHERITED}
        return inherited | self.sheet.own(element)

    def _row(self, element: Element, context: Context, line: int, clerk: Clerk) -> Row:
        start, end = self._times(element, context)
        if end is None:
            clerk(line, f"a paragraph without an end; shown for {_UNTIMED_MS // 1000} seconds")
            end = start + _UNTIMED_MS
        marked = self.marked(element, context, start, end)
        text = self._standing_alone(element, context) if self._nests else ""
        raw = Raw(FORMAT, text, name=element.get(f"{XML}id", ""), unheld=marked.unheld)
        return Row(line, start, end, marked.runs, marked.placement, raw)

    def marked(self, element: Element, context: Context, start: int, end: int) -> Marked:
        """What a paragraph says and how."""
        look = self._own_look(element, context)
        region = self.sheet.region(element.get("region") or context.region)
        inner = replace(
            self._entered(element, context), begin=start, end=end, look=look, agent=_agent(element) or context.agent
        )
        reader = _Paragraph(self, self._usual, self._agents, self._language)
        reader.take(element, inner, None, 0)
        return Marked(tuple(reader.runs), placement_of(look, region), tuple(reader.unheld))

    def inner_times(self, element: Element, context: Context) -> tuple[int, int] | None:
        """When a span is said, where it says so."""
        if "begin" not in element.attrib:
            return None
        start, end = self._times(element, context)
        return (start, max(end, start)) if end is not None else None

    def _standing_alone(self, element: Element, context: Context) -> str:
        """The paragraph's own XML, with what it inherits from the body said on it."""
        copy = Element(element.tag, {**element.attrib})
        copy.text = element.text
        copy.extend(element)
        own = self.sheet.own(element)
        for name, value in context.look.items():
            if name in INHERITED and name not in own:
                copy.set(f"{{{TTML}#styling}}{name}", value)
        for name, inherited in (("region", context.region), (f"{{{TTML}#metadata}}agent", context.agent)):
            if inherited and name not in copy.attrib:
                copy.set(name, inherited)
        return ElementTree.tostring(copy, encoding="unicode").strip()


class _Paragraph:
    """Collects the runs of one paragraph."""

    def __init__(self, document: Document, usual: Look, agents: Mapping[str, str], language: str | None) -> None:
        self._document, self._usual, self._agents, self._language = document, usual, agents, language
        self.runs: list[Run] = []
        self.unheld: dict[str, None] = {}

    def take(self, element: Element, context: Context, said: tuple[int, int] | None, depth: int) -> None:
        self._say(element.text, context, said)
        for child in element:
            self._child(child, context, said, depth)
            self._say(child.tail, context, said)

    def _child(self, child: Element, context: Context, said: tuple[int, int] | None, depth: int) -> None:
        name = local(child.tag)
        if name == "br":
            self.runs.append(Run("\n"))
        elif name == "span" and depth < _DEEPEST:
            own = self._document.sheet.own(child)
            if (ruby := own.get("ruby")) in ("text", "textContainer"):
                self._gloss("".join(child.itertext()))
            elif ruby != "delimiter":
                look = {n: v for n, v in context.look.items() if n in INHERITED | {"backgroundColor"}} | own
                inner = replace(
                    context,
                    look=look,
                    agent=_agent(child) or context.agent,
                    language=child.get(f"{XML}lang") or context.language,
                )
                times = self._document.inner_times(child, context)
                if times:
                    inner = replace(inner, begin=times[0], end=times[1])
                self.take(child, inner, times or said, depth + 1)
        elif name == "set":
            self.unheld["animation"] = None

    def _gloss(self, text: str) -> None:
        for index in reversed(range(len(self.runs))):
            if self.runs[index].text.strip():
                self.runs[index] = replace(self.runs[index], ruby=" ".join(text.split()) or None)
                return

    def _say(self, text: str | None, context: Context, said: tuple[int, int] | None) -> None:
        if text:
            language = context.language if context.language != self._language else None
            voice = self._agents.get(context.agent or "", context.agent)
            text = re.sub(r"\s*\n\s*", " ", text)
            self.runs.append(Run(text, style_of(context.look, self._usual), voice, language=language, said=said))


def _agent(element: Element) -> str | None:
    return next((value for name, value in element.attrib.items() if local(name) == "agent"), None)


def _agents(head: Element | None) -> dict[str, str]:
    names = {}
    for element in head.iter() if head is not None else ():
        if local(element.tag) == "agent":
            name = next((child.text for child in element if local(child.tag) == "name" and child.text), None)
            identifier = element.get(f"{XML}id")
            if identifier and name:
                names[identifier] = " ".join(name.split())
    return names
