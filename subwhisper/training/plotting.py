"""A picture of a score: the errors of clips, and how far word starts are off."""

from pathlib import Path
from typing import Any

import numpy as np

from subwhisper.errors import MissingExtra, OutputError
from subwhisper.training.evaluate import Score

_FARTHEST = 500
"""Milliseconds; words farther off are drawn at the edge."""


def check_picture(path: Path) -> None:
    """Make sure that a picture can be drawn there, before the work.

    Raises:
        MissingExtra: matplotlib is not installed.
        OutputError: the folder is not there, or nobody can draw such a file.
    """
    known = _figure(1).canvas.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in known:
        raise OutputError(
            f"{path} has no suffix of a picture that can be drawn", hint=f"one of {', '.join(sorted(known))}"
        )
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist", hint="make it first, or name another for --plot")
    if path.is_dir():
        raise OutputError(f"{path} is a folder", hint="name a file for --plot")


def plot(score: Score, path: Path) -> None:
    """Draw the word error rate of each clip, and how far word starts are off where that is known.

    Raises:
        MissingExtra: matplotlib is not installed.
        OutputError: the picture cannot be written.
    """
    errors = np.array([error for clip in score.clips for error in clip.starts]) * 1000
    figure = _figure(2 if len(errors) else 1)
    rates, *starts = figure.axes
    _draw_rates(rates, score)
    for axes in starts:
        _draw_starts(axes, errors)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be written: {error}") from error


def _figure(n_panels: int) -> Any:
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise MissingExtra("matplotlib", "eval") from error
    figure = Figure(figsize=(4.5 * n_panels, 4), layout="constrained")
    for axes in figure.subplots(1, n_panels, squeeze=False).flat:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))  # clips and words are whole
    return figure


def _draw_rates(axes: Any, score: Score) -> None:
    rates = [clip.words.rate * 100 for clip in score.clips if clip.words.rate is not None]
    over_all = score.words.rate
    title = "no words to recognise" if over_all is None else f"{over_all:.1%} over all {score.words.n_words} words"
    axes.hist(rates, bins=20, range=(0, max([100, *rates])))
    axes.set(xlabel="word error rate (%)", ylabel="clips", title=title)


def _draw_starts(axes: Any, errors: np.ndarray) -> None:
    axes.hist(np.clip(errors, -_FARTHEST, _FARTHEST), bins=50, range=(-_FARTHEST, _FARTHEST))
    places = [-_FARTHEST, -_FARTHEST // 2, 0, _FARTHEST // 2, _FARTHEST]
    axes.set_xticks(places, labels=[f"≤ {places[0]}", *map(str, places[1:-1]), f"≥ {places[-1]}"])
    axes.set(xlabel="word start, found minus true (ms)", ylabel="words", title=f"{len(errors)} words with known times")
