"""The only place that prints.

Standard output carries data (`--json`, tables that were asked for) and nothing else; everything said
on the way (progress, what was written, warnings, errors) goes to standard error. A terminal
gets a moving bar, anything else a plain line now and then.
"""

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from subwhisper.errors import OutputError, SubwhisperError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_LINE_EVERY = 10.0
"""Seconds between two progress lines where there is no terminal."""


def fail(error: SubwhisperError) -> None:
    """Say what went wrong and what to do next: one line each."""
    _say(f"subwhisper: error: {one_line(error.message)}")
    if error.hint:
        _say(f"  hint: {one_line(error.hint)}")


def one_line(text: str) -> str:
    """Text from anywhere (file names may hold line breaks and worse) as one printable line."""
    joined = " ".join(text.split("\n")) if text.isprintable() else " ".join(text.split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in joined)


def write_data(text: str, to: TextIO | None = None) -> None:
    """Put something that was asked for on standard output, or what that was before somebody exchanged it.

    Raises:
        OutputError: it takes no more. (A reader that has left, as `head` does, is Typer's to deal with.)
    """
    try:
        stream = to or sys.stdout
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from error


def report(document: Mapping[str, Any]) -> None:
    """Put a machine-readable report on standard output."""
    import json  # 3 ms that --help need not pay

    # Escaped, because file names may hold bytes that no encoding can write.
    write_data(json.dumps(document, indent=2, allow_nan=False))


class Console(logging.Handler):
    """What one command says while it works; also shows the library's warnings."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(level=logging.WARNING)
        self.quiet = quiet
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last_line = 0.0

    def __enter__(self) -> Self:
        logging.getLogger("subwhisper").addHandler(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        logging.getLogger("subwhisper").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.line(f"subwhisper: {record.getMessage()}")

    def line(self, text: str) -> None:
        """Say one line, unless told to be quiet."""
        if self.quiet:
            return
        if self._bars is not None:
            self._bars.console.print(one_line(text), markup=False, highlight=False, soft_wrap=True)
        else:
            _say(one_line(text))

    def fail(self, error: SubwhisperError) -> None:
        """Say what went wrong with one of several; a bar on the screen is stepped over."""
        if self._bars is not None:
            self._bars.console.print(f"subwhisper: error: {one_line(str(error))}", markup=False, highlight=False)
        else:
            fail(error)

    @contextmanager
    def working(self, *, guess_time_left: bool = True) -> Iterator[None]:
        """Show progress while the block runs; `progress` says how far, and its notes how long if nobody guesses."""
        if self.quiet or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            *([TimeRemainingColumn()] if guess_time_left else []),
        )
        with Progress(*columns, console=Terminal(stderr=True), transient=True) as self._bars:
            try:
                yield
            finally:
                self._bars, self._tasks = None, {}

    def progress(self, stage: str, done: float, total: float | None, note: str = "") -> None:
        """Say how far a stage has come; `total` is `None` when nobody knows, and the note may change."""
        if self.quiet:
            return
        if self._bars is not None:
            self._move_bar(self._bars, stage, done, total, note)
        elif time.monotonic() - self._last_line >= PLAIN_LINE_EVERY:
            share = f"{100 * done / total:.0f} %" if total else f"{done:.0f} so far"
            # The first call only starts the clock: short work needs no line at all.
            if self._last_line:
                _say(one_line(f"{stage}: {share}" + (f", {note}" if note else "")))
            self._last_line = time.monotonic()

    def _move_bar(self, bars: "Progress", stage: str, done: float, total: float | None, note: str) -> None:
        if stage not in self._tasks:
            for task in self._tasks.values():
                bars.remove_task(task)
            self._tasks = {stage: bars.add_task(one_line(stage), total=total)}
        shown = one_line(f"{stage}: {note}" if note else stage)
        bars.update(self._tasks[stage], completed=done, total=total, description=shown)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
