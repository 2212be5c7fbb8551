"""The journal: what has been done so far, so that nothing has to be done twice.

It needs no flag. Every finished window is in it before the next one begins; after a crash, a kill or a power cut
the same command goes on from there. It is one file of its owner's (`database.py`), holding what has been heard
(`archive.py`) and the queue of every batch (`jobs.py`), and kept small by age and by size.
"""

import json
import logging
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subwhisper.errors import JournalError
from subwhisper.pipeline.archive import Archive
from subwhisper.pipeline.database import DamagedJournalError, Database, discard, remove_set_aside, set_aside
from subwhisper.pipeline.jobs import JobQueue, State
from subwhisper.settings import JOURNAL_DAYS, JOURNAL_MB, state_folder

FILE = "journal.sqlite3"
_DAY = 24 * 3600.0
_KEPT = ("windows", "transcripts")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class JournalLimits:
    """When the oldest is forgotten."""

    max_bytes: int = int(JOURNAL_MB * 1e6)
    max_days: float = JOURNAL_DAYS


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """What a journal holds."""

    path: Path
    n_bytes: int
    n_transcripts: int
    n_windows: int
    """Of recordings that are not finished."""
    jobs: Mapping[str, int]
    """State -> how many."""
    problems: tuple[Mapping[str, Any], ...]
    """Jobs that failed or are set aside: source, state, error, when."""

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable report."""
        return {
            "path": str(self.path),
            "bytes": self.n_bytes,
            "transcripts": self.n_transcripts,
            "windows": self.n_windows,
            "jobs": dict(self.jobs),
            "problems": [dict(problem) for problem in self.problems],
        }


class Journal:
    """One journal file, open."""

    def __init__(self, path: Path | None) -> None:
        """Open it, making it if it is not there.

        Args:
            path: `None` is a journal in memory, which ends with the process.

        Raises:
            JournalError: it cannot be used.
        """
        self.path = path
        self._database = Database(path)
        self.archive = Archive(self._database)
        self.jobs = JobQueue(self._database)

    def close(self) -> None:
        self._database.close()

    def status(self) -> JournalStatus:
        counts = {
            row["state"]: row["n"]
            for row in self._database.execute("SELECT state, count(*) AS n FROM jobs GROUP BY state ORDER BY state")
        }
        problems = self._database.execute(
            "SELECT source, state, error, updated FROM jobs WHERE state IN (?, ?) ORDER BY updated",
            (State.FAILED, State.ASIDE),
        )
        n_windows, n_transcripts = (self._count(table) for table in _KEPT)
        return JournalStatus(
            path=self.path or Path(),
            n_bytes=self.n_bytes(),
            n_transcripts=n_transcripts,
            n_windows=n_windows,
            jobs=counts,
            problems=tuple(
                {
                    "source": row["source"],
                    "state": row["state"],
                    "error": json.loads(row["error"]) if row["error"] else None,
                    "when": row["updated"],
                }
                for row in problems
            ),
        )

    def n_bytes(self) -> int:
        """Bytes in use, whether they are in the main file yet or not."""
        (pages,), (free,), (size,) = (
            self._database.execute(f"PRAGMA {name}")[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def retry(self, sources: Collection[str] = ()) -> int:
        """Let jobs that failed or are set aside be tried again by the next batch.

        Args:
            sources: only these, and what lies in them; all of them if there are none.

        Returns:
            How many there were.
        """
        meant = " OR ".join(["source = ? OR substr(source, 1, ?) = ?"] * len(sources))
        only = f" AND ({meant})" if sources else ""
        folders = [(source, os.path.join(source, "")) for source in sources]  # with a slash at the end
        rows = self._database.execute(
            "UPDATE jobs SET state = 'waiting', tries = 0, crashes = 0, not_before = 0"
            f" WHERE state IN ('failed', 'set aside'){only} RETURNING id",
            [value for source, folder in folders for value in (source, len(folder), folder)],
        )
        return len(rows)

    def clear(self, *, older_than_days: float | None = None) -> None:
        """Forget everything, or what is older; what is deleted is overwritten. Running jobs stay."""
        before = time.time() - older_than_days * _DAY if older_than_days is not None else float("inf")
        with self._database.transaction():
            for table in _KEPT:
                self._database.execute(f"DELETE FROM {table} WHERE made < ?", (before,))
            self._database.execute("DELETE FROM recordings WHERE seen < ?", (before,))
            self._database.execute("DELETE FROM jobs WHERE updated < ? AND state != 'running'", (before,))
            if older_than_days is None:
                self._database.execute("DELETE FROM models")
        self._database.shrink()
        if self.path:
            remove_set_aside(self.path, before=before)

    def prune(self, limits: JournalLimits) -> None:
        """Forget what is too old, then the oldest until the rest is small enough."""
        self.clear(older_than_days=limits.max_days)
        while self.n_bytes() > limits.max_bytes and self._forget_oldest():
            pass
        self._database.shrink()

    def _forget_oldest(self) -> bool:
        """Drop a tenth of what is kept, the oldest first."""
        with self._database.transaction():
            for table in _KEPT:
                if n := self._count(table):
                    oldest = f"SELECT made FROM {table} ORDER BY made LIMIT 1 OFFSET ?"
                    self._database.execute(f"DELETE FROM {table} WHERE made <= ({oldest})", (n // 10,))
                    return True
        return False

    def _count(self, table: str) -> int:
        return int(self._database.execute(f"SELECT count(*) FROM {table}")[0][0])


def open_journal(limits: JournalLimits | None = None) -> Journal | None:
    """Open the user's journal for work, and forget what is too old or too much.

    Returns:
        `None` where there can be none, which has been logged: work goes on without.
    """
    path, wanted = journal_path(), limits or JournalLimits()
    try:
        try:
            return _pruned(path, wanted)
        except DamagedJournalError as error:
            set_aside(path, error.__cause__ or error)
            return _pruned(path, wanted)
    except JournalError as error:
        logger.warning("%s; going on without it", error)
        return None


def _pruned(path: Path, limits: JournalLimits) -> Journal:
    journal = Journal(path)
    journal.prune(limits)
    return journal


def clear_journal(*, older_than_days: float | None = None) -> tuple[int, int]:
    """Forget what the user's journal holds, or what is older; a damaged one is forgotten with all it held.

    Returns:
        Bytes in use before and after.

    Raises:
        JournalError: it cannot be used.
    """
    path = journal_path()
    try:
        journal = Journal(path)
        before = journal.n_bytes()
        journal.clear(older_than_days=older_than_days)
    except DamagedJournalError:
        before = path.stat().st_size
        discard(path)
        journal = Journal(path)
        journal.clear(older_than_days=older_than_days)
    return before, journal.n_bytes()


def journal_path() -> Path:
    """Where the journal is kept."""
    return state_folder() / FILE
