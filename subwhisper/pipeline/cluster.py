"""A batch on a Ray cluster: the same jobs, journal and worker as on one machine, only elsewhere.

Every actor keeps one model loaded, on a GPU where the cluster has some, else on some cores; Ray starts it again when it
dies. Each has one recording at a time and gets the next when it is done. Paths travel, never sound, so recordings and
results must have the same paths on every machine. What is finished is kept in the driver's journal, through an actor
on the driver's machine: no other machine opens that file.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from subwhisper.errors import MissingExtra, ToolError
from subwhisper.pipeline.archive import Archive
from subwhisper.pipeline.database import Database
from subwhisper.pipeline.runner import TICK, Lost, NewsFeed, Take
from subwhisper.pipeline.transcribe import TranscribeJob
from subwhisper.pipeline.worker import Assignment, Hopeless, News, Report, Worker

LOCAL = "local"
"""An address that starts a cluster of this machine alone."""
_CORES_EACH = 4
"""Processor cores of an actor on a cluster without GPUs, unless the number of workers is given."""
_CLIENT = "ray://"


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
            actors = self._hire(ray)
            yield from _Dispatch(ray, actors, take).news()
        finally:
            ray.shutdown()

    def _hire(self, ray: Any) -> list[Any]:
        room = ray.cluster_resources()
        cpus, gpus = int(room.get("CPU", 0)), int(room.get("GPU", 0))
        self.n_workers = self.wanted or gpus or max(1, cpus // _CORES_EACH)
        share = max(1, cpus // self.n_workers)
        needs = {"num_gpus": 1, "num_cpus": 1} if gpus else {"num_cpus": share}
        job = self.job
        if not job.model.threads and not gpus:
            job = replace(job, model=replace(job.model, threads=share))
        keeper = self._keeper(ray)
        # Two threads: one works while the other tells how far it is.
        hire = ray.remote(_Actor).options(max_restarts=-1, max_concurrency=2, **needs)
        return [hire.remote(job, keeper) for _ in range(self.n_workers)]

    def _keeper(self, ray: Any) -> Any:
        if self.journal is None:
            return None
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        hire = ray.remote(_Keeper).options(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)
        return hire.remote(self.journal)


class _Dispatch:
    """Hands out assignments to actors and hears them."""

    def __init__(self, ray: Any, actors: list[Any], take: Take) -> None:
        self._ray, self._idle, self._take = ray, list(actors), take
        self._busy: dict[Any, tuple[Any, Assignment]] = {}
        self._asked: dict[Any, Any] = {}
        self._away: dict[Any, Any] = {}
        """Actors that were lost, and what they are asked to see whether they are back."""

    def news(self) -> NewsFeed:
        while True:
            while self._idle and (assignment := self._take()):
                actor = self._idle.pop(0)
                self._busy[actor.work.remote(assignment)] = (actor, assignment)
                self._asked[actor] = actor.news.remote()
            for reference in self._finished():
                actor, assignment = self._busy.pop(reference)
                yield from self._told(actor)
                outcome = self._outcome(reference, assignment)
                if isinstance(outcome, Lost):
                    self._away[actor] = actor.news.remote()
                else:
                    self._idle.append(actor)
                yield outcome
            self._welcome_back()
            for actor, _ in list(self._busy.values()):
                yield from self._told(actor)
            yield None

    def _finished(self) -> list[Any]:
        """What has been finished within a tick."""
        if self._busy:
            finished: list[Any] = self._ray.wait([*self._busy], timeout=TICK)[0]
            return finished
        time.sleep(TICK)
        return []

    def _welcome_back(self) -> None:
        """Give work again to those that answer: a recording given too early would be taken for the next victim."""
        for actor, reference in list(self._away.items()):
            if self._ray.wait([reference], timeout=0)[0]:
                try:
                    self._ray.get(reference)
                except self._ray.exceptions.RayError:
                    self._away[actor] = actor.news.remote()
                else:
                    del self._away[actor]
                    self._idle.append(actor)

    def _told(self, actor: Any) -> Iterator[News]:
        """What an actor has said since it was last asked; of one that died, nothing."""
        reference = self._asked[actor]
        if self._ray.wait([reference], timeout=0)[0]:
            self._asked[actor] = actor.news.remote()
            try:
                yield from self._ray.get(reference)
            except self._ray.exceptions.RayError:
                return

    def _outcome(self, reference: Any, assignment: Assignment) -> Report | Hopeless | Lost:
        try:
            outcome: Report | Hopeless = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return Lost(assignment.id, f"its worker on the cluster was lost ({type(error).__name__})")
        return outcome


class _Actor:
    """A worker inside of Ray."""

    def __init__(self, job: TranscribeJob, keeper: Any) -> None:
        self._news: list[News] = []
        archive = Archive(_RemoteDatabase(keeper)) if keeper is not None else None
        self._worker = Worker(job, archive, self._news.append)

    def work(self, assignment: Assignment) -> Report | Hopeless:
        return self._worker.work(assignment)

    def news(self) -> list[News]:
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
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ToolError(f"the Ray cluster {address} cannot be reached: {error}", hint="is it started?") from error
    return ray


def _alone(address: str) -> dict[str, Any]:
    return {"include_dashboard": False, "object_store_memory": 100 << 20} if address == LOCAL else {}
