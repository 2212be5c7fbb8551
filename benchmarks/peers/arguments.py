"""What can be said on the command line. Standard library only: it is read before there is anything else."""

import argparse
from pathlib import Path

from benchmarks.peers.engines import ENGINES
from benchmarks.peers.engines.work import STAGES, TRAINED
from benchmarks.peers.installation import default_home

_BASELINE = Path(__file__).with_name("baseline.json")
_ENGINES = ["ours", "faster-whisper", "faster-whisper-avx512", "whisper.cpp", "openai-whisper"]


def parser() -> argparse.ArgumentParser:
    """Every option and its default."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Beside the peers, on this machine.")
    sizes = ["tiny", "base", "small", TRAINED]
    made.add_argument("--sizes", nargs="+", default=sizes, help="of public models, random; or bundled")
    made.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    made.add_argument("--engines", nargs="+", default=_ENGINES, choices=list(ENGINES))
    made.add_argument("--rounds", type=int, default=5, help="of every stage")
    made.add_argument("--minutes", type=float, default=10, help="of sound, for what is done with all of it")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--seconds", type=float, default=1e9, help="begin no round that would end later; go on later")
    made.add_argument("--sound", nargs="+", type=Path, help="recordings, in turns, instead of those that are there")
    made.add_argument("--home", type=Path, default=default_home(), help="of the environment and the checkpoints")
    made.add_argument("--results", type=Path, help="JSON file, to which rounds are added (default: in --home)")
    made.add_argument("--ceilings", action="store_true", help="measure those of the machine again; the best are kept")
    made.add_argument("--report", action="store_true", help="measure nothing; print the table of the results")
    made.add_argument("--plot", type=Path, help="draw the ratios into this PNG")
    made.add_argument("--compare", type=Path, nargs="?", const=_BASELINE, help="tell what became slower")
    return made
