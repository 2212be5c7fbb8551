"""What training buys: word errors on each set against the hours heard.

`python benchmarks/learning_curve.py curve.json --model 131=FOLDER --model 195=FOLDER --list readers=LIST.jsonl
--sentences FILE` measures models that `python -m subwhisper.training export` wrote on the way, with the defaults of
the command line, and adds them to curve.json; `--plot curve.png` draws what is there.
"""

import argparse
import json
from itertools import groupby
from pathlib import Path
from typing import Any

from subwhisper.engine.options import DecodeOptions, TranscribeOptions
from subwhisper.engine.transcriber import Transcriber, load_model
from subwhisper.training.evaluate import held_out_clips, score, score_pair
from subwhisper.training.material import find_pairs
from subwhisper.training.metrics import WordErrors
from subwhisper.training.text import build_corpus, read_sentences

Rows = list[dict[str, Any]]
OPTIONS = TranscribeOptions(language="en", word_timestamps=True, decode=DecodeOptions(beam_size=5))


def named(argument: str) -> tuple[str, Path]:
    """NAME=PATH."""
    name, _, path = argument.partition("=")
    return name, Path(path)


def measured(model: Transcriber, hours: float, lists: dict[str, Path], held_out: tuple[str, ...]) -> Rows:
    """One row for each set."""
    rows = []
    for name, manifest in lists.items():
        words = sum((score_pair(model, pair, OPTIONS).words for pair in find_pairs(manifest, "en")), WordErrors())
        rows.append({"set": name, "hours": hours, "word_error_rate": words.rate})
    if held_out:
        words = score(model, held_out_clips(held_out, n_clips=24), OPTIONS).words
        rows.append({"set": "espeak-ng, voices and sentences kept out", "hours": hours, "word_error_rate": words.rate})
    return rows


def plot(rows: Rows, picture: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    in_order = sorted(rows, key=lambda row: (row["set"], row["hours"]))
    for name, points in groupby(in_order, key=lambda row: str(row["set"])):
        of_set = [*points]
        axes.plot([p["hours"] for p in of_set], [100 * p["word_error_rate"] for p in of_set], marker="o", label=name)
    axes.set(xlabel="hours heard in training", ylabel="word errors, %", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(picture, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curve", type=Path, help="JSON that grows")
    parser.add_argument("--model", type=named, action="append", default=[], help="HOURS=FOLDER")
    parser.add_argument("--list", type=named, action="append", default=[], help="NAME=LIST, as `evaluate` reads")
    parser.add_argument("--sentences", type=Path, help="the training's; those kept out are spoken")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    rows = json.loads(arguments.curve.read_text()) if arguments.curve.exists() else []
    held_out = build_corpus(read_sentences(arguments.sentences)).held_out if arguments.sentences else ()
    for hours, folder in arguments.model:
        rows += measured(load_model(folder), float(hours), dict(arguments.list), held_out)
        arguments.curve.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row['hours']:8.1f} h  {100 * row['word_error_rate']:5.1f} %  {row['set']}")
    if arguments.plot:
        plot(rows, arguments.plot)


if __name__ == "__main__":
    main()
