"""The queue of a batch: who works on which recording, what became of it, and when to try again.

Several drivers may work through one queue. A claim is one statement, so a job has one owner at a time, who gives a
sign of life now and then. The jobs of a process which is gone from this machine are free at once, those of any other
when it has been silent for a lease. Silence is measured by the time that the listener itself was awake: a laptop
that slept, a clock put forward and two machines of different times end no lease.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from subwhisper.pipeline.database import Database
from subwhisper.pipeline.identity import FileIdentity, ProcessIdentity

LEASE_SECONDS = 120.0
_LONGEST_LOOK = 5.0
"""Seconds between two looks, of which more means that we were asleep, and others with us."""
_AT_ONCE = 500
"""Sources in one question to SQLite, which has a limit."""


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """The next batch tries it again."""
    ASIDE = "set aside"
    """It brought its worker down more than once: only `journal retry` lets it in again."""


SETTLED = (State.DONE, State.FAILED, State.ASIDE)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One recording under one set of wishes, as the journal knows it."""

    id: int
    source: str
    request: str
    """Hash of everything that was asked for: settings, formats, names."""
    state: State
    tries: int = 0
    crashes: int = 0
    file: FileIdentity | None = None
    """The version of the file that the results are of."""
    duration: float | None = None
    """Seconds of sound."""
    seconds: float | None = None
    """Spent on it."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Path -> hash of what was written there."""
    error: Mapping[str, Any] | None = None
    updated: float = 0.0

    @classmethod
    def of(cls, row: Any) -> "JobRecord":
        file = None if row["size"] is None else FileIdentity(row["size"], row["mtime_ns"], row["inode"])
        return cls(
            id=row["id"],
            source=row["source"],
            request=row["request"],
            state=State(row["state"]),
            tries=row["tries"],
            crashes=row["crashes"],
            file=file,
            duration=row["duration"],
            seconds=row["seconds"],
            outputs=json.loads(row["outputs"]),
            error=json.loads(row["error"]) if row["error"] else None,
            updated=row["updated"],
        )


class JobQueue:
    """The jobs of the journal, and among them those of this driver."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._silence: dict[str, tuple[float, float]] = {}
        """Owner -> its last sign of life, and seconds of ours since we saw it."""
        self._looked_at = time.monotonic()
        database.execute("CREATE TEMP TABLE IF NOT EXISTS mine (place INTEGER PRIMARY KEY, id INTEGER UNIQUE)")

    # -- before the work ------------------------------------------------------------------------------------------

    def of_sources(self, sources: Sequence[str]) -> dict[str, list[JobRecord]]:
        """Everything known about recordings, under whatever wishes; those never seen are left out."""
        found: dict[str, list[JobRecord]] = {}
        for start in range(0, len(sources), _AT_ONCE):
            asked = sources[start : start + _AT_ONCE]
            marks = ",".join("?" * len(asked))
            for row in self._database.execute(f"SELECT * FROM jobs WHERE source IN ({marks})", asked):
                found.setdefault(row["source"], []).append(JobRecord.of(row))
        return found

    def enqueue(self, sources: Iterable[str], request: str, *, planned_at: float) -> None:
        """Put recordings in the queue, and make them, and no others, this driver's to see through.

        What has been settled since `planned_at`, by another driver, is left as it is.
        """
        now = time.time()

        def rows() -> Iterator[tuple[Any, ...]]:
            for place, source in enumerate(sources):
                order.append((source, request, place))
                yield source, request, now, planned_at

        order: list[tuple[str, str, int]] = []
        with self._database.transaction():
            self._database.execute("DELETE FROM mine")
            self._database.execute_many(
                "INSERT INTO jobs (source, request, state, updated) VALUES (?, ?, 'waiting', ?)"
                " ON CONFLICT (source, request) DO UPDATE"
                " SET state = 'waiting', tries = 0, not_before = 0, error = NULL, updated = excluded.updated"
                " WHERE state IN ('done', 'failed') AND updated < ?",
                rows(),
            )
            self._database.execute_many(
                "INSERT INTO mine SELECT ?3, id FROM jobs WHERE source = ?1 AND request = ?2", iter(order)
            )

    # -- the work ----------------------------------------------------------------------------------------------------

    def claim(self, owner: ProcessIdentity) -> JobRecord | None:
        """Take the next of this driver's jobs that nobody is at; `None` if there is none just now."""
        now = time.time()
        rows = self._database.execute(
            "UPDATE jobs SET state = 'running', owner = ?, updated = ? WHERE id = ("
            " SELECT jobs.id FROM mine CROSS JOIN jobs USING (id) WHERE state = 'waiting' AND not_before <= ?"
            " ORDER BY place LIMIT 1) RETURNING *",  # CROSS: looked at in their order, up to the first that fits
            (str(owner), now, now),
        )
        return JobRecord.of(rows[0]) if rows else None

    def renew(self, owner: ProcessIdentity) -> None:
        """Say that the owner is still at work."""
        self._database.execute("UPDATE jobs SET updated = ? WHERE owner = ?", (time.time(), str(owner)))

    def release(self, owner: ProcessIdentity) -> None:
        """Give up everything the owner has not finished."""
        self._database.execute("UPDATE jobs SET state = 'waiting', owner = NULL WHERE owner = ?", (str(owner),))

    def release_orphans(self) -> None:
        """Free the jobs of processes that are gone from this machine, and of those that were silent for a lease."""
        now = time.monotonic()
        awake, self._looked_at = min(now - self._looked_at, _LONGEST_LOOK), now
        known, self._silence = self._silence, {}
        signs = "SELECT owner, max(updated) AS last FROM jobs WHERE owner IS NOT NULL GROUP BY owner"
        for name, last in self._database.execute(signs):
            before, silent = known.get(name, (None, 0.0))
            silent = silent + awake if before == last else 0.0
            owner = ProcessIdentity.parse(name)
            if owner is None or owner.is_gone() or silent > LEASE_SECONDS:
                self._database.execute("UPDATE jobs SET state = 'waiting', owner = NULL WHERE owner = ?", (name,))
            else:
                self._silence[name] = (last, silent)

    def finish(
        self,
        job: JobRecord,
        owner: ProcessIdentity,
        *,
        file: FileIdentity | None,
        outputs: Mapping[str, str],
        duration: float | None,
        seconds: float,
    ) -> None:
        """Note that a job is done, and of which version of the file."""
        size, mtime_ns, inode = (file.size, file.mtime_ns, file.inode) if file else (None, None, None)
        self._database.execute(
            "UPDATE jobs SET state = 'done', owner = NULL, error = NULL, crashes = 0, size = ?, mtime_ns = ?,"
            " inode = ?, outputs = ?, duration = ?, seconds = ?, updated = ? WHERE id = ? AND owner = ?",
            (size, mtime_ns, inode, json.dumps(outputs), duration, seconds, time.time(), job.id, str(owner)),
        )

    def note(
        self,
        source: str,
        request: str,
        *,
        file: FileIdentity,
        outputs: Mapping[str, str],
        duration: float | None,
        seconds: float,
    ) -> None:
        """Note that a recording was done by somebody who is no driver of a queue."""
        self._database.execute(
            "INSERT INTO jobs (source, request, state, size, mtime_ns, inode, outputs, duration, seconds, updated)"
            " VALUES (?, ?, 'done', ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, request) DO UPDATE SET state = 'done',"
            " error = NULL, size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
            " outputs = excluded.outputs, duration = excluded.duration, seconds = excluded.seconds,"
            " updated = excluded.updated WHERE state != 'running'",
            (
                source,
                request,
                file.size,
                file.mtime_ns,
                file.inode,
                json.dumps(outputs),
                duration,
                seconds,
                time.time(),
            ),
        )

    def postpone(
        self, job: JobRecord, owner: ProcessIdentity, error: Mapping[str, Any], *, delay: float, crashed: bool = False
    ) -> None:
        """Let a job be tried again, not before `delay` seconds from now."""
        now = time.time()
        self._database.execute(
            "UPDATE jobs SET state = 'waiting', owner = NULL, tries = tries + 1, crashes = crashes + ?, error = ?,"
            " not_before = ?, updated = ? WHERE id = ? AND owner = ?",
            (crashed, json.dumps(error), now + delay, now, job.id, str(owner)),
        )

    def give_up(
        self, job: JobRecord, owner: ProcessIdentity, error: Mapping[str, Any], *, state: State, crashed: bool = False
    ) -> None:
        """Note that a job failed for good, or is set aside."""
        self._database.execute(
            "UPDATE jobs SET state = ?, owner = NULL, tries = tries + 1, crashes = crashes + ?, error = ?, updated = ?"
            " WHERE id = ? AND owner = ?",
            (state, crashed, json.dumps(error), time.time(), job.id, str(owner)),
        )

    # -- after the work ----------------------------------------------------------------------------------------------

    def settled(self, id: int | None = None) -> list[JobRecord]:
        """Those of this driver's jobs that are settled, whoever settled them, or one of them; each is told once."""
        only = "" if id is None else f" AND id = {id}"
        rows = self._database.execute(
            f"SELECT jobs.* FROM mine JOIN jobs USING (id) WHERE state IN (?, ?, ?){only} ORDER BY updated", SETTLED
        )
        for row in rows:
            self._database.execute("DELETE FROM mine WHERE id = ?", (row["id"],))
        return [JobRecord.of(row) for row in rows]
