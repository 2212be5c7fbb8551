"""EBU STL (.stl, Tech 3264): a block about the file (GSI), then blocks of 128 bytes with a caption's times and text.

Written: teletext in double height, of 36 letters a row, which has colours; or, where letters are slanted or
underlined and none has a colour, open captions. Read: both, captions that build up (cumulative) too. Blocks that
still say the same come back byte for byte.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from subwhisper.errors import InputError
from subwhisper.subtitles.edit import exact_rate, flattened
from subwhisper.subtitles.formats import stl_text
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.grid import rows_of, spelled
from subwhisper.subtitles.formats.reading import Clerk, Marked, Row, collect, unchanged
from subwhisper.subtitles.formats.timecode import NTSC, PAL, TimeCode, frame_at, time_code, time_of
from subwhisper.subtitles.markup import Placement, Raw, RawBlock, Side
from subwhisper.subtitles.markup import Row as Third
from subwhisper.subtitles.runs import Run
from subwhisper.subtitles.track import Cue, Track

FORMAT = "stl"
HEAD = "programme"
_GSI, _TTI, _TEXT = 1024, 128, 112
_BLOCK = struct.Struct("<BHBB4B4BBBB112s")
_FIELDS = {  # first byte and length
    "DFC": (3, 8), "DSC": (11, 1), "CCT": (12, 2), "LC": (14, 2), "TNB": (238, 5), "TNS": (243, 5), "MNR": (253, 2),
    "TCP": (256, 8), "TCF": (264, 8),
}  # fmt: skip
_NEW = {0: b"850", 224: b"000000000000", 236: b"00", 248: b"001", 251: b"4023100000000", 272: b"11"}
"""What a new file says in the other fields: code page, dates, groups, columns and rows, disks."""
_RATES = {"STL23.01": Fraction(24000, 1001), "STL24.01": Fraction(24), "STL25.01": PAL, "STL30.01": NTSC}
_LATIN = (
    "sq br ca hr cy cs da de en es eo et eu fo fr fy ga gd gl is it se la lv lb lt hu mt nl no oc pl pt ro rm sr sk sl "
    "fi sv tr nl wa"
)  # from 01 up
_OTHER = "am ar hy as az bm be bn bg my zh cv prs ff ka el gu gn ha he hi id ja kn kk km ko lo mk mg ms mo mr nd ne or"
"""From 7F down."""
_LANGUAGES = {
    **{f"{number:02X}": code for number, code in enumerate(_LATIN.split(), start=1)},
    **{f"{0x7F - number:02X}": code for number, code in enumerate(_OTHER.split())},
    "5A": "fa", "59": "pa", "58": "ps", "57": "qu", "56": "ru", "52": "si", "51": "so", "4F": "sw", "4D": "ta",
    "4B": "te", "4A": "th", "49": "uk", "48": "ur", "47": "uz", "46": "vi", "45": "zu",
}  # fmt: skip
_ROWS = 23
"""Of a teletext page, without its head."""
_SIDES: tuple[Side, ...] = ("center", "left", "center", "right")
_LAST_EXTENSION, _WHOLE = 0xEF, 0xFF
_MOST_ROWS = 11


def write(track: Track, *, fps: float | None = None) -> bytes:
    """Write a track.

    Args:
        track: what is shown; captions on screen together become one.
        fps: frames per second. The format has 25 and 29.97, for which 30 stands too; the first is for any other, and
            `None` those of the file that the track comes from.

    Raises:
        OutputError: a caption later than a time code can say.
    """
    return _Writer(flattened(track), exact_rate(fps) if fps else None).content()


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the texts of a file are to be read."""

    table: stl_text.Table
    teletext: bool
    n_rows: int = _ROWS

    @property
    def places(self) -> range:
        return range(1, self.n_rows + 1)


class _Writer:
    def __init__(self, track: Track, rate: Fraction | None) -> None:
        self._track = track
        own = next((block.text for block in track.raw if (block.format, block.kind) == (FORMAT, HEAD)), None)
        self._own = own.encode("latin-1", "replace") if own and len(own) == _GSI else None
        self._kind = _kind(self._own) if self._own else _fitting(track)
        if not all(letter in self._kind.table for letter in spelled(track.text, _fitting(track).table)):
            self._own, self._kind = None, _fitting(track)
        rate = rate or (_rate(self._own) if self._own else None)
        self._rate = NTSC if rate in (NTSC, 30) else PAL
        self._origin_ms = (_start(self._own, self._rate) if self._own else None) or 0

    def content(self) -> bytes:
        blocks = [
            block
            for number, cue in enumerate(self._track.cues)
            for block in self._blocks(number, cue, self._times(cue))
        ]
        return b"".join([self._head(len(blocks)), *blocks])

    def _times(self, cue: Cue) -> tuple[TimeCode, TimeCode]:
        start, end = (frame_at(ms + self._origin_ms, self._rate) for ms in (cue.start_ms, cue.end_ms))
        return time_code(start, self._rate), time_code(max(end, start + 1), self._rate)

    def _head(self, n_blocks: int) -> bytes:
        head = bytearray(self._own or b" " * _GSI)
        for place, value in _NEW.items() if self._own is None else ():
            head[place : place + len(value)] = value
        cues = self._track.cues
        code = next((code for code, name in _LANGUAGES.items() if name == self._track.language), "00")
        said = {
            "DFC": "STL25.01" if self._rate == PAL else "STL30.01",
            "DSC": "1" if self._kind.teletext else "0",
            "CCT": self._kind.table.number,
            "LC": code,
            "TNB": f"{n_blocks:05}",
            "TNS": f"{len(cues):05}",
            "TCP": _digits(time_code(frame_at(self._origin_ms, self._rate), self._rate)),
            "TCF": _digits(self._times(cues[0])[0] if cues else (0, 0, 0, 0)),
        }
        for name, text in said.items():
            place, length = _FIELDS[name]
            head[place : place + length] = text.encode("ascii")[:length]
        return bytes(head)

    def _blocks(self, number: int, cue: Cue, times: tuple[TimeCode, TimeCode]) -> Iterator[bytes]:
        group, place, side, text = self._said(cue)
        parts = [text[at : at + _TEXT] for at in range(0, len(text), _TEXT)] or [b""]
        for index, part in enumerate(parts):
            extension = _WHOLE if index == len(parts) - 1 else min(index, _LAST_EXTENSION)
            filled = part.ljust(_TEXT, bytes([stl_text.UNUSED]))
            yield _BLOCK.pack(group, number & 0xFFFF, extension, 0, *times[0], *times[1], place, side, 0, filled)

    def _said(self, cue: Cue) -> tuple[int, int, int, bytes]:
        """Group, row, side and text of a caption: its own where they still say the same."""
        if self._own and cue.raw and cue.raw.format == FORMAT and not cue.highlighted:
            text = cue.raw.text.encode("latin-1", "replace")
            group, place, side = _numbers(cue.raw.settings)
            marked = _marked(text, place, side, self._kind)
            if marked.placement == cue.placement and unchanged(cue, marked):
                return group, place, side, text
        placement = cue.placement or Placement()
        width = stl_text.TELETEXT_CELLS if self._kind.teletext else 99
        rows = rows_of(cue, self._kind.table, width, _MOST_ROWS)
        text = stl_text.write_rows(rows, self._kind.table, teletext=self._kind.teletext)
        height = len(rows) * (2 if self._kind.teletext else 1)
        return 0, _place(placement.row, height, self._kind), _SIDES.index(placement.side) or 2, text


def _fitting(track: Track) -> _Kind:
    """How a track is best written."""
    styles = [span.style for cue in track.cues for span in cue.spans]
    slanted = any(style.italic or style.underline for style in styles) or any(cue.highlighted for cue in track.cues)
    teletext = not slanted or any(style.colour for style in styles)
    return _Kind(stl_text.best_table(track.text), teletext)


def _place(row: Third, height: int, kind: _Kind) -> int:
    """The row of the screen in which a caption begins."""
    last = max(kind.n_rows - height + 1, 1)
    return {"top": 1, "middle": (last + 1) // 2, "bottom": last}[row]


def read(content: bytes, source: str, report: Report | None = None, *, fps: float | None = None) -> Track:
    """Read a file's bytes.

    Args:
        content: of the file.
        source: names it in messages.
        report: hears of repairs.
        fps: frames per second, where the file does not say.

    Raises:
        InputError: it is no EBU STL file.
    """
    if len(content) < _GSI or content[3:6] != b"STL":
        raise InputError(f"{source}: this is no EBU STL file, which begins with 1024 bytes about itself")
    clerk = Clerk(source, report)
    head = content[:_GSI]
    rate = _rate(head)
    if rate is None:
        rate = exact_rate(fps or 25)
        clerk(0, f"the file does not say its frame rate; {float(rate):g} frames a second are assumed (--fps)")
    kind = _kind(head)
    found = list(_gathered(content[_GSI:], clerk))
    rows = list(_rows(found, kind, rate, _origin(head, rate, found, clerk), clerk))
    track = collect(rows, clerk, raw=[RawBlock(FORMAT, HEAD, head.decode("latin-1"))])
    return replace(track, language=_LANGUAGES.get(_field(head, "LC").upper()))


def _field(head: bytes, name: str) -> str:
    place, length = _FIELDS[name]
    return head[place : place + length].decode("latin-1").strip()


def _kind(head: bytes) -> _Kind:
    teletext = _field(head, "DSC") in ("1", "2")
    rows = _field(head, "MNR")
    n_rows = int(rows) if rows.isdecimal() and int(rows) and not teletext else _ROWS
    return _Kind(stl_text.Table(_field(head, "CCT")), teletext, n_rows)


def _rate(head: bytes) -> Fraction | None:
    return _RATES.get(_field(head, "DFC"))


def _start(head: bytes, rate: Fraction) -> int | None:
    """When the programme begins on the clock of its captions, in milliseconds."""
    digits = _field(head, "TCP")
    if not re.fullmatch("[0-9]{8}", digits):
        return None
    hours, minutes, seconds, frames = (int(digits[at : at + 2]) for at in (0, 2, 4, 6))
    return time_of((hours, minutes, seconds, frames), rate)


def _digits(code: TimeCode) -> str:
    return "".join(f"{part:02}" for part in code)


@dataclass(frozen=True, slots=True)
class _Caption:
    """A caption as it stands in one block, or several that go on."""

    number: int
    """Of its last block, from 1."""
    group: int
    builds_up: int
    """0 alone, 1 first, 2 next and 3 last of captions that build up."""
    start: TimeCode
    end: TimeCode
    place: int
    side: int
    is_comment: bool
    text: bytes


def _origin(head: bytes, rate: Fraction, found: list[_Caption], clerk: Clerk) -> int:
    """The time on the captions' clock that is 0 of the programme."""
    start = _start(head, rate)
    if start is None:
        clerk(0, "the file does not say when its programme begins; 00:00:00 is assumed")
    elif found and all(time_of(one.end, rate) <= start for one in found):
        clerk(0, "every caption comes before the programme is said to begin; 00:00:00 is assumed")
        return 0
    return start or 0


def _gathered(content: bytes, clerk: Clerk) -> Iterator[_Caption]:
    text = b""
    for number, at in enumerate(range(0, len(content) - _TTI + 1, _TTI), start=1):
        group, _, extension, builds_up, *times, place, side, comment, part = _BLOCK.unpack(content[at : at + _TTI])
        if _LAST_EXTENSION < extension < _WHOLE:
            clerk(0, f"left out block {number}, which holds no caption")
            continue
        if len(text) < _LAST_EXTENSION * _TEXT:  # more cannot be numbered
            text += part.partition(bytes([stl_text.UNUSED]))[0]
        if extension == _WHOLE:
            start, end = (tuple(times[:4]), tuple(times[4:]))
            yield _Caption(number, group, builds_up, start, end, place, side, comment == 1, text)
            text = b""
    if rest := len(content) % _TTI:
        clerk(0, f"left out {rest} bytes at the end, which are no whole block")


def _rows(found: list[_Caption], kind: _Kind, rate: Fraction, origin_ms: int, clerk: Clerk) -> Iterator[Row]:
    shown: list[_Caption] = []
    for index, one in enumerate(found):
        if one.is_comment:
            clerk(0, f"left out block {one.number}, a comment")
            continue
        shown = [*shown[-_MOST_ROWS:], one] if one.builds_up in (2, 3) else [one]
        start, end = (time_of(code, rate) - origin_ms for code in (one.start, one.end))
        after = found[index + 1] if index + 1 < len(found) else None
        if after and after.builds_up in (2, 3) and one.builds_up:  # it goes on, with more below it
            end = min(end, time_of(after.start, rate) - origin_ms)
        if end <= 0:
            clerk(0, f"left out block {one.number}, which comes before the programme")
            continue
        marked = [_marked(part.text, part.place, part.side, kind) for part in shown]
        runs = tuple(run for part in marked for run in (*part.runs, Run("\n")))
        raw = None
        if len(shown) == 1:
            settings = f"{one.group},{one.place},{one.side}"
            raw = Raw(FORMAT, one.text.decode("latin-1"), settings, unheld=marked[0].unheld)
        yield Row(0, max(start, 0), end, runs, marked[0].placement, raw)


def _marked(text: bytes, place: int, side: int, kind: _Kind) -> Marked:
    said = stl_text.parse(text, kind.table, teletext=kind.teletext)
    middle = (place - 1 + said.n_rows / 2) / kind.n_rows
    row: Third = "top" if middle < 1 / 3 else "middle" if middle < 2 / 3 else "bottom"
    placement = Placement(row, _SIDES[side & 3])
    unheld = said.unheld if place == _place(row, said.n_rows, kind) else (*said.unheld, "row of the screen")
    return Marked(said.runs, None if placement == Placement() else placement, unheld)


def _numbers(settings: str) -> tuple[int, int, int]:
    parts = [int(part) & 0xFF for part in settings.split(",") if part.isdecimal()]
    group, place, side = parts if len(parts) == 3 else (0, 1, 2)
    return group, place, side
