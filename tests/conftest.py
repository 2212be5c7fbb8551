"""Fixtures shared by every test."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real recordings and odd files that lies beside a developer's checkout."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        pytest.skip("the sample recordings are not beside this checkout")
    return folder
