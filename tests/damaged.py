"""Files spoiled the way that disks and power cuts spoil them."""

import sqlite3
from pathlib import Path


def spoil_journal(path: Path) -> None:
    """Leave the head of a journal as it is and spoil all that it holds."""
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))
