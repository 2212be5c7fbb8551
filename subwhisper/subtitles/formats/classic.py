"""MicroDVD (.sub), MPL2 (.mpl) and SAMI (.smi), read through pysubs2 a cue at a time, so that mistakes have lines.

pysubs2 gives text with the codes of SubStation. What it has no words for (colours of MicroDVD and SAMI, italics
written to MPL2) is translated here, and its guess at when a SAMI cue ends gives way to the file's own word.
"""

import re
from collections.abc import Iterator
from html import escape as escape_html

from subwhisper.errors import InputError
from subwhisper.subtitles.colours import ass_colour, parse_colour
from subwhisper.subtitles.formats import overrides
from subwhisper.subtitles.formats.encodings import Report
from subwhisper.subtitles.formats.reading import GUARD, Clerk, Row, collect, file_lines, quoted
from subwhisper.subtitles.markup import Style
from subwhisper.subtitles.runs import Run, decompose
from subwhisper.subtitles.track import Cue, Track

FRAME_RATE = 23.976
"""Frames per second of most films; for a MicroDVD file that says nothing about it."""

_FRAMES = re.compile(r"\s*\{\s*(\d{1,9})\s*\}\s*\{\s*(\d{1,9})\s*\}(.*)$")
_TENTHS = re.compile(r"\s*\[(-?\d{1,9})\]\s*\[(-?\d{1,9})\](.*)$")
_COLOUR = re.compile(r"\{[Cc]:\$([0-9A-Fa-f]{6})\}")
_LINE_STYLE = re.compile(r"\{y:[^}]*\}")
_SYNC = re.compile(r"<sync\b[^>]{0,200}>", re.IGNORECASE)
_FONT = re.compile(r"<font\b[^>]{0,200}?\bcolor\s*=\s*[\"']?([#\w]{1,30})[^>]{0,200}>", re.IGNORECASE)
_END_FONT = re.compile(r"</font\s*>", re.IGNORECASE)


def write_microdvd(track: Track, *, fps: float = FRAME_RATE) -> str:
    """Write a track in frames; the first line says how many of them make a second."""
    rows = [f"{{1}}{{1}}{fps:g}"]
    for cue in track.cues:
        start, end = (round(ms * fps / 1000) for ms in (cue.start_ms, cue.end_ms))
        rows.append(f"{{{start}}}{{{max(end, start + 1)}}}{_microdvd_text(cue)}")
    return "".join(f"{row}\n" for row in rows)


def _microdvd_text(cue: Cue) -> str:
    rows = decompose(cue)
    whole = _common([run for runs in rows for run in runs])
    parts = []
    for runs in rows:
        own = _common(runs)
        text = "".join(run.text for run in runs).replace("|", "\u00a6").replace("{", "(").replace("}", ")")
        parts.append(_microdvd_style(own, "y") + text if own != whole else text)
    return _microdvd_style(whole, "Y") + "|".join(parts)


def _common(runs: list[Run]) -> Style:
    """What all text of the runs has in common, as far as MicroDVD can say it."""
    told = [run.style for run in runs if run.text.strip()]
    colours = {style.colour for style in told}
    return Style(
        bold=all(style.bold for style in told),
        italic=all(style.italic for style in told),
        underline=all(style.underline for style in told),
        colour=colours.pop() if len(colours) == 1 else None,
    )


def _microdvd_style(style: Style, letter: str) -> str:
    flags = [name[0] for name in ("bold", "italic", "underline") if getattr(style, name)]
    written = f"{{{letter}:{','.join(flags)}}}" if flags else ""
    if style.colour and letter == "Y":
        written += f"{{C:${ass_colour(style.colour)[2:8]}}}"
    return written


def read_microdvd(text: str, source: str, report: Report | None = None, *, fps: float | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Args:
        text: of the file.
        source: names it.
        report: hears of repairs.
        fps: frames per second, where the file does not say.

    Raises:
        InputError: it has text but no cue.
    """
    clerk = Clerk(source, report)
    lines = file_lines(text)
    heads = [(number, match) for number, line in enumerate(lines, start=1) if (match := _FRAMES.match(line))]
    declared = _declared_rate(heads[0][1]) if heads else None
    if declared:
        heads = heads[1:]
    elif fps is None and heads:
        clerk(heads[0][0], f"the file does not say its frame rate; {FRAME_RATE} frames a second are assumed (--fps)")
    rate = declared or fps or FRAME_RATE
    _refuse_without(heads or declared, lines, source, "{25}{75}text")
    _tell_strangers(lines, _FRAMES, clerk)
    rows = (_microdvd_row(number, match, rate) for number, match in heads)
    return collect(rows, clerk)


def _declared_rate(match: re.Match[str]) -> float | None:
    if int(match[1]) > 1 or int(match[2]) > 1 or not re.fullmatch(r"\s*\d{1,3}(?:[.,]\d{1,6})?\s*", match[3]):
        return None
    rate = float(match[3].replace(",", "."))
    return rate if 1 <= rate <= 1000 else None


def _microdvd_row(number: int, match: re.Match[str], rate: float) -> Row:
    parts = [f"{part}{{\\b0\\i0\\u0}}" if _LINE_STYLE.search(part) else part for part in match[3].split("|")]
    text = _COLOUR.sub(lambda code: f"{{\\c&H{code[1]}&}}", "|".join(parts))
    start, end, said = _through_pysubs2(f"{{{match[1]}}}{{{match[2]}}}{text or ' '}", "microdvd", rate)
    marked = overrides.parse(said)
    return Row(number, start, end, marked.runs, marked.placement)


def write_mpl2(track: Track) -> str:
    """Write a track in tenths of a second; lines that are italic from end to end stay so."""
    rows = []
    for cue in track.cues:
        start = round(cue.start_ms / 100)
        lines = ("".join(run.text for run in runs) for runs in decompose(cue))
        slanted = (_common(runs).italic for runs in decompose(cue))
        texts = (
            ("/" if italic else GUARD if line[0] in "/\\_" else "") + line.replace("|", "\u00a6").replace("{", "(")
            for line, italic in zip(lines, slanted, strict=True)
        )
        rows.append(f"[{start}][{max(round(cue.end_ms / 100), start + 1)}]{'|'.join(texts)}\n")
    return "".join(rows)


def read_mpl2(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it has text but no cue.
    """
    clerk = Clerk(source, report)
    lines = file_lines(text)
    heads = [(number, match) for number, line in enumerate(lines, start=1) if (match := _TENTHS.match(line))]
    _refuse_without(heads, lines, source, "[10][25]text")
    _tell_strangers(lines, _TENTHS, clerk)
    rows = []
    for number, match in heads:
        start, end, said = _through_pysubs2(f"[{match[1]}][{match[2]}]{match[3]}", "mpl2", None)
        runs = overrides.parse(said).runs
        rows.append(Row(number, start, end, tuple(Run(run.text.replace(GUARD, ""), run.style) for run in runs)))
    return collect(rows, clerk)


def write_sami(track: Track) -> str:
    """Write a track; where a cue ends before the next begins, an empty one says so."""
    language = track.language or "en"
    rows = [
        '<SAMI>\n<HEAD>\n<STYLE TYPE="text/css">\n<!--\nP { text-align: center; }\n'
        f".CC {{ Name: Captions; lang: {language}; SAMIType: CC; }}\n-->\n</STYLE>\n</HEAD>\n<BODY>\n"
    ]
    for cue, after in zip(track.cues, [*track.cues[1:], None], strict=False):
        lines = "<br>".join("".join(map(_sami_run, runs)) for runs in decompose(cue))
        rows.append(f"<SYNC Start={cue.start_ms}><P Class=CC>{lines}\n")
        if after is None or after.start_ms > cue.end_ms:
            rows.append(f"<SYNC Start={cue.end_ms}><P Class=CC>&nbsp;\n")
    return "".join([*rows, "</BODY>\n</SAMI>\n"])


def _sami_run(run: Run) -> str:
    text = escape_html(run.text, quote=False)
    for letter, name in (("s", "strikeout"), ("u", "underline"), ("i", "italic"), ("b", "bold")):
        if getattr(run.style, name):
            text = f"<{letter}>{text}</{letter}>"
    return f'<font color="{run.style.colour[:7]}">{text}</font>' if run.style.colour else text


def read_sami(text: str, source: str, report: Report | None = None) -> Track:
    """Read a file's text; `source` names it in messages.

    Raises:
        InputError: it has no `<SYNC>`.
    """
    clerk = Clerk(source, report)
    text = "\n".join(file_lines(text))
    syncs = list(_SYNC.finditer(text))
    _refuse_without(syncs or "<SAMI>" in text, text.split("\n"), source, "<SYNC Start=1000>")
    found: list[tuple[int, int, int, str]] = []
    line, position = 1, 0
    for sync, stop in zip(syncs, [*(one.start() for one in syncs[1:]), len(text)], strict=False):
        line += text.count("\n", position, sync.start())
        position = sync.start()
        body = _sami_codes(text[sync.end() : stop])
        try:
            start, end, said = _through_pysubs2(f"<SAMI><BODY>{sync[0]}{body}</BODY></SAMI>", "sami", None)
        except (ValueError, KeyError, TypeError, IndexError, AssertionError):
            clerk(line, f"left out a cue whose time cannot be read, {quoted(sync[0])}")
            continue
        found.append((line, start, end, said))
    return collect(_sami_rows(found), clerk)


def _sami_codes(body: str) -> str:
    """A cue's HTML with its colours as SubStation's codes, and what only looks like codes made harmless."""
    body = overrides.escape(" ".join(body.split()))
    body = _FONT.sub(lambda tag: f"{{\\c{_bgr(tag[1])}}}", body)
    return _END_FONT.sub(lambda _: "{\\c}", body)


def _bgr(name: str) -> str:
    colour = parse_colour(name)
    return ass_colour(colour) if colour else ""


def _sami_rows(found: list[tuple[int, int, int, str]]) -> Iterator[Row]:
    found.sort(key=lambda one: one[1])
    starts = sorted({start for _, start, _, _ in found})
    after = dict(zip(starts, [*starts[1:], None], strict=False))
    for line, start, end, said in found:
        runs = overrides.parse(said).runs
        if any(run.text.strip() for run in runs):
            stop = after[start]
            yield Row(line, start, max(end, start + 1) if stop is None else stop, runs)


def _through_pysubs2(text: str, format: str, fps: float | None) -> tuple[int, int, str]:
    """Start, end and text, with SubStation's codes, of a file of one cue."""
    import pysubs2  # 40 ms to load: only for these formats

    event = pysubs2.SSAFile.from_string(text, format_=format, fps=fps)[0]
    return event.start, event.end, event.text


def _refuse_without(found: object, lines: list[str], source: str, example: str) -> None:
    first = next((number for number, line in enumerate(lines, start=1) if line.strip()), None)
    if not found and first:
        raise InputError(f"{source}, line {first}: found no cue; something like {example} is expected")


def _tell_strangers(lines: list[str], pattern: re.Pattern[str], clerk: Clerk) -> None:
    for number, line in enumerate(lines, start=1):
        if line.strip() and not pattern.match(line):
            clerk(number, f"left out a line without a time, {quoted(line)}")
