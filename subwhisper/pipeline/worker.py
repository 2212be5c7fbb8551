"""One worker of a batch: keeps the model in memory and works on one recording after another.

Started by `LocalRunner` as a process of its own, it hears what to do on standard input and tells what it did where
standard output was. When whoever started it is gone, its standard input ends, and so does it. The same `Worker` runs
inside a Ray actor.
"""

import logging
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, NoReturn

from subwhisper.errors import InputError, JournalError, MediaError, SubwhisperError
from subwhisper.pipeline.archive import Archive
from subwhisper.pipeline.identity import FileIdentity, sampled_hash
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.journal import Journal
from subwhisper.pipeline.transcribe import Desk, TranscribeJob, error_row

_TOLD_EVERY = 0.5
"""Seconds between two words about progress."""
_ABOUT_SOUND = ("subwhisper.media", "subwhisper.engine")
"""Who warns of the recording at hand, and does not always know its name."""
_GRACE = 10.0
"""Seconds that an orphan has to put things away."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One recording for a worker."""

    id: int
    source: Source
    ours: frozenset[str] | None = None
    """Hashes of results that may be replaced; `None`: any."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a worker is."""

    id: int
    stage: str
    done: float
    total: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an assignment."""

    id: int
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Path -> hash."""
    file: FileIdentity | None = None
    language: str | None = None
    duration: float | None = None
    seconds: float = 0.0
    error: Mapping[str, Any] | None = None
    """A row as in the machine-readable report."""


@dataclass(frozen=True, slots=True)
class Hopeless:
    """What goes wrong with one recording and would with every other."""

    error: SubwhisperError


@dataclass(frozen=True, slots=True)
class Warned:
    """A line for the user."""

    text: str


News = Position | Report | Hopeless | Warned


class Worker:
    """Works on assignments with one model."""

    def __init__(self, job: TranscribeJob, archive: Archive | None, tell: Callable[[News], None]) -> None:
        """Get ready; the model is loaded when it is first needed.

        Args:
            job: what to do with each recording.
            archive: of the journal: has what was heard before and keeps what is heard now.
            tell: hears how far the work is.
        """
        self._tell = tell
        self._told_at = 0.0
        self._now = 0
        self._desk = Desk(job, archive=archive, on_progress=self._progress)

    def work(self, assignment: Assignment) -> Report | Hopeless:
        """Transcribe one recording; whatever goes wrong is in the report."""
        self._now, self._desk.ours = assignment.id, assignment.ours
        source, path = assignment.source, assignment.source.path
        self._desk.inputs = (path,) if path else ()
        started = time.monotonic()
        try:
            file = FileIdentity.of(path) if path else None
            outcome = self._desk.outcome(source)
            if path and isinstance(outcome.error, MediaError) and FileIdentity.of(path) != file:
                raise InputError(f"{path} changed while it was read", hint="run again when it is complete")
            outputs = {os.path.abspath(path): sampled_hash(path) for path in outcome.outputs}
        except InputError as error:  # it went away, or is not complete yet: the next try may find another
            return Report(assignment.id, seconds=time.monotonic() - started, error=error_row(error))
        except SubwhisperError as error:
            return Hopeless(error)
        except MemoryError:
            lack = SubwhisperError("the memory was not enough", hint="fewer --workers or a smaller --model need less")
            return Report(assignment.id, seconds=time.monotonic() - started, error=error_row(lack))
        except Exception as error:  # the edge of a job: a bug with one recording must not stop the others
            logging.getLogger(__name__).warning("%s", traceback.format_exc())
            row = {"kind": "bug", "message": f"{source}: {error!r}", "hint": "please report this", "exit_code": 1}
            return Report(assignment.id, seconds=time.monotonic() - started, error=row)
        said = outcome.transcript
        return Report(
            assignment.id,
            outputs=outputs,
            file=file,
            language=said.language if said else None,
            duration=said.duration if said else None,
            seconds=outcome.seconds,
            error=error_row(outcome.error) if outcome.error else None,
        )

    def _progress(self, stage: str, done: float, total: float | None) -> None:
        if time.monotonic() - self._told_at >= _TOLD_EVERY:
            self._told_at = time.monotonic()
            self._tell(Position(self._now, stage, done, total))


class Teller(logging.Handler):
    """Passes the library's warnings on to whoever started the worker: each once, with the recording it is about."""

    def __init__(self, tell: Callable[[News], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._said: set[str] = set()
        self._source: Source | None = None

    def begin(self, source: Source) -> None:
        """What is said from now on is about this one."""
        self._source = source
        self._said.clear()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if self._source and record.name.startswith(_ABOUT_SOUND) and self._source.name not in text:
            text = f"{self._source}: {text}"
        if text not in self._said:
            self._said.add(text)
            self._tell(Warned(text))


def main() -> NoReturn:
    """Serve whoever started this process, until it says so or is gone."""
    code = 1
    try:
        _serve()
        code = 0
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # a thread still reads standard input, which an ordinary exit would wait for


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us, who then ends us
    signal.signal(signal.SIGTERM, _terminate)
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints does not print into our messages
    lock = threading.Lock()  # warnings come from other threads too

    def tell(news: object) -> None:
        with lock:
            pickle.dump(news, told)
            told.flush()

    orders: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()
    job, journal_path = orders.get()
    teller = Teller(tell)
    logging.getLogger("subwhisper").addHandler(teller)
    worker = Worker(job, _archive(journal_path), tell)
    tell(None)  # ready
    while (assignment := orders.get()) is not None:
        teller.begin(assignment.source)
        tell(worker.work(assignment))


def _archive(journal: Path | None) -> Archive | None:
    try:
        return Journal(journal).archive if journal else None
    except JournalError as error:
        logging.getLogger(__name__).warning("%s; going on without it", error)
        return None


def _listen(stream: BinaryIO, orders: "SimpleQueue[Any]") -> None:
    """Take orders until the last one, `None`; where there is none, whoever gave them is gone."""
    try:
        while True:
            order = pickle.load(stream)
            orders.put(order)
            if order is None:
                return
    except (EOFError, pickle.UnpicklingError, OSError):
        orders.put(None)  # if it is idle
        os.kill(os.getpid(), signal.SIGTERM)  # if it is not: the main thread puts everything away
        time.sleep(_GRACE)
        os._exit(1)


def _terminate(number: int, frame: object) -> NoReturn:
    raise SystemExit(1)
