"""One private SQLite file that several processes write to at once, and that survives whatever they suffer.

Write-ahead logging: readers and writers do not wait for one another, and a power cut costs at most the last
few commits, never the file. What it holds is what people said, so the folder and the files are their owner's only.
"""

import glob
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any

from subwhisper.errors import JournalError

MEMORY = ":memory:"
VERSION = 1
_LEAST_SQLITE = (3, 35)  # RETURNING
_PATIENCE = 30.0
"""Seconds to wait for another process to finish its write."""

_SCHEMA = """
CREATE TABLE recordings (
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, track TEXT NOT NULL,
    samples TEXT NOT NULL, audio TEXT NOT NULL, seen REAL NOT NULL,
    PRIMARY KEY (size, mtime_ns, inode, track)
) WITHOUT ROWID;
CREATE TABLE models (
    path TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, fingerprint TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE windows (
    audio TEXT NOT NULL, settings TEXT NOT NULL, window TEXT NOT NULL,
    document BLOB NOT NULL, made REAL NOT NULL, PRIMARY KEY (audio, settings, window)
) WITHOUT ROWID;
CREATE INDEX windows_by_age ON windows (made);
CREATE TABLE transcripts (
    audio TEXT NOT NULL, settings TEXT NOT NULL, document BLOB NOT NULL, made REAL NOT NULL,
    PRIMARY KEY (audio, settings)
) WITHOUT ROWID;
CREATE INDEX transcripts_by_age ON transcripts (made);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL,
    owner TEXT, not_before REAL NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
    size INTEGER, mtime_ns INTEGER, inode INTEGER,
    duration REAL, seconds REAL,
    outputs TEXT NOT NULL DEFAULT '{}', error TEXT, updated REAL NOT NULL,
    UNIQUE (source, request)
);
CREATE INDEX jobs_by_owner ON jobs (owner) WHERE owner IS NOT NULL;
"""

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_ASIDE = "damaged"
"""In the names of what was set aside."""

logger = logging.getLogger(__name__)


class DamagedJournalError(JournalError):
    """What is in the file is no journal any more."""


class Database:
    """A connection. Threads may share it; each process opens its own."""

    def __init__(self, path: Path | None) -> None:
        """Open the file, making it if it is not there.

        Args:
            path: `None` keeps everything in memory, and for this connection only.

        Raises:
            JournalError: it cannot be used. (What is surely none is set aside, with a warning, and a new one begun.)
        """
        if sqlite3.sqlite_version_info < _LEAST_SQLITE:
            least = ".".join(map(str, _LEAST_SQLITE))
            raise JournalError(f"SQLite {sqlite3.sqlite_version} is too old: {least} is needed")
        self.path = path
        self._lock = RLock()
        try:
            if path is not None:
                _make_private(path)
            self._connection = _connected(path)
        except sqlite3.DatabaseError as error:
            if path is None or isinstance(error, sqlite3.OperationalError):
                raise _explained(error, path) from error
            set_aside(path, error)
            self._connection = _begun(path)
        except OSError as error:
            raise _explained(error, path) from error

    def execute(self, statement: str, values: Any = ()) -> list[sqlite3.Row]:
        """Run one statement; every row it gives comes back.

        Raises:
            JournalError: the file cannot be read or written any more; a `DamagedJournalError` if it is broken.
        """
        with self._lock, self._explaining():
            return self._connection.execute(statement, values).fetchall()

    def execute_many(self, statement: str, values: Iterator[Any]) -> None:
        with self._lock, self._explaining():
            self._connection.executemany(statement, values)

    def shrink(self) -> None:
        """Give the space of what was deleted back, in the log too."""
        with self._lock, self._explaining():
            self._connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is executed in the block happens at once, or not at all."""
        with self._lock:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with self._explaining():
                    self._connection.rollback()
                raise
            self.execute("COMMIT")

    def close(self) -> None:
        with self._lock, self._explaining():
            self._connection.close()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _explained(error, self.path) from error


def _explained(error: Exception, path: Path | None) -> JournalError:
    reason = getattr(error, "strerror", None) or error
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason = "it would lie in what is no folder"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest tells the kind of it
    if code == sqlite3.SQLITE_BUSY:
        reason = f"something else has kept it locked for {_PATIENCE:.0f} s"
    if code in _DAMAGE:
        return DamagedJournalError(f"the journal {path} is damaged: {reason}", hint="the next batch begins a new one")
    return JournalError(
        f"the journal {path or 'in memory'} cannot be used: {reason}",
        hint="--no-journal works without; SUBWHISPER_STATE names another folder",
    )


def _make_private(path: Path) -> None:
    """See that folder and file are there, and their owner's only. SQLite gives its other files the same mode."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _connected(path: Path | None) -> sqlite3.Connection:
    connection = sqlite3.connect(path or MEMORY, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        connection.close()
        raise sqlite3.OperationalError("a newer subwhisper wrote it")
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for setting in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {setting}")
    if version == 0:
        _lay_out(connection)
    return connection


def _lay_out(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")  # of several processes that begin together, one makes the tables
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _begun(path: Path) -> sqlite3.Connection:
    try:
        _make_private(path)
        return _connected(path)
    except (OSError, sqlite3.Error) as error:
        raise _explained(error, path) from error


def set_aside(path: Path, reason: BaseException) -> None:
    """Give a damaged journal another name, so that a new one can be begun.

    Raises:
        JournalError: it stays where it is.
    """
    aside = path.with_name(f"{path.name}.{_ASIDE}-{os.urandom(3).hex()}")
    try:
        os.replace(path, aside)
        _remove_log(path)
    except OSError as error:
        raise _explained(error, path) from error
    logger.warning("the journal %s is damaged (%s): kept as %s, and a new one begun", path, reason, aside.name)


def discard(path: Path) -> None:
    """Remove a journal that nothing can be read from any more.

    Raises:
        JournalError: it stays where it is.
    """
    try:
        path.unlink(missing_ok=True)
        _remove_log(path)
    except OSError as error:
        raise _explained(error, path) from error


def _remove_log(path: Path) -> None:
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)


def remove_set_aside(path: Path, *, before: float) -> None:
    """Remove what was set aside of a journal, by the time of its last change: it holds what people said, too."""
    for aside in path.parent.glob(f"{glob.escape(path.name)}.{_ASIDE}-*"):
        with suppress(OSError):
            if aside.stat().st_mtime < before:
                aside.unlink()
