"""What it costs to begin a network whose weights a file will bring."""

import subprocess
import sys

PROGRAM = """
import sys, torch
from subwhisper.model.dims import ModelDims
from subwhisper.model.whisper import Whisper
before = set(sys.modules)
with torch.device("meta"):
    Whisper(ModelDims(80, 100, 16, 2, 1, 300, 64, 16, 2, 1))
new = set(sys.modules) - before
print(len(new), "sympy" in sys.modules, "torch._dynamo" in sys.modules)
"""


def test_a_network_without_numbers_imports_next_to_nothing() -> None:
    """Arithmetic on the meta device made torch import 900 modules, which took seconds."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    n_new, *compilers = ran.stdout.split()
    assert int(n_new) < 20
    assert compilers == ["False", "False"]
