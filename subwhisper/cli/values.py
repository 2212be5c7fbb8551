"""What the text of an option means: numbers, limits, lists, languages, looks."""

from typing import TYPE_CHECKING, Any, TypeVar

import typer

from subwhisper.errors import OptionError

if TYPE_CHECKING:
    from subwhisper.subtitles.look import Look

N = TypeVar("N", int, float)


def _is_none(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() == "none"


def _number(value: Any, kind: type[int] | type[float] = float) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        noun = "whole number" if kind is int else "number"
        raise typer.BadParameter(f"{value!r} is not a {noun}") from error


def parse_look(style: str | None, highlight: str) -> "Look":
    """How captions are shown.

    Raises:
        OptionError: a style or a highlighting is unknown.
    """
    from subwhisper.subtitles.look import Look, parse_highlight  # brings the formats: keep it in here
    from subwhisper.subtitles.style import parse_style

    return Look(style=None if style is None else parse_style(style), highlight=parse_highlight(highlight))


def parse_limit(value: Any) -> float | None:
    """A number, or `None` for no limit."""
    return None if value is None or _is_none(value) else _number(value)


def parse_whole_limit(value: Any) -> int | None:
    """A whole number, or `None` for no limit."""
    return None if value is None or _is_none(value) else _number(value, int)


def parse_count(value: Any) -> int:
    """A whole number; `None` is 1, as openai-whisper has it."""
    return 1 if _is_none(value) else _number(value, int)


def parse_factor(value: Any) -> float:
    """A number; `None` is 1, as openai-whisper has it."""
    return 1.0 if _is_none(value) else _number(value)


def parse_text(value: Any) -> str | None:
    """Text; `None` is none at all."""
    return None if value is None or _is_none(value) else str(value)


def parse_language(value: Any) -> str | None:
    """A code or English name, or several with commas between; `None` and `auto` leave it to be detected."""
    text = parse_text(joined(value))
    return None if text is None or text.strip().lower() == "auto" else text


def joined(value: Any) -> str:
    """A list with commas between; in a configuration file it may also be a list."""
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def parse_times(text: str) -> tuple[float, ...]:
    """Seconds with commas between: `0,10,20`.

    Raises:
        OptionError: one is no number.
    """
    return tuple(_listed("--clip-timestamps", part, float) for part in text.split(",") if part.strip())


def parse_tokens(text: str) -> tuple[int, ...]:
    """Token ids with commas between; `None` and nothing suppress nothing.

    Raises:
        OptionError: one is no whole number.
    """
    if _is_none(text):
        return ()
    return tuple(_listed("--suppress-tokens", part, int) for part in text.split(",") if part.strip())


def _listed(option: str, part: str, kind: type[N]) -> N:
    try:
        return kind(part)
    except ValueError as error:
        raise OptionError(f"{option}: {part.strip()!r} is not a number") from error
