"""Whole jobs: the one floor where speech, media and subtitles meet."""

from collections.abc import Callable

OnProgress = Callable[[str, float, float | None], None]
"""Hears from a job how far it is: the stage in words, how much is done, and of how much (`None`: nobody knows)."""


def unheard(stage: str, done: float, total: float | None) -> None:
    """An `OnProgress` for those who do not want to know."""
