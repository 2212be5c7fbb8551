"""A batch that is killed again and again ends as one that was left alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KILL = Path(__file__).resolve().parents[1] / "benchmarks" / "kill.py"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("drivers", [1, 2])
def test_a_batch_survives_being_killed(drivers: int) -> None:
    options = ["--files", "3", "--kills", "2", "--workers", "1", "--drivers", str(drivers), "--seed", str(drivers)]
    ran = subprocess.run([sys.executable, str(KILL), *options], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["captions"] == 3
    assert told["captions_equal"]
    assert told["leftovers"] == []
    assert told["windows_twice"] <= told["kills"]  # at most those in flight
