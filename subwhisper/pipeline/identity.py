"""Who a process is, and which file a file is.

A process number alone is soon given to somebody else, so a process is known by its number, when it was started,
and the boot of the machine it runs on: a lease or a temporary file of one that is gone can be taken over at once.

A file is known by size, time of change and inode, which cost nothing to ask. After a move to another disk
or a new name only a few samples of its bytes are read to know it again, never the whole file.
"""

import os
import socket
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self

from subwhisper.errors import InputError

_N_SAMPLES = 16
_SAMPLE_BYTES = 1 << 16
_TIME_TOLERANCE_NS = 2_000_000_000
"""Some file systems keep times to two seconds only."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process of one boot of one machine."""

    host: str
    boot: str
    pid: int
    started: str
    """In whatever unit the system has; empty where it does not tell."""

    @classmethod
    def current(cls) -> Self:
        pid = os.getpid()
        return cls(_host(), _boot(), pid, _start_of(pid) or "")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `str` gave; `None` if it is something else."""
        fields = text.split("-")
        if len(fields) != 4 or not fields[2].isdigit():
            return None
        host, boot, pid, started = fields
        return cls(host, boot, int(pid), started)

    def __str__(self) -> str:
        """A word that may stand in a file's name."""
        return f"{self.host}-{self.boot}-{self.pid}-{self.started}"

    def is_gone(self) -> bool:
        """Whether the process has surely ended; of other machines nobody here can be sure."""
        if self.host != _host():
            return False
        return self.boot != _boot() or _start_of(self.pid) != self.started


@lru_cache(maxsize=1)
def _host() -> str:
    return blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return blake2b(Path("/proc/sys/kernel/random/boot_id").read_bytes(), digest_size=4).hexdigest()
    except OSError:
        return "0"


def _start_of(pid: int) -> str | None:
    """When a process was started; `None` if there is none of that number, empty if the system does not tell."""
    if Path("/proc/self/stat").exists():
        try:
            # The name in parentheses may hold anything, parentheses included.
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        state, start_ticks = fields[0], fields[19]
        return None if state in "ZX" else start_ticks
    if os.name != "posix":
        return ""
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "".join(char for char in shown.stdout if char.isalnum()) or None


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """A version of a file, as the file system tells it."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Ask the file system.

        Raises:
            InputError: there is no such file, or it may not be looked at.
        """
        try:
            stat = path.stat()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path} cannot be read: {reason}") from error
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)

    def may_be(self, mtime_ns: int, size: int) -> bool:
        """Whether it may be a copy of a file with this size and time, on any file system: its samples tell."""
        return self.size == size and abs(self.mtime_ns - mtime_ns) <= _TIME_TOLERANCE_NS


def sampled_hash(file: Path | bytes) -> str:
    """Hash the size and sixteen stretches of a file: a megabyte at most, however large the file.

    Args:
        file: its path, or all that it is to hold.

    Raises:
        InputError: it cannot be read.
    """
    if isinstance(file, bytes):
        return _sampled(BytesIO(file), len(file))
    try:
        with file.open("rb") as opened:
            return _sampled(opened, os.fstat(opened.fileno()).st_size)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error


def _sampled(file: BinaryIO, size: int) -> str:
    digest = blake2b(size.to_bytes(8, "big"), digest_size=16)
    last = max(0, size - _SAMPLE_BYTES)
    for start in sorted({last * step // (_N_SAMPLES - 1) for step in range(_N_SAMPLES)}):
        file.seek(start)
        digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
