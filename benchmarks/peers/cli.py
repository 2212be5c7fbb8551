"""The command line, run in the environment of the peers."""

import argparse
import sys
from pathlib import Path

from benchmarks.peers.checkpoints import TRAINED, write_all
from benchmarks.peers.engines import ENGINES
from benchmarks.peers.installation import default_home
from benchmarks.peers.machine import describe
from benchmarks.peers.ratios import slower
from benchmarks.peers.report import plot, table
from benchmarks.peers.results import Results
from benchmarks.peers.rounds import STAGES, Wanted, run
from benchmarks.peers.sound import recordings, write_sound
from benchmarks.peers.workers import Place

HERE = Path(__file__).parent
_ENGINES = ["ours", "faster-whisper", "faster-whisper-avx512", "whisper.cpp", "openai-whisper"]


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description="Beside the peers, on this machine."
    )
    parser.add_argument(
        "--sizes", nargs="+", default=["tiny", "base", "small", TRAINED], help="of public models, random; or bundled"
    )
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--engines", nargs="+", default=_ENGINES, choices=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=5, help="of every stage")
    parser.add_argument("--minutes", type=float, default=10, help="of sound, for what is done with all of it")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no round that would end later; go on later")
    parser.add_argument("--sound", nargs="+", type=Path, default=recordings(), help="recordings, in turns")
    parser.add_argument("--home", type=Path, default=default_home(), help="of the environment and the checkpoints")
    parser.add_argument("--results", type=Path, default=Path("peers.json"), help="JSON; rounds are added to it")
    parser.add_argument("--report", action="store_true", help="measure nothing; print the table of the results")
    parser.add_argument("--plot", type=Path, help="draw the ratios into this PNG")
    parser.add_argument("--compare", type=Path, nargs="?", const=HERE / "baseline.json", help="tell what became slower")
    return parser.parse_args()


def main() -> None:
    arguments = _parsed()
    results = Results.at(arguments.results)
    complete = arguments.report or _measured(arguments, results)
    print(table(results))
    if arguments.plot:
        plot(results, arguments.plot)
    if not complete:
        print("the time is up; the same command goes on", file=sys.stderr)
    if arguments.compare:
        found = slower(results, Results.at(arguments.compare))
        print("\n".join(found) or "nothing became slower than the spread allows")
        sys.exit(1 if found else 0)


def _measured(arguments: argparse.Namespace, results: Results) -> bool:
    home = arguments.home.resolve()
    for size in arguments.sizes:
        write_all(size, home / "checkpoints" / size)
    sound = write_sound(arguments.sound, arguments.minutes, home / f"{arguments.minutes:g}-minutes.wav")
    if not results.machine:
        results.machine = describe(arguments.threads)
        results.save()
    wanted = Wanted(
        sizes=arguments.sizes,
        stages=arguments.stages,
        engines=arguments.engines,
        rounds=arguments.rounds,
        minutes=arguments.minutes,
        seconds=arguments.seconds,
    )
    return run(wanted, Place(home / "checkpoints", sound, home / "logs", arguments.threads), results)


if __name__ == "__main__":
    main()
