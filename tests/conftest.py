"""Fixtures shared by every test."""

import os
import signal
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a core, so torch and what tests start get one thread
    os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs under test, also where a shell runs the tests in the background without it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real recordings and odd files that lies beside a developer's checkout."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        pytest.skip("the sample recordings are not beside this checkout")
    return folder
