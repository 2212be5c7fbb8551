"""Train the bundled model: `python -m subwhisper.training train --sentences FILE --run FOLDER`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make the model that ships with subwhisper.", pretty_exceptions_enable=False)

Sentences = Annotated[Path, typer.Option(help="JSON lines with a `text` field: what is spoken.")]
KeptOut = Annotated[list[Path] | None, typer.Option(help="Texts that share no four words in a row with the training.")]
RunFolder = Annotated[Path, typer.Option("--run", help="Where the run keeps its state and its log.")]


@app.callback()
def main() -> None:
    """Make the model that ships with subwhisper."""


@app.command()
def train(
    sentences: Sentences,
    run: RunFolder,
    kept_out: KeptOut = None,
    minutes: Annotated[float | None, typer.Option(help="The whole budget; the learning rate falls towards it.")] = None,
    slice_minutes: Annotated[float, typer.Option(help="Stop after this long; the next call goes on.")] = 1e9,
) -> None:
    """Begin a run, or go on with the one in the folder."""
    from subwhisper.training import loop
    from subwhisper.training.text import build_corpus, read_sentences

    corpus = build_corpus(read_sentences(sentences), [path.read_text(encoding="utf-8") for path in kept_out or []])
    state = run / "state.pt"
    if state.exists():
        going = loop.resume(state, minutes=minutes)
    else:
        going = loop.begin(loop.TrainOptions(minutes=minutes or loop.TrainOptions.minutes), corpus)
    loop.train(going, corpus, run, slice_minutes=slice_minutes)


if __name__ == "__main__":
    app()
