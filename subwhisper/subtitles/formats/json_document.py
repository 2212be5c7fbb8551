"""JSON (.json): the shape of openai-whisper's result, in which each segment may carry its caption whole.

What openai-whisper, this program's `transcribe` and the API of OpenAI write is read: a segment is a cue, on one line.
What is written here can be read by whatever reads those; `caption` holds what they have no field for, so nothing is
lost.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar, get_args

from subwhisper.errors import InputError
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import LONGEST_MS, Clerk, Row, collect
from subwhisper.subtitles.markup import CueSpan, Placement, Raw, RawBlock, Side, Style
from subwhisper.subtitles.markup import Row as PlacementRow
from subwhisper.subtitles.runs import Run
from subwhisper.subtitles.track import Cue, CueWord, Track, first_overlap, to_ms

Checked = TypeVar("Checked", CueSpan, Style, Raw, RawBlock)

_WRONG = (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError)


def write(track: Track) -> str:
    """Write a track with everything it holds."""
    document = {
        "text": track.text,
        "language": track.language,
        "segments": [_segment(index, cue) for index, cue in enumerate(track.cues)],
        "karaoke": track.karaoke,
        "raw": [_bare(asdict(block)) for block in track.raw],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _segment(index: int, cue: Cue) -> dict[str, Any]:
    segment: dict[str, Any] = {
        "id": index,
        "start": cue.start_ms / 1000,
        "end": cue.end_ms / 1000,
        "text": f" {cue.text}",
    }
    if cue.words:
        segment["words"] = [
            {"word": f" {_said(cue, word)}", "start": word.start_ms / 1000, "end": word.end_ms / 1000}
            for word in cue.words
        ]
    caption: dict[str, Any] = {"lines": list(cue.lines)}
    if cue.words:
        caption["words"] = [[word.line, word.first, word.stop] for word in cue.words]
    if cue.spans:
        caption["spans"] = [_bare({**asdict(span), "style": _bare(asdict(span.style))}) for span in cue.spans]
    if cue.placement:
        caption["placement"] = _bare(asdict(cue.placement))
    if cue.raw:
        caption["raw"] = _bare(asdict(cue.raw))
    return {**segment, "caption": caption}


def _said(cue: Cue, word: CueWord) -> str:
    return cue.lines[word.line][word.first : word.stop]


def _bare(values: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing; places in the text stay."""
    places = ("line", "first", "stop", "before")
    return {name: value for name, value in values.items() if value or name in places}


def read(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it is not JSON, or has no segments.
    """
    try:
        document = json.loads(text)
        segments = document["segments"]
        if not isinstance(segments, list):
            raise TypeError("segments is no list")
    except RecursionError as error:
        raise InputError(f"{source}: this JSON is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{source}, line {error.lineno}: this is not JSON: {error.msg}") from error
    except _WRONG as error:
        raise InputError(f"{source}: this JSON holds no captions: it has no list of segments") from error
    clerk = Clerk(source, report)
    cues, rows = [], []
    for number, segment in enumerate(segments, start=1):
        try:
            if segment.get("caption"):
                cues.append(_cue(segment))
            else:
                rows.append(_row(segment))
        except _WRONG:
            clerk(0, f"left out segment {number}, which is no segment")
    track = collect(rows, clerk)
    cues = sorted([*track.cues, *cues], key=lambda cue: cue.start_ms)
    return Track(
        tuple(cues),
        language=_text_or_none(document.get("language")),
        overlapping=first_overlap(cues) is not None,
        karaoke=document.get("karaoke") is True,
        raw=tuple(_blocks(document.get("raw"))),
    )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _ms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) * 1000 > LONGEST_MS:
        raise ValueError(f"not a time: {value!r}")
    return to_ms(value)


def _row(segment: Mapping[str, Any]) -> Row:
    start, end = _ms(segment["start"]), _ms(segment["end"])
    words = segment.get("words") or []
    voice = _text_or_none(segment.get("speaker"))
    if words and "".join(word["word"] for word in words).split() == segment["text"].split():
        runs = tuple(Run(word["word"], voice=voice, said=(_ms(word["start"]), _ms(word["end"]))) for word in words)
    else:
        runs = (Run(str(segment["text"]), voice=voice),)
    return Row(0, start, end, runs)


def _cue(segment: Mapping[str, Any]) -> Cue:
    caption = segment["caption"]
    lines = tuple(map(str, caption["lines"]))
    timed = zip(segment.get("words") or [], caption.get("words") or [], strict=True)
    return Cue(
        _ms(segment["start"]),
        _ms(segment["end"]),
        lines,
        tuple(_word(lines, word, *place) for word, place in timed),
        spans=tuple(_span(span) for span in caption.get("spans") or []),
        placement=_placement(caption.get("placement")),
        raw=_raw(caption.get("raw")),
    )


def _word(lines: Sequence[str], word: Mapping[str, Any], line: int, first: int, stop: int) -> CueWord:
    if not (0 <= line < len(lines) and 0 <= first < stop <= len(lines[line])):
        raise ValueError("a word outside its line")
    return CueWord(_ms(word["start"]), _ms(word["end"]), line, first, stop)


def _span(values: Mapping[str, Any]) -> CueSpan:
    look: dict[str, Any] = {**values.get("style", {})}
    look["classes"] = tuple(map(str, look.get("classes", ())))
    return _checked(CueSpan(**{**values, "style": _checked(Style(**look))}))


def _checked(value: Checked) -> Checked:
    """Refuse what no reader of ours would have made.

    Raises:
        TypeError: a field holds something of another kind.
    """
    for field in fields(value):
        given, kind = getattr(value, field.name), str(field.type)
        wanted: tuple[type, ...] = (str,) if "str" in kind else (bool,) if "bool" in kind else (int, float)
        if isinstance(given, (Style, tuple)) or (given is None and "None" in kind):
            continue
        if not isinstance(given, wanted) or (isinstance(given, bool) and bool not in wanted):
            raise TypeError(f"{field.name} cannot be {given!r}")
    return value


def _placement(values: Mapping[str, Any] | None) -> Placement | None:
    if values is None:
        return None
    placement = Placement(**values)
    if placement.row not in get_args(PlacementRow) or placement.side not in get_args(Side):
        raise ValueError("no such place")
    return Placement(
        placement.row,
        placement.side,
        *(None if value is None else float(value) for value in (placement.x, placement.y)),
    )


def _raw(values: Mapping[str, Any] | None) -> Raw | None:
    return _checked(Raw(**{**values, "unheld": tuple(map(str, values.get("unheld", ())))})) if values else None


def _blocks(values: object) -> Iterator[RawBlock]:
    for block in values if isinstance(values, list) else []:
        try:
            times = (int(block["times"][0]), int(block["times"][1])) if block.get("times") else None
            yield _checked(RawBlock(**{**block, "times": times}))
        except _WRONG:
            continue
