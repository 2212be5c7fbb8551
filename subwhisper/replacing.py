"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

UNFINISHED = ".part"
"""How the name of a file ends that is still being written; it begins with a dot."""


@contextmanager
def replacing(path: Path, *, is_durable: bool = True) -> Iterator[BinaryIO]:
    """A file beside `path` to write to, which takes its place at the end; nothing of it stays where that fails.

    Args:
        path: in a folder that exists.
        is_durable: whether it is on the disk before it takes the place, so that it is whole after a power cut, too.

    Raises:
        OSError: it cannot be written, or cannot take the place.
    """
    part = path.with_name(f".{path.name[:60]}.{os.getpid()}-{token_hex(4)}{UNFINISHED}")
    try:
        with part.open("xb") as file:
            yield file
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
