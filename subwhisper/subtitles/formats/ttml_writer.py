"""TTML as IMSC 1.1 text (W3C Recommendation) asks for it: regions in percent, one paragraph per cue.

A track that comes from TTML keeps its own head, and each paragraph that still says the same its own words.
"""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from subwhisper.subtitles.formats.clock import clock
from subwhisper.subtitles.formats.reading import sized_for, unchanged
from subwhisper.subtitles.formats.ttml import FORMAT, HEAD, TTML, Context, Document
from subwhisper.subtitles.formats.ttml_styles import XML, decorated, local, region_of
from subwhisper.subtitles.markup import Placement
from subwhisper.subtitles.runs import Run, decompose
from subwhisper.subtitles.track import Cue, Track

_TTS, _TTM, _TTP = (f"{{{TTML}#{part}}}" for part in ("styling", "metadata", "parameter"))
_PROFILE = "http://www.w3.org/ns/ttml/profile/imsc1.1/text"
_PREFIXES = {
    "": TTML,
    "tts": f"{TTML}#styling",
    "ttm": f"{TTML}#metadata",
    "ttp": f"{TTML}#parameter",
    "itts": "http://www.w3.org/ns/ttml/profile/imsc1#styling",
    "itunes": "http://music.apple.com/lyric-ttml-internal",
}


def write(track: Track) -> str:
    """Write a track."""
    for prefix, uri in _PREFIXES.items():
        ElementTree.register_namespace(prefix, uri)
    root = Element(f"{{{TTML}}}tt", {f"{XML}lang": track.language or "", f"{_TTP}contentProfiles": _PROFILE})
    root.set(f"{_TTP}timeBase", "media")
    head = _head(track)
    root.append(head)
    division = SubElement(SubElement(root, f"{{{TTML}}}body"), f"{{{TTML}}}div")
    document = Document(root)
    kept = [_own_words(cue) for cue in track.cues]
    outside = Context(0, None, {}, language=track.language or "")
    document.settle((element, outside) for element in kept if element is not None)
    writer = _Writer(document, head, karaoke=track.karaoke)
    for cue, element in zip(track.cues, kept, strict=True):
        if element is not None and writer.still_says(element, outside, cue):
            paragraph = element
        else:
            paragraph = writer.paragraph(cue)
        for name in ("begin", "end", "dur"):
            paragraph.attrib.pop(name, None)
        paragraph.set("begin", clock(cue.start_ms, point=".", hours=True))
        paragraph.set("end", clock(cue.end_ms, point=".", hours=True))
        paragraph.tail = "\n"
        division.append(paragraph)
    division.text = "\n"
    for element in (root, head):
        element.text = element.text or "\n"
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _head(track: Track) -> Element:
    own = next((block.text for block in track.raw if (block.format, block.kind) == (FORMAT, HEAD)), None)
    if own is not None:
        try:
            return ElementTree.fromstring(own)
        except ElementTree.ParseError:  # damaged on its way through JSON
            pass
    head = Element(f"{{{TTML}}}head")
    style = SubElement(SubElement(head, f"{{{TTML}}}styling"), f"{{{TTML}}}style", {f"{XML}id": "captions"})
    for name, value in (("color", "white"), ("fontFamily", "proportionalSansSerif"), ("fontSize", "100%")):
        style.set(_TTS + name, value)
    return head


def _own_words(cue: Cue) -> Element | None:
    if not (cue.raw and cue.raw.format == FORMAT and cue.raw.text) or cue.highlighted:
        return None
    try:
        element = ElementTree.fromstring(cue.raw.text)
    except ElementTree.ParseError:
        return None
    return element if local(element.tag) == "p" else None


class _Writer:
    """Makes paragraphs, and the regions and agents they need."""

    def __init__(self, document: Document, head: Element, *, karaoke: bool) -> None:
        self._document, self._head, self._karaoke = document, head, karaoke
        self._regions: dict[Placement, str] = {}
        self._agents: dict[str, str] = {}
        self._taken = {element.get(f"{XML}id") for element in head.iter()}

    def still_says(self, element: Element, context: Context, cue: Cue) -> bool:
        marked = self._document.marked(element, context, cue.start_ms, cue.end_ms)
        return marked.placement == cue.placement and unchanged(cue, marked, words=self._karaoke)

    def paragraph(self, cue: Cue) -> Element:
        attributes = {"region": self._region(cue.placement or Placement())}
        if "captions" in self._taken:
            attributes["style"] = "captions"
        if cue.raw and cue.raw.format == FORMAT and cue.raw.name:
            attributes[f"{XML}id"] = cue.raw.name
        paragraph = Element(f"{{{TTML}}}p", attributes)
        for number, runs in enumerate(decompose(sized_for(cue, FORMAT), words=self._karaoke)):
            if number:
                SubElement(paragraph, f"{{{TTML}}}br")
            for run in runs:
                self._run(paragraph, run, cue)
        return paragraph

    def _run(self, paragraph: Element, run: Run, cue: Cue) -> None:
        span = Element(f"{{{TTML}}}span")
        for name, value in decorated(run.style).items():
            span.set(_TTS + name, value)
        if run.voice:
            span.set(f"{_TTM}agent", self._agent(run.voice))
        if run.language:
            span.set(f"{XML}lang", run.language)
        if run.said:
            for name, ms in zip(("begin", "end"), run.said, strict=True):
                span.set(name, f"{max(ms - cue.start_ms, 0) / 1000:g}s")
        if run.ruby:
            span.set(f"{_TTS}ruby", "container")
            SubElement(span, f"{{{TTML}}}span", {f"{_TTS}ruby": "base"}).text = run.text
            SubElement(span, f"{{{TTML}}}span", {f"{_TTS}ruby": "text"}).text = run.ruby
        elif span.attrib:
            span.text = run.text
        else:
            _append_text(paragraph, run.text)
            return
        paragraph.append(span)

    def _region(self, placement: Placement) -> str:
        if placement not in self._regions:
            name = self._free(f"{placement.row}{len(self._regions) or ''}")
            layout = _part(self._head, "layout")
            region = SubElement(layout, f"{{{TTML}}}region", {f"{XML}id": name})
            for key, value in {**region_of(placement), "textAlign": placement.side}.items():
                region.set(_TTS + key, value)
            self._regions[placement] = name
        return self._regions[placement]

    def _agent(self, voice: str) -> str:
        if voice not in self._agents:
            name = self._free(f"speaker{len(self._agents) + 1}")
            agent = SubElement(
                _part(self._head, "metadata"), f"{{{TTML}#metadata}}agent", {f"{XML}id": name, "type": "person"}
            )
            SubElement(agent, f"{{{TTML}#metadata}}name", {"type": "full"}).text = voice
            self._agents[voice] = name
        return self._agents[voice]

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def _part(head: Element, name: str) -> Element:
    """The metadata, styling or layout of a head, in the order the standard wants them."""
    found = next((child for child in head if local(child.tag) == name), None)
    if found is None:
        found = Element(f"{{{TTML}}}{name}")
        if name == "metadata":
            head.insert(0, found)
        else:
            head.append(found)
    return found


def _append_text(paragraph: Element, text: str) -> None:
    if len(paragraph):
        paragraph[-1].tail = (paragraph[-1].tail or "") + text
    else:
        paragraph.text = (paragraph.text or "") + text
