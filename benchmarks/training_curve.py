"""Draw the log of a training run: `python benchmarks/training_curve.py RUN/log.jsonl curve.png`."""

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure


def main(log: Path, picture: Path) -> None:
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    minutes = [row["minutes"] for row in rows]
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, accuracy = figure.subplots(1, 2)
    for name in ("token", "phoneme", "attention"):
        losses.plot(minutes, [row[name] for row in rows], label=name)
    losses.set(xlabel="minutes of training", ylabel="loss", ylim=(0, 4.5))
    losses.legend()
    accuracy.plot(minutes, [row["phoneme_accuracy"] for row in rows])
    accuracy.set(xlabel="minutes of training", ylabel="positions whose speech sound is right", ylim=(0, 1))
    hours = accuracy.twinx()
    hours.plot(minutes, [row["hours_heard"] for row in rows], color="grey", linestyle=":")
    hours.set(ylabel="hours heard (dotted)")
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
