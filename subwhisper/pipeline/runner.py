"""Who does the work of a batch: processes of this machine here, a Ray cluster in `cluster.py`.

A runner takes assignments as fast as its workers finish them and tells what becomes of each. It knows no queue and
no retries; those are the driver's (`batch.py`), the same for every runner.
"""

import os
import pickle
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO, Protocol

from subwhisper.errors import ToolError
from subwhisper.pipeline.identity import ProcessIdentity
from subwhisper.pipeline.transcribe import TranscribeJob
from subwhisper.pipeline.worker import Assignment, Hopeless, News, Report

TICK = 0.2
"""Seconds without news after which the driver is heard anyway."""
_PATIENCE = 5.0
"""Seconds that workers have to put things away."""
_SCRATCH = "subwhisper-batch-"
_WORK = """
from subwhisper.pipeline.quickstart import quick_imports
with quick_imports():
    from subwhisper.pipeline.worker import main
main()
"""


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker died over an assignment."""

    id: int
    reason: str
    had_begun: bool = True
    """Whether the recording may be what killed it."""


Take = Callable[[], Assignment | None]
NewsFeed = Generator[News | Lost | None, None, None]


class Runner(Protocol):
    """Works on assignments, several at once.

    To add one: start workers that each hold a `worker.Worker`, and add the runner to tests/pipeline/test_runners.py.
    """

    @property
    def n_workers(self) -> int: ...

    def run(self, take: Take) -> NewsFeed:
        """Work until the iterator is closed.

        Args:
            take: gives the next assignment, or `None` if there is none just now.

        Yields:
            What workers tell, who was lost, and now and then `None`, so that the caller can look at its clock.

        Raises:
            ToolError: workers cannot be started.
        """
        ...


@dataclass
class LocalRunner:
    """Processes of this machine; each loads the model for itself, and dies with the one that started it."""

    job: TranscribeJob
    journal: Path | None
    """Where finished windows are kept; `None` keeps none."""
    n_workers: int = 1
    _news: "queue.SimpleQueue[tuple[_Process, News | None]]" = field(default_factory=queue.SimpleQueue)

    def run(self, take: Take) -> NewsFeed:
        workers: list[_Process] = []
        with scratch() as folder:
            try:
                yield from self._news_of(workers, take, folder)
            finally:
                for worker in workers:
                    worker.end()
                for worker in workers:
                    worker.wait()

    def _news_of(self, workers: "list[_Process]", take: Take, folder: str) -> NewsFeed:
        while True:
            self._hand_out(take, workers, folder)
            try:
                worker, news = self._news.get(timeout=TICK)
            except queue.Empty:
                yield None
                continue
            if news is not None:
                if isinstance(news, Report | Hopeless):
                    worker.assignment = None
                yield news
            elif worker in workers:
                workers.remove(worker)
                yield worker.obituary()

    def _hand_out(self, take: Take, workers: "list[_Process]", folder: str) -> None:
        """Give idle workers something to do; another worker is started only when there is something for it."""
        for worker in workers:
            if worker.assignment is None and (assignment := take()):
                worker.give(assignment)
        while len(workers) < self.n_workers and (assignment := take()):
            worker = _Process(self.job, self.journal, folder, self._news)
            workers.append(worker)
            worker.give(assignment)


class _Process:
    """One worker, seen from outside."""

    def __init__(
        self,
        job: TranscribeJob,
        journal: Path | None,
        folder: str,
        news: "queue.SimpleQueue[tuple[_Process, News | None]]",
    ) -> None:
        self.assignment: Assignment | None = None
        self.is_ready = False
        self._news = news
        command = [sys.executable, "-c", _WORK]
        environment = {**os.environ, "TMPDIR": folder}
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
            )
        except OSError as error:
            raise ToolError(f"no worker could be started: {error.strerror}", hint="fewer --workers may help") from error
        assert self._process.stdin
        assert self._process.stdout
        self._stdin: IO[bytes] = self._process.stdin
        Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()
        self._say((job, journal))

    def give(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self._say(assignment)

    def obituary(self) -> Lost | None:
        """What is to be told of a worker that is gone.

        Raises:
            ToolError: it cannot be started.
        """
        code = self._process.wait()
        self._hang_up()
        reason = (
            f"its worker was ended by {signal.Signals(-code).name}" if code < 0 else f"its worker ended with {code}"
        )
        if not self.is_ready and code >= 0:
            raise ToolError(f"workers do not start: one ended with {code}", hint="subwhisper doctor may know why")
        return Lost(self.assignment.id, reason, self.is_ready) if self.assignment else None

    def end(self) -> None:
        """Ask the worker to put things away and end."""
        self._process.terminate()

    def wait(self) -> None:
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._hang_up()

    def _hang_up(self) -> None:
        with suppress(BrokenPipeError):
            self._stdin.close()

    def _say(self, order: object) -> None:
        with suppress(BrokenPipeError):  # that it died is told by the other pipe
            pickle.dump(order, self._stdin)
            self._stdin.flush()

    def _listen(self, stdout: IO[bytes]) -> None:
        with stdout, suppress(EOFError, pickle.UnpicklingError):
            try:
                while True:
                    news = pickle.load(stdout)
                    if news is None:
                        self.is_ready = True
                    else:
                        self._news.put((self, news))
            finally:  # at the end of the pipe: the worker is gone
                self._news.put((self, None))


@contextmanager
def scratch() -> Iterator[str]:
    """A temporary folder that is known for that of this process, so that the next batch can remove it after a kill."""
    folder = Path(tempfile.gettempdir()) / f"{_SCRATCH}{ProcessIdentity.current()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_scratch() -> None:
    """Remove the temporary folders of batches that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        owner = ProcessIdentity.parse(folder.name.removeprefix(_SCRATCH))
        if owner is not None and owner.is_gone():
            shutil.rmtree(folder, ignore_errors=True)
