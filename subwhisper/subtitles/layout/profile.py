"""What good captions are, in numbers. No imports but the standard library: the command line reads it."""

import math
from dataclasses import dataclass, replace

from subwhisper.errors import OptionError

READING_SPEEDS = {"en": 20.0, "ar": 20.0, "hi": 22.0, "ko": 12.0, "zh": 9.0, "yue": 9.0, "ja": 4.0}
"""Characters per second an adult reads with ease; Netflix's timed text guides, as read by Subtitle Edit."""
DEFAULT_READING_SPEED = 17.0


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The limits captions are laid out to. Defaults: Netflix's general requirements at 24 frames a second.

    Raises:
        OptionError: a value cannot be.
    """

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
    linger: float = 0.5
    """Seconds a cue may outlast its last word so that it can be read."""
    reading_speed: float | None = None
    """Characters per second to aim for; `None` for what the language is read at."""
    max_pause: float = 2.0
    """Seconds of silence that always end a cue."""

    def __post_init__(self) -> None:
        for name, lowest in (("max_line_width", 1), ("max_lines", 1), ("max_words_per_line", 1)):
            value = getattr(self, name)
            if value is not None and value < lowest:
                raise OptionError(f"{name} must be at least {lowest}, got {value}")
        for name in ("min_duration", "max_duration", "min_gap", "linger", "max_pause"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise OptionError(f"{name} must be a number of seconds, 0 or more, got {value}")
        if self.max_duration < max(self.min_duration, 0.001):
            raise OptionError(
                f"max_duration ({self.max_duration}) must not be below min_duration ({self.min_duration})"
            )
        if self.reading_speed is not None and not (math.isfinite(self.reading_speed) and self.reading_speed > 0):
            raise OptionError(f"reading_speed must be above 0, got {self.reading_speed}")

    def speed_for(self, language: str) -> float:
        """Return the characters per second to aim for in this language (`en`, `pt-BR`)."""
        if self.reading_speed is not None:
            return self.reading_speed
        return READING_SPEEDS.get(language.split("-")[0].lower(), DEFAULT_READING_SPEED)

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
            profile = replace(profile, max_line_width=max_line_width)
        elif max_words_per_line is not None:
            profile = replace(profile, max_words_per_line=max_words_per_line, max_lines=1)
        return profile if max_line_count is None else replace(profile, max_lines=max_line_count)
