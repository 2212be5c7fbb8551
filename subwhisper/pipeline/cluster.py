"""A batch on a Ray cluster: the same jobs, journal and worker as on one machine, only elsewhere.

Every actor keeps one model loaded, on a GPU where the cluster has some, else on some cores; Ray starts it again when it
dies. Each has one recording at a time and gets the next when it is done. Paths and URLs travel, never sound, so
recordings and results must have the same paths on every machine. What is finished is kept in the driver's journal,
through an actor on the driver's machine: no other machine opens that file.
"""

import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from subwhisper.errors import InputError, MissingExtra, ToolError
from subwhisper.pipeline.archive import Archive
from subwhisper.pipeline.database import Database
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.runner import TICK, Lost, NewsFeed, Take, scratch, sweep_scratch
from subwhisper.pipeline.transcribe import TranscribeJob, error_row
from subwhisper.pipeline.worker import Assignment, Hopeless, News, Report, Warned, Worker

LOCAL = "local"
"""An address that starts a cluster of this machine alone."""
_CORES_EACH = 4
"""Processor cores of an actor on a cluster without GPUs, unless the number of workers is given."""
_CLIENT = "ray://"
_NEWS_EVERY = 1.0
"""Seconds between two words of one actor about its progress."""
_PATIENCE = 60.0
"""Seconds without a single actor after which the user is told why nothing happens."""
_START_PATIENCE = 60
"""Seconds that a cluster of this machine has to start. Ray's own 30 are few where others are hard at work."""
_ELSEWHERE = "recordings and results need the same paths on every machine of the cluster"


@dataclass
class RayRunner:
    """Actors of a cluster; a `Runner`."""

    job: TranscribeJob
    journal: Path | None
    """Of the driver."""
    address: str
    """`HOST:PORT` of the cluster, `auto` for the one this machine is part of, or `local`."""
    wanted: int | None = None
    """How many workers; `None` is as many as the cluster has GPUs, or room for on its processors."""
    n_workers: int = 1

    def run(self, take: Take) -> NewsFeed:
        """Work until closed; what dies is reported and comes back.

        Raises:
            MissingExtra: Ray is not installed.
            ToolError: there is no such cluster, or it has no room.
        """
        ray = _connected(self.address)
        try:
            keeper = self._keeper(ray)  # held here too: Ray ends an actor that nobody alive holds, for good
            yield from _Dispatch(ray, self._hire(ray, keeper), take).news()
        finally:
            ray.shutdown()

    def _hire(self, ray: Any, keeper: Any) -> list[Any]:
        room = ray.cluster_resources()
        cpus, gpus = int(room.get("CPU", 0)), int(room.get("GPU", 0))
        self.n_workers = self.wanted or gpus or max(1, cpus // _CORES_EACH)
        share = max(1, cpus // self.n_workers)
        needs = {"num_gpus": 1, "num_cpus": 1} if gpus else {"num_cpus": share}
        job = self.job
        if not job.model.threads and not gpus:
            job = replace(job, model=replace(job.model, threads=share))
        # Two threads: one works while the other tells how far it is.
        hire = ray.remote(_Actor).options(max_restarts=-1, max_concurrency=2, **needs)
        return [hire.remote(job, keeper, Path.cwd()) for _ in range(self.n_workers)]

    def _keeper(self, ray: Any) -> Any:
        if self.journal is None:
            return None
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        hire = ray.remote(_Keeper).options(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)
        return hire.remote(self.journal)


class _Dispatch:
    """Hands out assignments to actors and hears them.

    An actor gets work only after it has answered: one that has no room yet, or is being started again after its
    death, would keep a recording waiting, or be taken for its victim.
    """

    def __init__(self, ray: Any, actors: list[Any], take: Take) -> None:
        self._ray, self._take = ray, take
        self._idle: list[Any] = []
        self._at_work: dict[Any, tuple[Any, Assignment]] = {}
        """What they have been told to do, by Ray's reference to its outcome."""
        self._asked: dict[Any, Any] = {actor.news.remote(): actor for actor in actors}
        """Who has been asked for news, by Ray's reference to the answer."""
        self._away = set(actors)
        self._started = time.monotonic()
        self._is_patient = True

    def news(self) -> NewsFeed:
        while True:
            while self._idle and (assignment := self._take()):
                actor = self._idle.pop(0)
                self._at_work[actor.work.remote(assignment)] = (actor, assignment)
            for reference in self._answers():
                yield from self._outcome(reference) if reference in self._at_work else self._told(reference)
            yield from self._nobody_came()
            yield None

    def _answers(self) -> list[Any]:
        """What has come in within a tick."""
        awaited = [*self._asked, *self._at_work]  # what one said before it died is heard before that it died
        if not self._ray.wait(awaited, timeout=TICK)[0]:
            return []
        answers: list[Any] = self._ray.wait(awaited, num_returns=len(awaited), timeout=0)[0]
        return answers

    def _told(self, reference: Any) -> Iterator[News]:
        """What an actor has to say; of one that died, nothing until it is back.

        Raises:
            ToolError: it cannot be started at all.
        """
        actor = self._asked.pop(reference)
        try:
            yield from self._ray.get(reference)
        except self._ray.exceptions.ActorDiedError as error:
            reason = str(error).strip().splitlines()[-1]
            hint = "every machine of the cluster needs the same subwhisper, Ray and Python"
            raise ToolError(f"no worker can be started on the cluster: {reason}", hint=hint) from error
        except self._ray.exceptions.RayError:
            self._away.add(actor)
        else:
            if actor in self._away:
                self._away.remove(actor)
                self._idle.append(actor)
        self._asked[actor.news.remote()] = actor

    def _outcome(self, reference: Any) -> Iterator[News | Lost]:
        actor, assignment = self._at_work.pop(reference)
        try:
            said, outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._away.add(actor)
            yield Lost(assignment.id, f"its worker on the cluster was lost ({type(error).__name__})")
        else:
            self._idle.append(actor)
            yield from said
            yield outcome

    def _nobody_came(self) -> Iterator[Warned]:
        if self._is_patient and time.monotonic() - self._started > _PATIENCE:
            self._is_patient = False
            if not self._idle and not self._at_work:
                yield Warned(f"the cluster has had no room for a worker for {_PATIENCE:.0f} s; waiting")


class _Actor:
    """A worker inside of Ray."""

    def __init__(self, job: TranscribeJob, keeper: Any, folder: Path) -> None:
        """Get ready to work as if this were the driver's working folder."""
        sweep_scratch()
        with suppress(OSError):
            os.chdir(folder)
        self._folder, self._outputs = folder, job.outputs
        self._news: list[News] = []
        archive = Archive(_RemoteDatabase(keeper)) if keeper is not None else None
        self._worker = Worker(job, archive, self._news.append)

    def work(self, assignment: Assignment) -> tuple[list[News], Report | Hopeless]:
        """Do it; also gives what was not told before."""
        if missing := self._unseen(assignment.source):
            error = InputError(f"{missing} is not there on {socket.gethostname()}", hint=_ELSEWHERE)
            return [], Report(assignment.id, error=error_row(error))
        with scratch() as tempfile.tempdir:
            outcome = self._worker.work(assignment)
        tempfile.tempdir = None
        return self._untold(), outcome

    def _unseen(self, source: Source) -> Path | None:
        """A path that this machine lacks. The driver has made the folder of the results before."""
        places = [source.path] if source.path else []
        places += [self._outputs.folder_for(source)]
        return next((self._folder / place for place in places if not (self._folder / place).exists()), None)

    def news(self) -> list[News]:
        """What happened within a while."""
        time.sleep(_NEWS_EVERY)
        return self._untold()

    def _untold(self) -> list[News]:
        told = self._news[:]
        del self._news[: len(told)]
        return told


class _Keeper:
    """The journal's file, opened where it lies."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def execute(self, statement: str, values: Any) -> list[Mapping[str, Any]]:
        return [dict(row) for row in self._database.execute(statement, values)]


class _RemoteDatabase(Database):
    """A journal on another machine; every write is on its disk before the next step is taken."""

    def __init__(self, keeper: Any) -> None:
        self._keeper = keeper

    def execute(self, statement: str, values: Any = ()) -> list[Any]:
        import ray

        rows: list[Any] = ray.get(self._keeper.execute.remote(statement, values))
        return rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Statements follow one another, each for itself: the archive writes what is new before it drops the old."""
        yield


def _connected(address: str) -> Any:
    """Ray, connected.

    Raises:
        MissingExtra: it is not installed.
        ToolError: nobody answers there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it writes past every logger
    os.environ.setdefault("RAY_gcs_server_port_wait_time_s", str(_START_PATIENCE))
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "cluster") from error
    if address.startswith(_CLIENT):
        raise ToolError(
            f"{address} is a Ray client's address", hint="run on a machine of the cluster with --cluster auto"
        )
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **_alone(address))
    except Exception as error:  # Ray raises this very class when its parts do not find one another in time
        raise _unreachable(address, error) from error
    return ray


def _unreachable(address: str, error: Exception) -> ToolError:
    if address == LOCAL:
        hint = "a machine that is hard at work may need another try; --workers without --cluster needs no Ray"
        return ToolError(f"Ray does not start on this machine: {error}", hint=hint)
    return ToolError(f"the Ray cluster {address} cannot be reached: {error}", hint="is it started?")


def _alone(address: str) -> dict[str, Any]:
    return {"include_dashboard": False, "object_store_memory": 100 << 20} if address == LOCAL else {}
