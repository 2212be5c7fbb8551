"""How long does `subwhisper --help` take, beside importing Typer? `python benchmarks/startup.py [--rounds 15]`.

The two are run in turn, so that a busy moment hits both. Prints medians and their ratio as JSON.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "import typer": [sys.executable, "-c", "import typer"],
    "subwhisper --help": [sys.executable, "-m", "subwhisper", "--help"],
}


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(parser.parse_args().rounds)]
    medians = {name: statistics.median(row[name] for row in rounds) for name in COMMANDS}
    ratio = statistics.median(row["subwhisper --help"] / row["import typer"] for row in rounds)
    print(json.dumps({"medians_s": {k: round(v, 3) for k, v in medians.items()}, "ratio": round(ratio, 2)}, indent=2))


if __name__ == "__main__":
    main()
