"""Blocks in pages of their own."""

from pathlib import Path

import pytest
import torch

from subwhisper.model.pages import paged


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_pages_are_zeros_that_can_be_written() -> None:
    block = paged((2, 3, 5), torch.float16)
    assert block.shape == (2, 3, 5)
    assert block.dtype == torch.float16
    assert not block.any()
    block[1] = 7
    assert block.sum() == 105


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc to look into")
def test_pages_go_with_the_last_view_of_them() -> None:
    """However small: the C library keeps what is no larger than something freed before."""
    block = paged((100, 100_000), torch.float32).fill_(1)
    view = block[3:5]
    full = resident()
    del block
    assert view.sum() == 200_000
    assert full - resident() < 10_000_000
    del view
    assert full - resident() > 30_000_000


def test_pages_that_there_is_no_memory_for_are_told_as_that() -> None:
    """What runs out of memory goes on with fewer windows; it looks for this error."""
    with pytest.raises(MemoryError, match="bytes of memory"):
        paged((2**47,), torch.float32)
