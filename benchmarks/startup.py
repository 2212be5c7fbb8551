"""How long does the command line take to begin? `python benchmarks/startup.py [--rounds 15]`.

Without more, `subwhisper --help` beside importing Typer. With `--media FILE ...`, `subwhisper transcribe` of each from
the start of the process to its end, with the bundled model or those of `--models`; `--against FOLDER` runs another
checkout in turn with this one, and `--random tiny base` makes checkpoints of these sizes, with random weights, in
Whisper's two public forms (float32 in safetensors, float16 in `.pt`). What is compared runs in turns, so that a busy
moment hits all. Prints medians and ratios as JSON.

Random weights say nonsense for ever, so texts are kept short with `--max-new-tokens 8` there: start-up is meant, not
speed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
HELP = {
    "import typer": [sys.executable, "-c", "import typer"],
    "subwhisper --help": [sys.executable, "-m", "subwhisper", "--help"],
}
BRIEF = ("--max-new-tokens", "8", "--beam-size", "1", "--temperature-increment-on-fallback", "None")


def seconds(command: list[str], checkout: Path = HERE, **environment: str) -> float:
    variables = {**os.environ, "PYTHONPATH": str(checkout), **environment}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode, and so has what it is beside
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=variables)
    return time.perf_counter() - started


def in_turns(work: dict[str, list[str]], rounds: int, first: str) -> dict[str, object]:
    """Medians of commands, and of their ratios to the first of their round."""
    rows = [{name: seconds(command) for name, command in work.items()} for _ in range(rounds)]
    medians = {name: round(statistics.median(row[name] for row in rows), 3) for name in work}
    ratios = {name: round(statistics.median(row[name] / row[first] for row in rows), 2) for name in work}
    return {"medians_s": medians, "ratios": ratios}


def transcriptions(
    models: list[str], media: list[Path], checkouts: list[Path], rounds: int
) -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as scratch:
        for model in models:
            for path in media:
                command = [sys.executable, "-m", "subwhisper", "transcribe", str(path), "--model", model]
                command += ["--no-journal", "--quiet", "--language", "en", "--output-dir", scratch]
                command += [] if model == "bundled" else BRIEF
                rows = [[seconds(command, checkout) for checkout in checkouts] for _ in range(rounds)]
                medians = [round(statistics.median(column), 2) for column in zip(*rows, strict=True)]
                ratio = statistics.median(row[0] / row[-1] for row in rows)
                yield {"model": model, "media": path.name, "medians_s": medians, "ratio": round(ratio, 3)}


def random_models(sizes: list[str], folder: Path) -> Iterator[str]:
    import torch

    from subwhisper.model.catalog import find
    from subwhisper.model.checkpoints import read_checkpoint
    from subwhisper.model.checkpoints.openai import write_openai
    from subwhisper.model.checkpoints.writer import save_directory
    from subwhisper.model.vocabulary import public_vocabulary
    from subwhisper.model.whisper import Whisper

    for size in sizes:
        torch.manual_seed(1)
        dims, place = find(size).dims, folder / size
        save_directory(
            place,
            dims=dims,
            tensors=Whisper(dims).state_dict(),
            vocabulary=public_vocabulary(dims.n_vocab),
            alignment_heads=dims.upper_half_heads,
            is_multilingual=True,
        )
        write_openai(folder / f"{size}.pt", read_checkpoint(place), torch.float16)
        yield from (str(place), str(folder / f"{size}.pt"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--media", type=Path, nargs="+", default=[])
    parser.add_argument("--models", nargs="*", default=["bundled"])
    parser.add_argument("--random", nargs="+", default=[], metavar="SIZE")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="the checkout before a change")
    arguments = parser.parse_args()
    if not arguments.media:
        print(json.dumps(in_turns(HELP, arguments.rounds, "import typer"), indent=2))
        return
    checkouts = [HERE, arguments.against] if arguments.against else [HERE]
    with tempfile.TemporaryDirectory() as scratch:
        models = [*arguments.models, *random_models(arguments.random, Path(scratch))]
        for row in transcriptions(models, arguments.media, checkouts, arguments.rounds):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
