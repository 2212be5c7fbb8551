"""What a reader of ours finds in a file that a writer of ours made, and what is different in it, letter by letter."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from subwhisper.subtitles.formats import FORMATS
from subwhisper.subtitles.markup import Placement, Style
from subwhisper.subtitles.track import Cue, Track

NAMES = {"size": "letter size", "classes": "class"}


def read_back(content: bytes, format: str) -> Track:
    found = FORMATS[format]
    if found.read_bytes:
        return found.read_bytes(content, f"x.{format}", lambda _: None)
    assert found.read is not None
    return found.read(content.decode(), f"x.{format}", lambda _: None)


def letters(cue: Cue) -> dict[tuple[int, int], dict[str, Any]]:
    """How each letter is marked."""
    marked: dict[tuple[int, int], dict[str, Any]] = {}
    for number, line in enumerate(cue.lines):
        for place, letter in enumerate(line):
            if not letter.isspace():
                marked[number, place] = {}
    for span in cue.spans:
        looks = {name.name: getattr(span.style, name.name) for name in fields(Style)}
        for place in range(span.first, span.stop):
            if (span.line, place) in marked:
                marks = {**looks, "voice": span.voice, "ruby": span.ruby, "language": span.language}
                marked[span.line, place] = {NAMES.get(name, name): value for name, value in marks.items() if value}
    if word := cue.highlighted:
        for place in range(word.first, word.stop):
            marked.get((word.line, place), {})["underline"] = True
    return marked


def differences(before: Cue, after: Cue) -> Iterator[str]:
    if (before.start_ms, before.end_ms) != (after.start_ms, after.end_ms):
        yield "exact time"
    if before.lines != after.lines:
        yield "line break" if before.text.split() == after.text.split() else "character"
    else:
        ours, theirs = letters(before), letters(after)
        for place in ours:
            for name in {*ours[place], *theirs[place]}:
                if ours[place].get(name) != theirs[place].get(name):
                    yield name
    one, other = (cue.placement or Placement() for cue in (before, after))
    near = (one.x, one.y) == (other.x, other.y) or (
        None not in (one.x, one.y, other.x, other.y)
        and abs((one.x or 0) - (other.x or 0)) + abs((one.y or 0) - (other.y or 0)) < 1
    )
    if (one.row, one.side) != (other.row, other.side) or not near:
        yield "position"
    if len(before.words) > len(after.words):
        yield "word time"
    elif before.words and [(w.start_ms, w.end_ms) for w in before.words] != [
        (w.start_ms, w.end_ms) for w in after.words
    ]:
        yield "exact word time"
