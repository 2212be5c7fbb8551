"""Looks as the named styles of SubStation, to and from pysubs2's."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from subwhisper.subtitles.colours import ass_colour, parse_ass_colour
from subwhisper.subtitles.formats.overrides import alignment_of, escape
from subwhisper.subtitles.markup import PLAIN, Placement, Style
from subwhisper.subtitles.runs import Run, decompose
from subwhisper.subtitles.style import SPEAKER_COLOURS, CaptionStyle
from subwhisper.subtitles.track import Cue, Track

if TYPE_CHECKING:
    import pysubs2

SECOND = "second"
"""Class of the text in the second language of a bilingual track."""
_SHORTER_SIDE = 1080
_OPAQUE_BOX, _OUTLINED = 3, 1


def style_names(track: Track, style: CaptionStyle) -> dict[str, str]:
    """The named style of each voice and class that has a look of its own."""
    names = {}
    if any(SECOND in span.style.classes for cue in track.cues for span in cue.spans):
        names[SECOND] = "Second"
    if style.speakers:
        voices = dict.fromkeys(voice for cue in track.cues for voice in cue.voices)
        names |= {voice: f"Speaker {number}" for number, voice in enumerate(voices, start=1)}
    return names


def dress(track: Track, style: CaptionStyle, width: int, height: int) -> "pysubs2.SSAFile":
    """A script without events, whose styles draw the track in a picture of that many pixels."""
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
    # SubStation fills a syllable from the second colour to the first when it is sung.
    document.styles["Default"] = _style(replace(style, colour=style.now) if track.karaoke else style, width, height)
    speakers = 0
    for key, name in style_names(track, style).items():
        if key == SECOND:
            look = replace(style, colour=style.second_colour, size=style.second_size)
        else:
            look = replace(style, colour=SPEAKER_COLOURS[speakers % len(SPEAKER_COLOURS)])
            speakers += 1
        document.styles[name] = _style(look, width, height)
    return document


def _style(style: CaptionStyle, width: int, height: int) -> "pysubs2.SSAStyle":
    import pysubs2

    scale = min(width, height) / _SHORTER_SIDE
    side, edge = (round(size * percent / 100) for size, percent in ((width, style.side_margin), (height, style.margin)))
    behind = _colour(style.box or style.outline_colour)
    return pysubs2.SSAStyle(
        fontname=style.font,
        fontsize=round(style.size * scale),
        bold=style.bold,
        italic=style.italic,
        primarycolor=_colour(style.colour),
        secondarycolor=_colour(style.unspoken),
        outlinecolor=behind,
        backcolor=behind if style.box else pysubs2.Color(0, 0, 0, 128),
        borderstyle=_OPAQUE_BOX if style.box else _OUTLINED,
        outline=style.outline * scale,
        shadow=style.shadow * scale,
        alignment=pysubs2.Alignment(alignment_of(Placement(style.row, style.side))),
        marginl=side,
        marginr=side,
        marginv=edge,
    )


def _colour(text: str) -> "pysubs2.Color":
    import pysubs2

    red, green, blue = (int(text[index : index + 2], 16) for index in (1, 3, 5))
    return pysubs2.Color(red, green, blue, 255 - int(text[7:9] or "ff", 16))


def in_states(cue: Cue, style: CaptionStyle) -> str:
    """The text of an event in which words said, being said and yet to come look different.

    Args:
        cue: one moment of a cue with word times, with the word being said highlighted.
        style: says how they look.
    """
    return "\\N".join("".join(_state(run, cue, style) for run in runs) for runs in decompose(cue, words=True))


def _state(run: Run, cue: Cue, style: CaptionStyle) -> str:
    if run.said is None:
        return escape(run.text)
    now = cue.highlighted
    plain = replace(run.style, underline=False)
    if now and run.said == (now.start_ms, now.end_ms):
        grown = f"\\fscx{style.now_scale:g}\\fscy{style.now_scale:g}" if style.now_scale != 100 else ""
        return f"{{\\c{ass_colour(style.now)}{grown}}}{_flags(plain)}{escape(run.text)}{{\\r}}"
    colour = style.spoken if run.said[0] < cue.start_ms else style.unspoken
    return f"{{\\c{ass_colour(colour)}}}{_flags(plain)}{escape(run.text)}{{\\r}}"


def _flags(style: Style) -> str:
    codes = "".join(f"\\{name[0]}1" for name in ("bold", "italic", "underline", "strikeout") if getattr(style, name))
    return f"{{{codes}}}" if codes else ""


def plain_styles(styles: Mapping[str, "pysubs2.SSAStyle"], usual: "pysubs2.SSAStyle") -> dict[str, tuple[Style, int]]:
    """How each named style differs from the usual one, and its alignment."""
    looks = {}
    for name, style in styles.items():
        colour = style.primarycolor
        same = colour == usual.primarycolor
        look = Style(
            bold=bool(style.bold) and not usual.bold,
            italic=bool(style.italic) and not usual.italic,
            underline=bool(style.underline) and not usual.underline,
            strikeout=bool(style.strikeout) and not usual.strikeout,
            colour=None if same else parse_ass_colour(f"&H{colour.b:02X}{colour.g:02X}{colour.r:02X}&"),
        )
        looks[name] = (PLAIN if look == PLAIN else look, int(style.alignment))
    return looks
