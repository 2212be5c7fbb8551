"""Beside the peers, on this machine: `python -m benchmarks.peers`; see README.md beside this file.

Makes an environment for the peers on the first run, and goes on in it. Standard library only.
"""

import os
import sys
from pathlib import Path

from benchmarks.peers.installation import ROOT, default_home, install


def main() -> None:
    arguments = sys.argv[1:]
    home = default_home()
    if "--home" in arguments[:-1]:
        home = Path(arguments[arguments.index("--home") + 1]).resolve()
    python = install(home)
    os.environ["PYTHONPATH"] = str(ROOT)
    os.execv(python, [str(python), "-m", "benchmarks.peers.cli", *arguments])


if __name__ == "__main__":
    main()
