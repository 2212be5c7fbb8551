"""Memory for what is large and stays for a while, in pages of its own.

Among everything else, in the C library's heap, such a block leaves a hole in which smaller ones soon lie, so that the
next one needs another place: memory grew with the length of a recording. Pages of its own go when the block does.
"""

import mmap
import sys
from collections.abc import Sequence
from contextlib import suppress
from math import prod

import torch
from torch import Tensor

_LARGE_PAGE = 2 * 2**20
"""Bytes."""


def paged(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Make zeros on the processor; a page takes memory once it has been written to.

    Args:
        shape: of one number at least.
        dtype: of each.

    Raises:
        MemoryError: the system has none left.
    """
    n_bytes = prod(shape) * dtype.itemsize
    try:
        if sys.platform == "win32":
            pages = mmap.mmap(-1, n_bytes)
        else:  # pages that could be shared take a third longer
            pages = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            _take_large_pages(pages)
    except OSError as error:
        raise MemoryError(f"no {n_bytes} bytes of memory: {error.strerror}") from error
    return torch.frombuffer(pages, dtype=dtype).view(*shape)


def _take_large_pages(pages: mmap.mmap) -> None:
    """Have them handed out 512 at a time, where they are many and the system can: a third of the time for each."""
    if sys.platform == "linux" and len(pages) >= _LARGE_PAGE:
        with suppress(OSError):  # a kernel made without them
            pages.madvise(mmap.MADV_HUGEPAGE)
