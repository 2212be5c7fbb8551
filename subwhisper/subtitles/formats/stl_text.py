"""The text of EBU STL: character tables (Tech 3264, appendix 2), control codes, line ends."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from subwhisper.subtitles.colours import NAMES
from subwhisper.subtitles.formats.grid import Cells, nearest_colour
from subwhisper.subtitles.markup import PLAIN, Style
from subwhisper.subtitles.runs import Run

_LATIN = {
    0xA0: "\u00a0¡¢£$¥\0§¤‘“«←↑→↓°±²³×µ¶·÷’”»¼½¾¿",
    0xD0: "—¹®©™♪¬¦\0\0\0\0⅛⅜⅝⅞ΩÆÐªĦ\0ĲĿŁØŒºÞŦŊŉĸæđðħıĳŀłøœßþŧŋ\u00ad",
}
"""ISO 6937's letters from these codes on; below 7F they are ASCII's."""
_ACCENTS = MappingProxyType(
    dict(
        zip(
            range(0xC1, 0xD0),
            "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\0\u030a\u0327\0\u030b\u0328\u030c",
            strict=True,
        )
    )
)
"""Codes of accents, which stand before their letter, and the combining characters that stand after it in Unicode."""
_BASES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
TABLES: Mapping[str, str] = MappingProxyType(
    {"01": "iso8859_5", "02": "iso8859_6", "03": "iso8859_7", "04": "iso8859_8"}
)
"""Cyrillic, Arabic, Greek and Hebrew by number of their table; 00 is Latin."""
_COLOURS = ("black", "red", "lime", "yellow", "blue", "magenta", "cyan", "white")
"""By control code."""
_DOUBLE_HEIGHT, _START_BOX, _END_BOX = 0x0D, 0x0B, 0x0A
LINE_END, UNUSED = 0x8A, 0x8F
_OPEN = {0x80: ("italic", True), 0x81: ("italic", False), 0x82: ("underline", True), 0x83: ("underline", False)}
_SILENT = frozenset({0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x19, 0x1A, 0x1E, 0x1F, 0x84, 0x85})
"""Codes that say nothing of letters: boxes, heights."""
_UNHELD = {0x08: "flash", 0x18: "concealed text", **dict.fromkeys(range(0x10, 0x18), "mosaic")}
TELETEXT_CELLS = 36
"""Of forty: one is spent on the height, two on the box, one on a colour."""


class Table:
    """A character table: letters to bytes and back."""

    def __init__(self, number: str) -> None:
        codec = TABLES.get(number)
        self.number = number if codec else "00"
        self._codes: dict[str, bytes] = {chr(code): bytes([code]) for code in range(0x20, 0x7F)}
        if codec:
            whole = bytes(range(0xA0, 0x100)).decode(codec, "replace")
            self._codes |= {letter: bytes([code]) for code, letter in enumerate(whole, 0xA0) if letter != "\ufffd"}
        else:
            for start, letters in _LATIN.items():
                self._codes |= {letter: bytes([code]) for code, letter in enumerate(letters, start) if letter != "\0"}
            self._codes["$"] = b"$"
            self._codes |= dict(_accented())
        self._letters = {code: letter for letter, code in self._codes.items()}
        if not codec:
            self._letters[b"\xa4"] = "$"

    def __contains__(self, letter: object) -> bool:
        return letter in self._codes

    def encode(self, letter: str) -> bytes:
        return self._codes[letter]

    def decode(self, code: bytes) -> str | None:
        return self._letters.get(code)

    def takes_two(self, code: int) -> bool:
        """Whether a code is an accent, which goes with the next."""
        return self.number == "00" and 0xC1 <= code <= 0xCF


def _accented() -> Iterator[tuple[str, bytes]]:
    for code, accent in _ACCENTS.items():
        for base in sorted(_BASES):
            letter = unicodedata.normalize("NFC", base + accent)
            if accent != "\0" and len(letter) == 1:
                yield letter, bytes([code, ord(base)])
    yield "\u0123", b"\xc2g"  # Latvian's g, whose cedilla stands above it


def best_table(text: str) -> Table:
    """The table that has most of a text's letters; Latin if several do."""
    return max((Table(number) for number in ("00", *TABLES)), key=lambda table: sum(letter in table for letter in text))


def write_rows(rows: list[Cells], table: Table, *, teletext: bool) -> bytes:
    """Rows as the text of a caption: coloured and in double height, or slanted and underlined."""
    if teletext:
        return bytes([LINE_END, LINE_END]).join(_teletext_row(row, table) for row in rows)
    return bytes([LINE_END]).join(_open_row(row, table) for row in rows)


def _teletext_row(row: Cells, table: Table) -> bytes:
    """A colour's code takes a cell of its own, so that it can only change at a space."""
    colour = _code_of(row[0].style)
    written = [bytes([_DOUBLE_HEIGHT, *([colour] if colour != 7 else []), _START_BOX, _START_BOX])]
    for index, cell in enumerate(row):
        wanted = _code_of(row[index + 1].style) if cell.letter == " " and index + 1 < len(row) else colour
        written.append(table.encode(cell.letter) if wanted == colour else bytes([wanted]))
        colour = wanted
    if len(row) < TELETEXT_CELLS:
        written.append(bytes([_END_BOX, _END_BOX]))
    return b"".join(written)


def _code_of(style: Style) -> int:
    return _COLOURS.index(nearest_colour(style.colour, _COLOURS[1:])) if style.colour else 7


def _open_row(row: Cells, table: Table) -> bytes:
    written, style = [], PLAIN
    for cell in row:
        for code, (flag, on) in _OPEN.items():
            if getattr(cell.style, flag) == on != getattr(style, flag):
                written.append(bytes([code]))
        written.append(table.encode(cell.letter))
        style = cell.style
    closing = (code for code, (flag, on) in _OPEN.items() if not on and getattr(style, flag))
    return b"".join([*written, bytes(closing)])


@dataclass(frozen=True, slots=True)
class Text:
    """What the bytes of a caption say."""

    runs: tuple[Run, ...]
    n_rows: int
    """Of the screen, a line of double height taking two."""
    unheld: tuple[str, ...]


def parse(content: bytes, table: Table, *, teletext: bool) -> Text:
    """Understand the text of a caption."""
    reader = _Reader(table, teletext=teletext)
    position = 0
    while position < len(content):
        position += reader.take(content[position : position + 2])
    is_tall = _DOUBLE_HEIGHT in content
    lines = reader.n_line_ends + 1
    return Text(tuple(reader.runs), 2 * lines if is_tall else lines, tuple(reader.unheld))


class _Reader:
    def __init__(self, table: Table, *, teletext: bool) -> None:
        self.runs: list[Run] = []
        self.unheld: dict[str, None] = {}
        self.n_line_ends = 0
        self._table, self._teletext = table, teletext
        self._style, self._ground = PLAIN, ""
        self._ended = False

    def take(self, code: bytes) -> int:
        """Read what comes next and say how many bytes that was."""
        first = code[0]
        if first == LINE_END:
            if not self._ended:  # two of them end a line of double height
                self.runs.append(Run("\n"))
                self.n_line_ends += 1
                self._style = PLAIN if self._teletext else self._style
            self._ended = not self._ended
            return 1
        self._ended = False
        if first < 0x20 or 0x80 <= first < 0xA0:
            self._obey(first)
            return 1
        n_bytes = 2 if self._table.takes_two(first) and len(code) == 2 else 1
        letter = self._table.decode(code[:n_bytes])
        if letter is None:
            self.unheld["letters"] = None
        self.runs.append(Run(letter or "\ufffd", self._style))
        return n_bytes

    def _obey(self, code: int) -> None:
        before = self._style
        if code < len(_COLOURS):
            self._style = replace(self._style, colour=None if code == 7 else NAMES[_COLOURS[code]])
        elif code in _OPEN:
            self._style = self._style.flagged(*_OPEN[code])
        elif code in (0x1C, 0x1D):
            ground = (self._style.colour or NAMES["white"]) if code == 0x1D else None
            self._style = replace(self._style, background=ground)
        elif code not in _SILENT:
            self.unheld[_UNHELD.get(code, "control code")] = None
        if code < 0x20:  # the code stands in a cell of its own
            self.runs.append(Run(" ", self._style if self._style == before else PLAIN))
