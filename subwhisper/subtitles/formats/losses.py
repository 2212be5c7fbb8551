"""What a format could not hold of a track: found by reading what was written, not by a list of promises."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from subwhisper.subtitles.formats import CAPTION_FORMATS, FORMATS, format_name
from subwhisper.subtitles.markup import PLAIN, Placement
from subwhisper.subtitles.runs import Run, decompose
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


def find_losses(track: Track, format: str, content: bytes) -> tuple[Loss, ...]:
    """Compare a track with what a reader finds in the file it was written to.

    Args:
        track: what was to be written.
        format: of the file.
        content: of the file.

    Raises:
        OptionError: there is no such format.
    """
    back = _read_back(content, format_name(format))
    lost = _beside(track) - _beside(back or Track(()))
    if back is None:
        lost += _untimed(track)
    else:
        for before, after in _pairs(track.cues, back.cues):
            lost += _changed(before, after)
        lost["extra cue"] = max(len(back.cues) - len(track.cues), 0)
    return tuple(Loss(kind, count) for kind, count in sorted(lost.items()) if count > 0)


def lost_from_captions(track: Track, format: str, content: bytes, *, timed_words: bool) -> tuple[Loss, ...]:
    """Compare captions that were laid out with the file they were written to.

    The language is no loss there, nor are the times of words unless they were asked for. Texts and tables lose nothing,
    for they are not meant to show captions.
    """
    if format_name(format) not in CAPTION_FORMATS:
        return ()
    cues = track.cues if timed_words else tuple(replace(cue, words=()) for cue in track.cues)
    return find_losses(replace(track, cues=cues, language=None), format, content)


def _read_back(content: bytes, format: str) -> Track | None:
    """What a reader finds; `None` where there is nothing to read."""
    found = FORMATS[format]
    if found.read_bytes:
        return found.read_bytes(content, format, lambda _: None)
    return found.read(content.decode(), format, lambda _: None) if found.read else None


def _beside(track: Track) -> Counter[str]:
    """What a file holds beside its cues."""
    held = Counter(_KINDS.get(block.kind, block.kind) for block in track.raw)
    held["language of the track"] = int(track.language is not None)
    return held


def _untimed(track: Track) -> Counter[str]:
    """All that is not the bare text."""
    lost = Counter({"time": len(track.cues)})
    for cue in track.cues:
        lost += _held(cue)
        lost["line break"] += len(cue.lines) > 1
        lost["position"] += cue.placement is not None
    return lost


def _pairs(before: tuple[Cue, ...], after: tuple[Cue, ...]) -> Iterator[tuple[Cue, Cue | None]]:
    """Each cue, and what became of it: the next of those left, unless a later cue begins nearer to that one."""
    if len(before) == len(after):
        yield from zip(before, after, strict=True)
        return
    rest = deque(after)
    for cue, following in zip(before, [*before[1:], None], strict=True):
        ours = bool(rest) and (following is None or _apart(rest[0], cue) <= _apart(rest[0], following))
        yield cue, rest.popleft() if ours else None


def _apart(one: Cue, other: Cue) -> int:
    return abs(one.start_ms - other.start_ms)


def _changed(before: Cue, after: Cue | None) -> Counter[str]:
    """What a cue lost, and what is still there but elsewhere, or otherwise."""
    if after is None:
        return Counter({"cue": 1}) + _held(before)
    same_lines = before.lines == after.lines
    marks = _marks(before, in_place=same_lines) ^ _marks(after, in_place=same_lines)
    lost = _beyond_marks(before) - _beyond_marks(after) + Counter({kind for kind, _, _ in marks})
    lost["exact time"] += (before.start_ms, before.end_ms) != (after.start_ms, after.end_ms)
    if not same_lines:
        lost["line break" if before.text.split() == after.text.split() else "character"] += 1
    lost["position"] += not _near(before.placement, after.placement)
    if len(before.words) == len(after.words):
        pairs = zip(before.words, after.words, strict=True)
        lost["exact word time"] += sum((a.start_ms, a.end_ms) != (b.start_ms, b.end_ms) for a, b in pairs)
    return lost


def _held(cue: Cue) -> Counter[str]:
    """How much there is in a cue of everything that a format may not know."""
    return _beyond_marks(cue) + Counter({kind for kind, _, _ in _marks(cue, in_place=False)})


def _beyond_marks(cue: Cue) -> Counter[str]:
    held = Counter({"word time": len(cue.words)})
    if cue.raw:
        held.update(dict.fromkeys(cue.raw.unheld, 1))
        held["identifier"] = int(bool(cue.raw.name))
    return held


def _marks(cue: Cue, *, in_place: bool) -> set[tuple[str, object, object]]:
    """What the letters of a cue are marked with: a name, the place of the letter, how. Spaces show no marks."""
    marks: set[tuple[str, object, object]] = set()
    if not cue.spans and not cue.highlighted:
        return marks
    for line, runs in enumerate(decompose(cue)):
        place = 0
        for run in runs:
            letters = [at for at, letter in enumerate(run.text, start=place) if not letter.isspace()]
            place += len(run.text)
            for kind, value in _kinds(run):
                marks |= {(kind, (line, at) if in_place else None, value) for at in letters}
    return marks


def _kinds(run: Run) -> Iterator[tuple[str, object]]:
    for name in _LOOKS:
        if (value := getattr(run.style, name)) != getattr(PLAIN, name):
            yield _KINDS.get(name, name), value
    for name in ("voice", "ruby", "language"):
        if value := getattr(run, name):
            yield name, value


def _near(before: Placement | None, after: Placement | None) -> bool:
    before, after = before or Placement(), after or Placement()
    if (before.row, before.side) != (after.row, after.side):
        return False
    pairs = ((before.x, after.x), (before.y, after.y))
    return all(
        one == other or (one is not None and other is not None and abs(one - other) < 0.5) for one, other in pairs
    )
