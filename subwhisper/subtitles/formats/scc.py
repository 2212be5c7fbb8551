"""Scenarist closed captions (.scc): the bytes of CEA-608, two in a frame, written as pop-on captions.

A caption is sent unseen and shown at once when it is whole, so its letters go out before its time. Where words follow
one another so fast that there is no room for them, captions come late. Read in `scc_reader.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from subwhisper.subtitles.edit import flattened
from subwhisper.subtitles.formats.grid import Cells, nearest_colour, rows_of, spelled
from subwhisper.subtitles.formats.timecode import NTSC, frame_at, time_code
from subwhisper.subtitles.markup import Placement, Style
from subwhisper.subtitles.track import Cue, Track

HEAD = "Scenarist_SCC V1.0"
_LOAD, _CLEAR, _SHOW, _ERASE = 0x1420, 0x142E, 0x142F, 0x142C
_TAB, _MID_ROW = 0x1720, 0x1120
_ROWS = (0x1140, 0x1160, 0x1240, 0x1260, 0x1540, 0x1560, 0x1640, 0x1660, 0x1740, 0x1760, 0x1040, 0x1340, 0x1360, 0x1440,
         0x1460)  # fmt: skip
"""The code that begins each row of the screen, from the top."""
_INDENT, _ITALIC = 0x10, 0x0E
_COLOURS = ("white", "green", "blue", "cyan", "red", "yellow", "magenta")
WIDTH, _MOST_ROWS = 32, 4

_ASCII = dict.fromkeys(map(chr, range(0x20, 0x7F))) | dict(zip("*\\^_`{|}~", "áéíóúç÷Ññ", strict=True))
_PLAIN = {new or letter: ord(letter) for letter, new in _ASCII.items()}
"""Letters of one byte: ASCII's, some of them others'."""
_SPECIAL = {
    0x1130: "®°½¿™¢£♪à\0èâêîôû",
    0x1220: "ÁÉÓÚÜü‘¡*\0—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»",
    0x1320: "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤¦ÅåØø┌┐└┘",
}
"""Letters of two bytes, from these codes on."""
_TWO_BYTES = {
    letter: first + place
    for first, letters in _SPECIAL.items()
    for place, letter in enumerate(letters)
    if letter != "\0"
}
LETTERS = frozenset({*_PLAIN, *_TWO_BYTES})

Unit = tuple[int, ...]
"""Words of two bytes that belong together."""


def write(track: Track) -> str:
    """Write a track; lines longer than 32 letters are broken anew, and captions on screen together become one.

    Raises:
        OutputError: a caption later than a time code can say.
    """
    lines = (f"{_clock(frame)}\t{' '.join(map(_hex, words))}\n" for frame, words in _sent(flattened(track).cues))
    return "\n".join([f"{HEAD}\n", *lines])


def _clock(frame: int) -> str:
    return "{:02}:{:02}:{:02};{:02}".format(*time_code(frame, NTSC))


def _hex(word: int) -> str:
    return "".join(f"{byte | (0x80 if byte.bit_count() % 2 == 0 else 0):02x}" for byte in divmod(word, 256))


def _sent(cues: Iterable[Cue]) -> Iterator[tuple[int, list[int]]]:
    """What goes out, and the frame of its first word."""
    free, end = 0, None
    for cue in cues:
        units = list(_load(cue))
        show = max(frame_at(cue.start_ms, NTSC), free + _length(units))
        begin = show - _length(units)
        if end is not None and end + 2 <= begin:
            yield end, [*_doubled(_ERASE)]
        elif end is not None and end + 2 <= show:
            begin = max(free, begin - 2)
            units = list(_with_erasure(units, end - begin))
            show = begin + _length(units)
        yield begin, [word for unit in [*units, _doubled(_SHOW)] for word in unit]
        free = show + 2
        end = max(frame_at(cue.end_ms, NTSC), free)
    if end is not None:
        yield end, [*_doubled(_ERASE)]


def _length(units: Iterable[Unit]) -> int:
    return sum(map(len, units))


def _with_erasure(units: list[Unit], after: int) -> Iterator[Unit]:
    """Take what is shown away after so many words."""
    sent, waiting = 0, True
    for unit in units:
        if waiting and sent >= after:
            yield _doubled(_ERASE)
            waiting = False
        yield unit
        sent += len(unit)
    if waiting:
        yield _doubled(_ERASE)


def _doubled(code: int) -> Unit:
    """Codes are sent twice, so that one that is lost does no harm; receivers take two for one."""
    return code, code


def _load(cue: Cue) -> Iterator[Unit]:
    yield _doubled(_LOAD)
    yield _doubled(_CLEAR)
    rows = rows_of(cue, LETTERS, WIDTH, _MOST_ROWS)
    place = (cue.placement or Placement()).row
    first = {"top": 0, "middle": (len(_ROWS) - len(rows)) // 2, "bottom": len(_ROWS) - len(rows)}[place]
    for number, row in enumerate(rows, start=first):
        yield from _row(_ROWS[number], row)


def _row(code: int, row: Cells) -> Iterator[Unit]:
    look = _look(row[0].style)
    column = max((WIDTH - len(row)) // 2 - bool(look), 0)
    if column == 0:
        yield _doubled(code + look)
    else:
        yield _doubled(code + _INDENT + column // 4 * 2)
        if column % 4:
            yield _doubled(_TAB + column % 4)
        if look:
            yield _doubled(_MID_ROW + look)
    text = _Text()
    for index, cell in enumerate(row):
        wanted = _look(row[index + 1].style) if cell.letter == " " and index + 1 < len(row) else look
        if wanted == look:
            yield from text.letter(cell.letter)
        else:  # the code stands for the space
            yield from text.code(_MID_ROW + wanted)
        look = wanted
    yield from text.flush()


def _look(style: Style) -> int:
    colour = _COLOURS.index(nearest_colour(style.colour, _COLOURS)) if style.colour else 0
    return (_ITALIC if style.italic else 2 * colour) + style.underline


@dataclass
class _Text:
    """Letters on their way, two in a word."""

    _waiting: int | None = None

    def letter(self, letter: str) -> Iterator[Unit]:
        code = _TWO_BYTES.get(letter)
        if code is None:
            yield from self._byte(_PLAIN[letter])
            return
        if code >= 0x1200:  # for receivers that know no better: it takes the place of the letter before it
            yield from self._byte(_PLAIN[spelled(letter, _PLAIN)[0]])
        yield from self.code(code)

    def code(self, code: int) -> Iterator[Unit]:
        yield from self.flush()
        yield _doubled(code)

    def flush(self) -> Iterator[Unit]:
        if self._waiting is not None:
            yield (self._waiting << 8,)
            self._waiting = None

    def _byte(self, byte: int) -> Iterator[Unit]:
        if self._waiting is None:
            self._waiting = byte
        else:
            yield (self._waiting << 8 | byte,)
            self._waiting = None
