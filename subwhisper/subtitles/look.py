"""How a track is shown: the style it is drawn in, and what marks the word being said."""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from subwhisper.errors import OptionError
from subwhisper.subtitles.formats import ass, encode, format_name
from subwhisper.subtitles.highlight import highlight_words
from subwhisper.subtitles.style import CaptionStyle
from subwhisper.subtitles.track import Track

Highlight = Literal["none", "underline", "words", "karaoke"]
_TIMED = frozenset({"ass", "ssa", "vtt", "ttml", "lrc"})
"""Formats with words for the times of words."""
_UNDERLINING = frozenset({"srt", "vtt", "ass", "ssa", "ttml", "smi"})
_DRAWN = "ass"
"""The format that has styles."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How to show a track, whatever the format."""

    style: CaptionStyle | None = None
    """`None` is the usual one, or that of the file a track comes from."""
    highlight: Highlight = "none"
    """`underline` the word being said, everywhere; `words`: said, being said and yet to come in three colours, where
    the format has colours and times; `karaoke`: the format's own times of words, where it has any."""

    def shown(self, track: Track, format: str) -> Track:
        """The track as it goes into a file of that format."""
        name = format_name(format)
        if self.highlight == "none":
            return track
        inline = self.highlight == "karaoke" or (self.highlight == "words" and name != _DRAWN)
        if inline and name in _TIMED:
            return replace(track, karaoke=any(cue.words for cue in track.cues))
        if self.highlight == "karaoke" or name not in _UNDERLINING:
            return track
        return highlight_words(replace(track, karaoke=False))

    def file(self, track: Track, format: str) -> bytes:
        """A file of that format."""
        name = format_name(format)
        options: dict[str, Any] = {"style": self.style, "states": self._has_states} if name == _DRAWN else {}
        return encode(self.shown(track, name), name, **options)

    def script(self, track: Track, width: int, height: int) -> str:
        """The file that draws the track into a picture of that many pixels."""
        shown = self.shown(track, _DRAWN)
        return ass.write(shown, width=width, height=height, style=self.style or CaptionStyle(), states=self._has_states)

    @property
    def _has_states(self) -> bool:
        return self.highlight == "words"


def parse_highlight(text: str) -> Highlight:
    """Read the name of a way to highlight.

    Raises:
        OptionError: there is no such way.
    """
    for name in get_args(Highlight):
        if text.lower() == name:
            found: Highlight = name
            return found
    raise OptionError(f"there is no highlighting {text!r}", hint=f"one of {', '.join(get_args(Highlight))}")
