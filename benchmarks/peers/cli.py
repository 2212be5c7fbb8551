"""The command line, run in the environment of the peers."""

import argparse
import sys

from benchmarks.peers.arguments import parser
from benchmarks.peers.ratios import slower
from benchmarks.peers.report import plot, table
from benchmarks.peers.results import Results


def main() -> None:
    arguments = parser().parse_args()
    results = Results.at(arguments.results or arguments.home / "results.json")
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
    """Add to the results; returns whether all that is wanted is there now."""
    from benchmarks.peers.checkpoints import write_all  # these bring torch, which a report does without
    from benchmarks.peers.machine import kept
    from benchmarks.peers.rounds import Wanted, run
    from benchmarks.peers.sound import recordings, write_sound
    from benchmarks.peers.workers import Place, described

    home = arguments.home.resolve()
    for size in arguments.sizes:
        write_all(size, home / "checkpoints" / size)
    sound = write_sound(arguments.sound or recordings(), arguments.minutes, home / f"{arguments.minutes:g}-minutes.wav")
    if arguments.ceilings or not results.machine:
        results.machine = kept(results.machine, described(arguments.threads))
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
