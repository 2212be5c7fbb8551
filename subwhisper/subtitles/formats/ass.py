"""Advanced SubStation Alpha (.ass), and SubStation Alpha (.ssa) for reading, through pysubs2.

Times are kept to a hundredth of a second. Written files name FiraGO, the font family that burning
supplies on any machine. No caption text can act as markup: braces and backslashes are made harmless.
Read: override tags, drawings and comments are dropped, the text stays.
"""

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.reading import Row, collect, file_lines
from subwhisper.subtitles.track import Cue, Track

if TYPE_CHECKING:
    import pysubs2

FONT = "FiraGO"
_WORD_JOINER = "\u2060"  # invisible; keeps a backslash from joining the letter after it
_OVERRIDE = re.compile(r"(?<!\\)\{[^{}]*\}")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}")


def write(track: Track, *, width: int = 1920, height: int = 1080) -> str:
    """Write a track for a picture of `width` by `height` pixels; any other of that shape scales."""
    import pysubs2  # 40 ms to load: only for this format

    document = pysubs2.SSAFile()
    document.info.update(
        {
            "PlayResX": str(width),
            "PlayResY": str(height),
            "WrapStyle": "0",  # a line too wide for the picture wraps instead of leaving it
            "ScaledBorderAndShadow": "yes",
            "YCbCr Matrix": "None",
        }
    )
    document.styles["Default"] = _style(min(width, height) / 1080, width, height)
    return document.to_string("ass") + "".join(_events(track))


def _events(track: Track) -> Iterator[str]:
    # Not pysubs2's: it stops the clock at 9:59:59.99, and players go on.
    earliest = 0
    for cue in track.cues:
        start, end = _hundredths(cue, 0 if track.overlapping else earliest)
        earliest = end
        yield f"Dialogue: 0,{_clock(start)},{_clock(end)},Default,,0,0,0,,{_text(cue)}\n"


def _clock(hundredths: int) -> str:
    seconds, rest = divmod(hundredths, 100)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}.{rest:02}"


def _style(scale: float, width: int, height: int) -> "pysubs2.SSAStyle":
    import pysubs2

    side = round(width * 0.05)
    return pysubs2.SSAStyle(
        fontname=FONT,
        fontsize=round(58 * scale),
        primarycolor=pysubs2.Color(255, 255, 255),
        outlinecolor=pysubs2.Color(0, 0, 0),
        backcolor=pysubs2.Color(0, 0, 0, 128),
        outline=3 * scale,
        shadow=1 * scale,
        alignment=pysubs2.Alignment.BOTTOM_CENTER,
        marginl=side,
        marginr=side,
        marginv=round(height * 0.06),
    )


def _hundredths(cue: Cue, earliest: int) -> tuple[int, int]:
    """Round inwards, so that no cue comes early or overlaps; one shorter than that gets a hundredth."""
    start = max(math.ceil(cue.start_ms / 10), earliest)
    return start, max(cue.end_ms // 10, start + 1)


def _text(cue: Cue) -> str:
    lines = []
    for index, line in enumerate(cue.lines):
        word = cue.highlighted
        if word and word.line == index:
            before, now, after = line[: word.first], line[word.first : word.stop], line[word.stop :]
            lines.append(f"{escape(before)}{{\\u1}}{escape(now)}{{\\u0}}{escape(after)}")
        else:
            lines.append(escape(line))
    return "\\N".join(lines)


def escape(text: str) -> str:
    """Make text harmless: no backslash begins a code, no brace an override."""
    text = text.replace("\\", "\\" + _WORD_JOINER)
    return text.replace("{", "\\{").replace("}", "\\}")


def plain(text: str) -> str:
    """Return the text of an event as it is shown."""
    if _DRAWING.search(text):
        return ""
    text = _OVERRIDE.sub("", text)
    text = text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", "\u00a0")
    text = text.replace("\\{", "{").replace("\\}", "}")
    return text.replace("\\" + _WORD_JOINER, "\\")


def read(text: str, source: str) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it is not ASS or SSA, or a line of it cannot be read.
    """
    import pysubs2

    lines = file_lines(text)
    if not any(line.strip().lower() == "[events]" for line in lines):
        raise InputError(f"{source}, line 1: this is not a SubStation file: it has no [Events]")
    format_ = "ssa" if any(re.match(r"scripttype:\s*v4\.00\s*$", line, re.IGNORECASE) for line in lines) else "ass"
    _refuse_broken_times(lines, source)
    try:
        document = pysubs2.SSAFile.from_string("\n".join(lines), format_=format_)
    except (pysubs2.Pysubs2Error, ValueError, KeyError, IndexError, AttributeError, AssertionError) as error:
        raise InputError(f"{source}: cannot read this SubStation file: {error}") from error
    numbers = [number for number, line in enumerate(lines, start=1) if line.startswith("Dialogue:")]
    events = [event for event in document.events if not event.is_comment]
    numbers += [len(lines)] * (len(events) - len(numbers))
    rows = [
        Row(number, event.start, event.end, plain(event.text)) for number, event in zip(numbers, events, strict=False)
    ]
    return collect(rows, source)


def _refuse_broken_times(lines: list[str], source: str) -> None:
    times = re.compile(r"Dialogue:[^,]*,\s*\d+:\d+:\d+[.:]\d+\s*,\s*\d+:\d+:\d+[.:]\d+\s*,")
    for number, line in enumerate(lines, start=1):
        if line.startswith("Dialogue:") and not times.match(line):
            raise InputError(f"{source}, line {number}: cannot read the time {line.strip()[:60]!r}")
