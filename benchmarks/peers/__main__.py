"""Beside the peers, on this machine: `python -m benchmarks.peers`; see README.md beside this file.

Makes an environment for the peers on the first run, and goes on in it. Standard library only.
"""

import os
import sys

from benchmarks.peers.arguments import parser
from benchmarks.peers.installation import ROOT, install


def main() -> None:
    python = install(parser().parse_args().home.resolve())
    os.environ["PYTHONPATH"] = str(ROOT)
    os.execv(python, [str(python), "-m", "benchmarks.peers.cli", *sys.argv[1:]])


if __name__ == "__main__":
    main()
