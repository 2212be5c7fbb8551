"""What a format could not hold of a track: found by reading what was written, not by a list of promises."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from subwhisper.subtitles.formats import FORMATS, format_name
from subwhisper.subtitles.markup import PLAIN, Placement
from subwhisper.subtitles.track import Cue, Track

_LOOKS = ("bold", "italic", "underline", "strikeout", "colour", "background", "font", "size", "classes")
_KINDS = {"classes": "class", "size": "letter size", "head": "document head", "styles": "style sheet"}


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that did not survive."""

    kind: str
    """`italic`, `voice`, `position`, `word time` …"""
    count: int
    """Of cues that had it; of words for their times, of parts for what is beside the cues."""

    def to_dict(self) -> dict[str, object]:
        return {"kind": self.kind, "count": self.count}

    def __str__(self) -> str:
        return f"{self.kind} ({self.count})"


def find_losses(track: Track, format: str, text: str) -> tuple[Loss, ...]:
    """Compare a track with what a reader finds in the file it was written to.

    Args:
        track: what was to be written.
        format: of the file.
        text: of the file.

    Raises:
        OptionError: there is no such format.
    """
    read = FORMATS[format_name(format)].read
    back = read(text, format, lambda _: None) if read else None
    if back is None:
        lost = _held(track) + Counter({"time": len(track.cues)})
        lost["line break"] = sum(len(cue.lines) > 1 for cue in track.cues)
        lost["position"] = sum(cue.placement is not None for cue in track.cues)
    else:
        lost = _held(track) - _held(back) + _moved(track, back)
    return tuple(Loss(kind, count) for kind, count in sorted(lost.items()) if count > 0)


def _held(track: Track) -> Counter[str]:
    """How much there is of everything that a format may not know."""
    held: Counter[str] = Counter()
    for cue in track.cues:
        held.update(set(_marks(cue)))
        held["word time"] += len(cue.words)
        if cue.raw:
            held.update(dict.fromkeys(cue.raw.unheld, 1))
            held["identifier"] += bool(cue.raw.name)
    held.update(_KINDS.get(block.kind, block.kind) for block in track.raw)
    held["language of the track"] = int(track.language is not None)
    return +held


def _marks(cue: Cue) -> Iterator[str]:
    """What the text of a cue is marked with, one name each."""
    for span in cue.spans:
        for name in _LOOKS:
            if getattr(span.style, name) != getattr(PLAIN, name):
                yield _KINDS.get(name, name)
        for name in ("voice", "ruby", "language"):
            if getattr(span, name):
                yield name
    if len(cue.voices) > 1:
        yield "change of voice"
    if cue.highlighted:
        yield "underline"


def _moved(track: Track, back: Track) -> Counter[str]:
    """What is still there but elsewhere, or otherwise."""
    lost: Counter[str] = Counter()
    if len(track.cues) != len(back.cues):
        lost["cue"] = len(track.cues) - len(back.cues)
        return lost
    for before, after in zip(track.cues, back.cues, strict=True):
        lost["exact time"] += (before.start_ms, before.end_ms) != (after.start_ms, after.end_ms)
        if before.lines != after.lines:
            same = before.text.split() == after.text.split()
            lost["line break" if same else "character"] += 1
        if before.placement and not _near(before.placement, after.placement):
            lost["position"] += 1
        lost["part of the style"] += _restyled(before, after)
        if len(before.words) == len(after.words):
            pairs = zip(before.words, after.words, strict=True)
            lost["exact word time"] += sum((a.start_ms, a.end_ms) != (b.start_ms, b.end_ms) for a, b in pairs)
    return lost


def _near(before: Placement, after: Placement | None) -> bool:
    if after is None or (before.row, before.side) != (after.row, after.side):
        return False
    pairs = ((before.x, after.x), (before.y, after.y))
    return all(
        one == other or (one is not None and other is not None and abs(one - other) < 0.5) for one, other in pairs
    )


def _restyled(before: Cue, after: Cue) -> bool:
    """Whether the same looks are there but on other stretches of the text."""
    if before.lines != after.lines or before.highlighted or set(_marks(before)) != set(_marks(after)):
        return False
    return before.spans != after.spans
