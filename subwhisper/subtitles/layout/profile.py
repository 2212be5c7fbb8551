"""What good captions are, in numbers. No imports but the standard library: the command line reads it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from subwhisper.errors import OptionError

FRAME_RATE = 24.0
"""Frames a second that frames are counted in where the video's own are not known."""
LONGEST_DASH = 3
"""Characters."""
_SECONDS = (
    "min_duration",
    "max_duration",
    "min_gap",
    "chain_below",
    "linger",
    "max_pause",
    "shot_margin",
    "shot_lead",
)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The limits captions are laid out to and checked by. Defaults: Netflix's general requirements.

    `standards.load_profile` has the profiles that come with the package.

    Raises:
        OptionError: a value cannot be.
    """

    name: str = "general"
    source: str = ""
    """Where the numbers come from."""
    max_line_width: int = 42
    """Columns per line; Chinese and Japanese characters take two. A longer word is kept whole."""
    max_lines: int = 2
    """Lines per cue; one is used when the text fits."""
    max_words_per_line: int | None = None
    """Words per line; `None` for as many as fit."""
    min_duration: float = 5 / 6
    """Seconds a cue stays at least, where the next one leaves room."""
    max_duration: float = 7.0
    """Seconds a cue stays at most."""
    min_gap: float = 2 / 24
    """Seconds between cues, where the words leave room."""
    gap_frames: int | None = None
    """Frames between cues, instead of `min_gap`."""
    chain_below: float = 0.5
    """Gaps of fewer seconds are closed to the smallest allowed; 0 leaves them as they are."""
    linger: float = 0.5
    """Seconds a cue may outlast its last word so that it can be read."""
    reading_speed: float | None = 17.0
    """Characters per second at most; `None` for no limit. `script.reading_length` says what counts."""
    words_per_minute: float | None = None
    """Words per minute at most; `None` for no limit."""
    max_pause: float = 2.0
    """Seconds of silence that always end a cue."""
    one_sentence: bool = False
    """A cue holds no more than one sentence, unless they are too short to be shown alone."""
    shot_margin: float = 0.5
    """Seconds around a shot change in which a cue neither begins before it nor ends after it; 0 ignores them."""
    shot_lead: float = 0.0
    """Seconds before its first word that a cue may appear to come with its shot; 0: never before the sound."""
    speaker_dash: str | None = "-"
    """What stands before the line of each of two speakers who share a cue; `None`: no two share one."""
    dash_first_line: bool = True
    """Whether the first of the two lines has it as well."""
    languages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Code of a language -> the values that differ in it."""

    def __post_init__(self) -> None:
        for name, lowest in (("max_line_width", 1), ("max_lines", 1), ("max_words_per_line", 1), ("gap_frames", 0)):
            value = getattr(self, name)
            if value is not None and value < lowest:
                raise OptionError(f"{name} must be at least {lowest}, got {value}")
        for name in _SECONDS:
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise OptionError(f"{name} must be a number of seconds, 0 or more, got {value}")
        if self.max_duration < max(self.min_duration, 0.001):
            raise OptionError(
                f"max_duration ({self.max_duration}) must not be below min_duration ({self.min_duration})"
            )
        for name in ("reading_speed", "words_per_minute"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise OptionError(f"{name} must be above 0, got {value}")
        if len(self.speaker_dash or "") > LONGEST_DASH or not (self.speaker_dash or "").isprintable():
            raise OptionError(f"speaker_dash must be at most {LONGEST_DASH} characters, got {self.speaker_dash!r}")
        for code, values in self.languages.items():
            _refuse_strangers(code, values)
            replace(self, languages={}, **values)  # its own values must be possible as well

    def in_language(self, language: str) -> "Profile":
        """Return the limits for text in a language (`en`, `pt-BR`)."""
        code = language.lower()
        values = self.languages.get(code) or self.languages.get(code.split("-")[0], {})
        return replace(self, languages={}, **values)

    def changed(self, **values: Any) -> "Profile":
        """Set values for every language, those of single languages included.

        Raises:
            OptionError: a value cannot be.
        """
        if "min_gap" in values:
            values = {"gap_frames": None} | values
        kept = {
            code: {name: value for name, value in own.items() if name not in values}
            for code, own in self.languages.items()
        }
        return replace(self, **values, languages={code: own for code, own in kept.items() if own})

    def dash(self, line: int) -> str:
        """Return what stands before a line, from 0, of a cue that two speakers share."""
        return (self.speaker_dash or "") if line > 0 or self.dash_first_line else ""

    def gap_seconds(self, frame_rate: float | None = None) -> float:
        """Return the least time between two cues, in video of so many frames a second."""
        return self.min_gap if self.gap_frames is None else self.gap_frames / (frame_rate or FRAME_RATE)

    def limited(
        self,
        *,
        max_line_width: int | None = None,
        max_line_count: int | None = None,
        max_words_per_line: int | None = None,
    ) -> "Profile":
        """Apply the three options of openai-whisper's command line; `None` keeps what is set.

        As there, the number of words counts only without a width, and then each cue is one line
        unless a line count says otherwise.
        """
        profile = self
        if max_line_width is not None:
            profile = profile.changed(max_line_width=max_line_width)
        elif max_words_per_line is not None:
            profile = profile.changed(max_words_per_line=max_words_per_line, max_lines=1)
        return profile if max_line_count is None else profile.changed(max_lines=max_line_count)


NOT_BY_LANGUAGE = frozenset({"name", "source", "languages"})
LIMITS = frozenset(field.name for field in fields(Profile)) - NOT_BY_LANGUAGE


def _refuse_strangers(code: str, values: Mapping[str, Any]) -> None:
    if strangers := values.keys() - LIMITS:
        raise OptionError(f"languages.{code} has no limit named {min(strangers)}")
