"""Standard input kept in a file, because sound is read more than once."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from subwhisper.errors import MediaError, OutputError

_BLOCK = 1 << 20


@contextmanager
def spooled(stream: BinaryIO, *, name: str = "stdin") -> Iterator[Path]:
    """Copy a stream to a temporary file for the length of a `with` block.

    Args:
        stream: read to its end, in blocks.
        name: what the file is called, and so what errors and outputs are named after.

    Raises:
        MediaError: the stream holds nothing or cannot be read.
        OutputError: there is no room for it.
    """
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        path = Path(folder) / name
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(stream, file, _BLOCK)
        except OSError as error:
            raise OutputError(
                f"{name} could not be kept in {folder}: {error.strerror}", hint="TMPDIR can name a roomier folder"
            ) from error
        if path.stat().st_size == 0:
            raise MediaError(f"{name} is empty")
        yield path
