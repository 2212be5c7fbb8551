"""Advanced SubStation Alpha (.ass) and SubStation Alpha v4 (.ssa), their headers through pysubs2.

Times are kept to a hundredth of a second. No caption text can act as markup. Events are read and written here:
pysubs2 gives a file up for one broken line, and stops the clock at 9:59:59.99, where players go on.
"""

import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from subwhisper.errors import InputError
from subwhisper.subtitles.formats import overrides
from subwhisper.subtitles.formats.ass_styles import dress, in_states, plain_styles, style_names
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.overrides import Page
from subwhisper.subtitles.formats.reading import Clerk, Row, collect, file_lines, quoted, sized_for, unchanged
from subwhisper.subtitles.markup import PLAIN, Raw, RawBlock, Style
from subwhisper.subtitles.runs import Run, decompose
from subwhisper.subtitles.style import CaptionStyle
from subwhisper.subtitles.track import Cue, Track

if TYPE_CHECKING:
    import pysubs2

FORMAT = "ass"
Version = Literal["ass", "ssa"]

_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_KEPT = ("layer", "style", "name", "marginl", "marginr", "marginv", "effect")
_TIME = re.compile(r"\s*(\d{1,6}):(\d{1,2}):(\d{1,2})(?:[.:,](\d{1,3}))?\s*$")
_STYLES, _AFTER = "styles", "attachments"
_SECTION = re.compile(r"\s*\[[^\]]{1,40}\]\s*$")
_USUAL = "Default"


def write(
    track: Track,
    *,
    width: int = 1920,
    height: int = 1080,
    style: CaptionStyle | None = None,
    states: bool = False,
) -> str:
    """Write a track.

    Args:
        track: what is shown.
        width: pixels of the picture; any other of that shape scales.
        height: the same, up and down.
        style: how it is drawn; `None` keeps the styles of a track that comes from such a file.
        states: draw words said, being said (highlighted) and yet to come in the style's three ways, not underlined.
    """
    return _Writer(track, width, height, style, "ass", states=states).text()


def write_v4(track: Track) -> str:
    """Write a track as SubStation Alpha v4."""
    return _Writer(track, 1920, 1080, None, "ssa").text()


class _Writer:
    def __init__(
        self,
        track: Track,
        width: int,
        height: int,
        style: CaptionStyle | None,
        version: Version,
        *,
        states: bool = False,
    ) -> None:
        self._track, self._version = track, version
        self._states = (style or CaptionStyle()) if states else None
        own = [block for block in track.raw if block.format == FORMAT and style is None]
        header = next((block.text for block in own if block.kind == _STYLES), None)
        self._after = [block.text for block in own if block.kind == _AFTER]
        self._lines = [block for block in own if block.kind not in (_STYLES, _AFTER)]
        self._keeps_styles = header is not None
        self._names = {} if self._keeps_styles else style_names(track, style or CaptionStyle())
        if header is None:
            header = _header(dress(track, style or CaptionStyle(), width, height), version)
        elif _version(header) != version:
            header = _header(_document(header), version)
        self._head, self._page = header, _page(_document(header), _version(header))

    def text(self) -> str:
        first = "Layer" if self._version == "ass" else "Marked"
        fields = f"Format: {first}, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
        parts = [self._head.rstrip("\n"), "", "[Events]", fields, *self._events()]
        if self._after:
            parts += ["", *(text.rstrip("\n") for text in self._after)]
        return "\n".join(parts) + "\n"

    def _events(self) -> Iterator[str]:
        earliest, waiting = 0, list(self._lines)
        for index, cue in enumerate(self._track.cues):
            while waiting and waiting[0].before <= index:
                yield _retimed(waiting.pop(0))
            start, end = _hundredths(cue, 0 if self._track.overlapping else earliest)
            earliest = end
            yield self._event(cue, start, end)
        yield from map(_retimed, waiting)

    def _event(self, cue: Cue, start: int, end: int) -> str:
        raw = cue.raw if cue.raw and cue.raw.format == FORMAT and self._keeps_styles else None
        kept = raw.settings.split(",") if raw else []
        layer, style, name, *rest = kept if len(kept) == len(_KEPT) else ["0", _USUAL, "", "0", "0", "0", ""]
        voice = next(iter(cue.voices), "")
        if _field(voice) != name.strip():
            name = _field(voice)
        style = self._names.get(voice, style) if not raw else style
        layer = layer if self._version == "ass" else "Marked=0"
        text = self._text(cue, raw, style, voice, start)
        return f"Dialogue: {','.join([layer, _clock(start), _clock(end), style, name, *rest, text])}"

    def _text(self, cue: Cue, raw: Raw | None, style: str, voice: str, start: int) -> str:
        karaoke = self._track.karaoke and bool(cue.words)
        if raw and not cue.highlighted:
            marked = overrides.parse(raw.text, page=self._page, style=style, start_ms=cue.start_ms, voice=voice or None)
            if marked.placement == cue.placement and unchanged(cue, marked, words=karaoke):
                return raw.text
        base, alignment = self._page.styles.get(style, (PLAIN, 2))
        if self._states and cue.words:
            place = overrides.codes(cue.placement, self._page, usual=alignment if cue.placement else 2)
            return place + in_states(cue, self._states)
        place = overrides.codes(cue.placement, self._page, usual=alignment if cue.placement or raw else 2)
        pen = _Pen(base, style, self._names, 10 * start if karaoke else None)
        return place + "\\N".join(pen.line(runs) for runs in decompose(sized_for(cue, FORMAT), words=karaoke))


class _Pen:
    """Writes the lines of one event one after another: looks, named styles and karaoke go on from line to line."""

    def __init__(self, base: Style, style: str, names: dict[str, str], clock_ms: int | None) -> None:
        self._base, self._style, self._name = base, base, style
        self._own, self._names = style, names
        self._clock_ms = clock_ms
        self._said: tuple[int, int] | None = None

    def line(self, runs: list[Run]) -> str:
        text = "".join(f"{self._named(run)}{self._timed(run)}{self._drawn(run)}" for run in runs)
        text += overrides.close(self._style, self._base)
        self._style = self._base
        return text

    def _drawn(self, run: Run) -> str:
        text, self._style = overrides.write_line([run], self._style, self._base)
        return text

    def _named(self, run: Run) -> str:
        """Change to the style of who speaks, or of the language."""
        name = next((self._names[key] for key in (*run.style.classes, run.voice) if key in self._names), self._own)
        if name == self._name:
            return ""
        self._name, self._style = name, self._base
        return f"{{\\r{name if name != self._own else ''}}}"

    def _timed(self, run: Run) -> str:
        if self._clock_ms is None or run.said == self._said or not run.text.strip():
            return ""
        self._said = run.said
        if run.said is None:
            return "{\\k0}"
        start, end = (round(ms, -1) for ms in run.said)
        wait = f"{{\\k{(start - self._clock_ms) // 10}}}" if start > self._clock_ms else ""
        lasts = max(end - max(start, self._clock_ms), 10)
        self._clock_ms = max(start, self._clock_ms) + lasts
        return f"{wait}{{\\k{lasts // 10}}}"


def _field(text: str) -> str:
    return " ".join(text.replace(",", " ").split())


def _clock(hundredths: int) -> str:
    seconds, rest = divmod(hundredths, 100)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}.{rest:02}"


def _hundredths(cue: Cue, earliest: int) -> tuple[int, int]:
    """Round inwards, so that no cue comes early or overlaps; one shorter than that gets a hundredth."""
    start = max(math.ceil(cue.start_ms / 10), earliest)
    return start, max(cue.end_ms // 10, start + 1)


def _retimed(block: RawBlock) -> str:
    """A comment or drawing with its times as they are now."""
    if block.times is None:
        return block.text
    kind, _, rest = block.text.partition(":")
    first, _, _, tail = rest.split(",", 3)
    start, end = (_clock(max(ms, 0) // 10) for ms in block.times)
    return f"{kind}:{first},{start},{end},{tail}"


def _version(header: str) -> Version:
    return "ssa" if re.search(r"^\s*scripttype:\s*v4\.00\s*$", header, re.IGNORECASE | re.MULTILINE) else "ass"


def _document(header: str) -> "pysubs2.SSAFile":
    """What pysubs2 understands of a header: styles and script info. Lines that it stumbles over are left out."""
    import pysubs2  # 40 ms to load: only for this format

    lines = header.split("\n")
    version = _version(header)
    for attempt in (lines, [line for line in lines if not line.startswith("Style:") or _is_style(line, version)]):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return pysubs2.SSAFile.from_string("\n".join(attempt), format_=version)
        except (pysubs2.Pysubs2Error, ValueError, KeyError, IndexError, AttributeError, AssertionError, TypeError):
            continue
    return pysubs2.SSAFile()


def _is_style(line: str, version: Version) -> bool:
    import pysubs2

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pysubs2.SSAFile.from_string(line, format_=version)
    except (pysubs2.Pysubs2Error, ValueError, KeyError, IndexError, AttributeError, AssertionError, TypeError):
        return False
    return True


def _header(document: "pysubs2.SSAFile", version: Version) -> str:
    document.info.pop("ScriptType", None)
    text = document.to_string(version)
    return text[: text.index("[Events]")].rstrip() + "\n"


def _page(document: "pysubs2.SSAFile", version: Version) -> Page:
    """What the codes of events refer to; looks are told against the style most captions have."""
    usual = document.styles.get(_USUAL) or next(iter(document.styles.values()), None)
    width, height = (_pixels(document.info.get(name), 0) for name in ("PlayResX", "PlayResY"))
    if not (width and height):  # as libass guesses
        width, height = (width or round(height * 4 / 3) or 384), (height or round(width * 3 / 4) or 288)
    styles = plain_styles(document.styles, usual) if usual else {}
    return Page(width, height, styles)


def _pixels(text: str | None, missing: int) -> int:
    return int(text) if text and text.strip().isdecimal() and len(text) < 7 else missing


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text, of either version; `source` names it in messages.

    Raises:
        InputError: it is not ASS or SSA.
    """
    lines = file_lines(text)
    if not any(line.strip().lower() == "[events]" for line in lines):
        raise InputError(f"{source}, line 1: this is not a SubStation file: it has no [Events]")
    script = _sections(lines)
    header = "\n".join(script.before)
    page = _page(_document(header), _version(header))
    clerk = Clerk(source, report)
    rows: list[Row] = []
    blocks = [RawBlock(FORMAT, _STYLES, header)] if header.strip() else []
    for number, line in script.events:
        kind = line.partition(":")[0].strip().lower()
        if kind not in ("dialogue", "comment"):
            if line.strip() and kind not in ("format",) and not line.startswith(";"):
                clerk(number, f"left out a line that is no event, {quoted(line)}")
            continue
        event = _parse_event(line, script.fields)
        if event is None:
            clerk(number, f"left out an event whose time cannot be read, {quoted(line)}")
        elif kind == "comment":
            blocks.append(RawBlock(FORMAT, "comment", line, len(rows), event.times))
        else:
            row = _row(number, event, page)
            if any(run.text.strip() for run in row.runs) or "drawing" not in (row.raw or Raw(FORMAT)).unheld:
                rows.append(row)
            else:
                blocks.append(RawBlock(FORMAT, "drawing", line, len(rows), event.times))
    if any(line.strip() for line in script.after):
        blocks.append(RawBlock(FORMAT, _AFTER, "\n".join(script.after)))
    karaoke = any(run.said for row in rows for run in row.runs)
    return collect(rows, clerk, raw=blocks, karaoke=karaoke)


@dataclass(frozen=True, slots=True)
class _Script:
    before: list[str]
    """Lines of the sections before the events."""
    events: list[tuple[int, str]]
    """With their line numbers."""
    after: list[str]
    fields: tuple[str, ...]
    """The order of an event's fields."""


def _sections(lines: list[str]) -> _Script:
    before: list[str] = []
    events: list[tuple[int, str]] = []
    after: list[str] = []
    fields: tuple[str, ...] = _FIELDS
    inside = seen = False
    for number, line in enumerate(lines, start=1):
        if _SECTION.match(line):
            inside = line.strip().lower() == "[events]"
            seen = seen or inside
            if inside:
                continue
        if inside:
            events.append((number, line))
            if line.lower().startswith("format:"):
                fields = _order(line) or fields
        else:
            (after if seen else before).append(line)
    return _Script(before, events, after, fields)


def _order(line: str) -> tuple[str, ...] | None:
    names = tuple(name.strip().lower() for name in line.partition(":")[2].split(","))
    names = tuple("name" if name == "actor" else "layer" if name == "marked" else name for name in names)
    return names if {"start", "end", "text"} <= {*names} and names[-1] == "text" else None


@dataclass(frozen=True, slots=True)
class _Event:
    times: tuple[int, int]
    values: dict[str, str]


def _parse_event(line: str, fields: tuple[str, ...]) -> _Event | None:
    values = line.partition(":")[2].split(",", len(fields) - 1)
    if len(values) < len(fields):
        return None
    named = dict(zip(fields, values, strict=True))
    start, end = _TIME.match(named["start"]), _TIME.match(named["end"])
    return _Event((_ms(start), _ms(end)), named) if start and end else None


def _ms(match: re.Match[str]) -> int:
    hours, minutes, seconds = (int(part) for part in match.group(1, 2, 3))
    return (hours * 3600 + minutes * 60 + seconds) * 1000 + int((match[4] or "0").ljust(3, "0"))


def _row(number: int, event: _Event, page: Page) -> Row:
    values = event.values
    style = values.get("style", _USUAL).strip().removeprefix("*")
    voice = values.get("name", "").strip()
    text = values["text"].strip()
    marked = overrides.parse(text, page=page, style=style, start_ms=min(event.times), voice=voice or None)
    layer = values.get("layer", "0").strip()
    margins = [values.get(name, "0").strip() for name in ("marginl", "marginr", "marginv")]
    effect = values.get("effect", "").strip()
    unheld = [
        *(["layer"] if layer not in ("", "0", "Marked=0") else []),
        *(["margin"] if any(margin.strip("0") for margin in margins) else []),
        *(["effect"] if effect else []),
    ]
    layer = layer if layer.isdecimal() else "0"
    settings = ",".join([layer, style, voice, *margins, effect])
    return Row(
        number,
        *event.times,
        marked.runs,
        marked.placement,
        Raw(FORMAT, text, settings, unheld=(*unheld, *marked.unheld)),
    )


def plain(text: str) -> str:
    """Return the text of an event as it is shown."""
    return "".join(run.text for run in overrides.parse(text).runs)


escape = overrides.escape
