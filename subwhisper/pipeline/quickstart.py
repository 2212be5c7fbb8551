"""A quick start for the command line: what can be done meanwhile is done while torch is imported.

Importing torch makes two million objects, and the garbage collector looks through them again and again: a sixth of the
time goes there, and as much again when the process ends. Meanwhile the other core can ask ffmpeg what it can do.

For processes that are ours alone: the collector of a library's user is not ours to stop.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from subwhisper.errors import SubwhisperError


@contextmanager
def quick_imports(inputs: Sequence[str] = ()) -> Iterator[None]:
    """Import torch, and what needs it, in this block; nothing else happens where that was done before.

    Args:
        inputs: of the job. The first file is looked into meanwhile, so that it comes quickly when it is wanted.
    """
    if "torch" in sys.modules:
        yield
        return
    Thread(target=_look_ahead, args=(inputs[:1],), daemon=True).start()
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # what was imported stays: nobody need look through it again, not even at the end
        if was_collecting:
            gc.enable()


def _look_ahead(inputs: Sequence[str]) -> None:
    """Do first what a file will want first: the modules, and what ffmpeg answers, stay in this process."""
    from subwhisper.media.decode import DECODE_NEEDS
    from subwhisper.media.ffmpeg import find_ffmpeg
    from subwhisper.media.probe import probe

    with suppress(SubwhisperError, OSError, ValueError):  # told by whoever meets it in earnest
        find_ffmpeg(DECODE_NEEDS)
        for path in map(Path, inputs):
            if path.is_file():
                probe(path)
