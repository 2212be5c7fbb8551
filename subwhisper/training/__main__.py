"""Train the bundled model: `python -m subwhisper.training train --sentences FILE --run FOLDER`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from subwhisper.errors import OptionError, SubwhisperError

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
    recordings: Annotated[Path | None, typer.Option(help="Folder of real speech that `pack` made.")] = None,
    first: Annotated[Path | None, typer.Option(help="Model directory to go on from.")] = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda.")] = "cpu",
    makers: Annotated[int, typer.Option(help="Processes that speak and mix batches; ten and more for a GPU.")] = 1,
    batch_scale: Annotated[int, typer.Option(help="Batches so many times as large, as a GPU wants them.")] = 1,
    learning_rate: Annotated[float, typer.Option(help="The highest.")] = 1e-3,
    recorded_share: Annotated[float, typer.Option(help="Of stretches: recordings, not a synthesiser.")] = 0.72,
    dropout: Annotated[float, typer.Option(help="Share of channels that are left out at random.")] = 0.0,
    wrong: Annotated[float, typer.Option(help="Share of the tokens read that are any others.")] = 0.0,
    moments: Annotated[float, typer.Option(help="Hidden in four seconds, at most, and one more.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 7,
    width: Annotated[int, typer.Option(help="Of the network, a multiple of 64.")] = 256,
    encoder_layers: Annotated[int, typer.Option(help="Of the network.")] = 6,
) -> None:
    """Begin a run, or go on with the one in the folder, on the same device or another.

    What is stated of batches, rate and network counts when a run begins; it is kept.
    """
    if width < 64 or width % 64:
        raise OptionError(f"width must be a multiple of 64, got {width}")
    from subwhisper.model.checkpoints import read_checkpoint
    from subwhisper.training import loop
    from subwhisper.training.recordings import open_pack
    from subwhisper.training.text import build_corpus, read_sentences

    corpus = build_corpus(read_sentences(sentences), [path.read_text(encoding="utf-8") for path in kept_out or []])
    state = run / "state.pt"
    if state.exists():
        going = loop.resume(state, minutes=minutes, device=device)
    else:
        options = loop.TrainOptions(
            minutes=minutes or loop.TrainOptions.minutes,
            batch_scale=batch_scale,
            learning_rate=learning_rate,
            recorded_share=recorded_share,
            dropout=dropout,
            wrong=wrong,
            moments=moments,
            seed=seed,
            width=width,
            n_heads=width // 64,  # as in every Whisper
            encoder_layers=encoder_layers,
        )
        if first:  # which hears already, and knows long stretches
            options = replace(
                options,
                stage_ends=(0.0, 0.04),
                teach_minutes=2.0,
                realign_at=(0.0,),
                warmup_steps=50,
                decay_share=0.6,
                average=0.998,
            )
        real = open_pack(recordings) if recordings else None
        going = loop.begin(options, corpus, real, read_checkpoint(first) if first else None, device=device)
    loop.train(going, corpus, run, recordings=recordings, slice_minutes=slice_minutes, n_makers=makers)


@app.command()
def pack(
    manifest: Annotated[Path, typer.Option(help="JSON lines: path, duration, text, speaker, corpus.")],
    sentences: Sentences,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    kept_out: KeptOut = None,
    flite: Annotated[int, typer.Option(help="Sentences that each of flite's voices adds.")] = 600,
) -> None:
    """Decode real speech, and flite's, into a folder that `train` hears."""
    from itertools import chain

    from subwhisper.training import recordings
    from subwhisper.training.text import build_corpus, read_sentences

    texts = read_sentences(sentences)
    corpus = build_corpus(texts, [path.read_text(encoding="utf-8") for path in kept_out or []])
    real = recordings.read_manifest(manifest, recordings.Truecaser(texts))
    with recordings.scratch_folder() as scratch:
        spoken = recordings.flite_clips(corpus.training, recordings.FLITE_VOICES, Path(scratch), per_voice=flite)
        n_clips = recordings.pack(chain(real, spoken), output)
    typer.echo(f"{n_clips} recordings in {output}")


@app.command()
def export(
    run: RunFolder,
    output: Annotated[Path, typer.Option("--output", "-o", help="Model directory to write.")],
    noise_logprob: Annotated[
        float | None, typer.Option(help="Mean log-probability per token below which its text is noise; measure it.")
    ] = None,
) -> None:
    """Write the model of a run, for `subwhisper transcribe --model`."""
    from subwhisper.training import loop

    loop.export(loop.resume(run / "state.pt"), output, noise_logprob=noise_logprob)


@app.command()
def join(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs that began as one, none of them in progress.")],
) -> None:
    """Have runs go on from the mean of all: between slices, processors that train apart become one."""
    from subwhisper.training import averaging

    averaging.join([run / "state.pt" for run in runs])


@app.command()
def average(
    output: Annotated[Path, typer.Argument(help="Folder for the model.")],
    models: Annotated[list[str], typer.Argument(help="Folders of models that began as one; FOLDER=2 counts twice.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is in the folder.")] = False,
) -> None:
    """Write the mean of several models' weights; the first tells all else."""
    from subwhisper.model.checkpoints import read_checkpoint
    from subwhisper.training import averaging

    parts = [(name, share or "1") for name, _, share in (model.partition("=") for model in models)]
    try:
        shares = [float(share) for _, share in parts]
    except ValueError as error:
        raise typer.BadParameter(f"{error}; give FOLDER or FOLDER=SHARE", param_hint="MODELS") from error
    checkpoints = [read_checkpoint(Path(name)) for name, _ in parts]
    averaging.average([*zip(checkpoints, shares, strict=True)], output, overwrite=overwrite)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="Name, file or directory of a model.")],
    sentences: Annotated[Path | None, typer.Option(help="The training's sentences; those held out are spoken.")] = None,
    kept_out: KeptOut = None,
    samples: Annotated[Path | None, typer.Option(help="Manifest of real recordings.")] = None,
    clips: Annotated[int, typer.Option(help="Synthetic clips, of five sentences each.")] = 24,
    beam_size: Annotated[int, typer.Option(help="Beams; 1 is greedy.")] = 5,
) -> None:
    """Print word errors and word time errors of a model, as JSON."""
    if sentences is None and samples is None:
        raise OptionError("there is nothing to measure with", hint="give --sentences, --samples, or both")
    from subwhisper.engine.options import DecodeOptions, TranscribeOptions
    from subwhisper.engine.transcriber import load_model
    from subwhisper.training.evaluate import held_out_clips, sample_clips, score
    from subwhisper.training.text import build_corpus, read_sentences

    transcriber = load_model(model)
    options = TranscribeOptions(language="en", word_timestamps=True, decode=DecodeOptions(beam_size=beam_size))
    sets = {}
    if sentences is not None:
        corpus = build_corpus(read_sentences(sentences), [path.read_text(encoding="utf-8") for path in kept_out or []])
        sets["held-out voices and sentences"] = held_out_clips(corpus.held_out, n_clips=clips)
    if samples is not None:
        sets |= {f"samples: {kind}": sample_clips(samples, kind) for kind in ("speech", "nonspeech")}
    typer.echo(
        json.dumps({name: score(transcriber, clips, options).to_dict() for name, clips in sets.items()}, indent=2)
    )


def run() -> None:
    """Run the command line; what a user can put right is one line and an exit code."""
    try:
        app()
    except SubwhisperError as error:
        typer.echo(f"subwhisper.training: error: {error}", err=True)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    run()
