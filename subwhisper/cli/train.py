"""`evaluate`, `finetune` and `learn`: how good a model is, and how to make it better with your own captions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report, write_data
from subwhisper.cli.verdict import verdict
from subwhisper.errors import InputError, OutputError, SubwhisperError, ToolError
from subwhisper.languages import language_code

if TYPE_CHECKING:
    from subwhisper.engine.options import TranscribeOptions
    from subwhisper.engine.transcriber import Transcriber
    from subwhisper.training.evaluate import ClipScore, Score
    from subwhisper.training.manifest import Entry

ModelName = Annotated[str, opt.option("--model", "-m", help="Name, file or folder of a model.", panel="Model")]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EvaluateArguments:
    """What was typed."""

    place: Annotated[
        Path,
        typer.Argument(help="Folder of media with subtitles or texts of the same name, or a .json(l) manifest."),
    ]
    model: ModelName = "bundled"
    language: Annotated[
        str | None, opt.option("--language", help="Language spoken, and of the subtitles taken.", panel="Recognition")
    ] = "en"
    beam_size: Annotated[int, opt.option("--beam-size", help="Beams; 1 is greedy.", panel="Recognition")] = 5
    plot: Annotated[
        Path | None, opt.option("--plot", help="Picture to draw: errors of clips and of word starts.", panel="Output")
    ] = None
    json: opt.Json = False
    quiet: opt.Quiet = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FinetuneArguments:
    """What was typed."""

    data: Annotated[
        Path,
        opt.option(
            "--data", help="Folder of media with corrected subtitles of the same name, or a manifest.", panel="Material"
        ),
    ]
    output: Annotated[Path, opt.option("--output", "-o", help="Model folder to write.", panel="Output")]
    model: ModelName = "bundled"
    method: Annotated[
        Literal["lora", "full"], opt.option("--method", help="Thin adapters, or all weights.", panel="Training")
    ] = "lora"
    rank: Annotated[int, opt.option("--rank", help="Of the adapters; more can learn more.", panel="Training")] = 16
    learning_rate: Annotated[
        float | None, opt.option("--learning-rate", help="1e-3 for lora, 1e-4 for full.", panel="Training")
    ] = None
    epochs: Annotated[int, opt.option("--epochs", help="Times the material is heard at most.", panel="Training")] = 12
    patience: Annotated[
        int, opt.option("--patience", help="Epochs that may bring nothing before it stops.", panel="Training")
    ] = 3
    batch_size: Annotated[int, opt.option("--batch-size", help="Windows per step.", panel="Training")] = 8
    validation: Annotated[
        float, opt.option("--validation", help="Share of the material kept aside to judge by.", panel="Training")
    ] = 0.1
    language: Annotated[str, opt.option("--language", help="Language of the material.", panel="Material")] = "en"
    device: Annotated[str, opt.option("--device", help="cpu, cuda, cuda:1 …", panel="Training")] = "cpu"
    json: opt.Json = False
    quiet: opt.Quiet = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LearnArguments:
    """What was typed."""

    edited: Annotated[Path, typer.Argument(help="Captions you corrected.", metavar="EDITED")]
    original: Annotated[
        Path | None,
        opt.option("--original", help="What the program wrote; its .json beside them if not given.", panel="Input"),
    ] = None
    media: Annotated[
        Path | None, opt.option("--media", help="Their media file; of the same name if not given.", panel="Input")
    ] = None
    data: Annotated[
        Path | None,
        opt.option("--data", help="Folder for finetune: keeps the text, and where its sound lies.", panel="Output"),
    ] = None
    replacements: Annotated[
        Path, opt.option("--replacements", help="List of replacements to add to.", panel="Output")
    ] = Path("replacements.txt")
    json: opt.Json = False


def run_evaluate(arguments: EvaluateArguments) -> None:
    """Measure a model: word and letter errors, and how far word times are off."""
    from subwhisper.engine.abilities import check
    from subwhisper.engine.options import DecodeOptions, TranscribeOptions
    from subwhisper.engine.transcriber import load_model
    from subwhisper.training.evaluate import Score
    from subwhisper.training.material import find_entries
    from subwhisper.training.plotting import check_picture, plot

    options = TranscribeOptions(
        language=arguments.language, word_timestamps=True, decode=DecodeOptions(beam_size=arguments.beam_size)
    )
    if arguments.plot:
        check_picture(arguments.plot)
    with Console(quiet=arguments.quiet) as console:
        entries = find_entries(arguments.place, arguments.language)
        transcriber = load_model(arguments.model)
        check(transcriber.model, options)
        with console.working():
            clips, problems = _scored(entries, transcriber, options, console)
    score = Score(tuple(clips))
    if clips and not arguments.json:
        _show(score)
    if arguments.json:
        failed = [problem.to_dict() for problem in problems]
        report({**score.to_dict(), "model": arguments.model, "clips": [c.to_dict() for c in clips], "failed": failed})
    if clips and arguments.plot:
        plot(score, arguments.plot)
    if problems:
        raise verdict(problems, len(entries))


def _scored(
    entries: Sequence["Entry"], transcriber: "Transcriber", options: "TranscribeOptions", console: Console
) -> tuple[list["ClipScore"], list[SubwhisperError]]:
    """Score what can be read; what cannot be is told unless it is all there is."""
    from subwhisper.training.evaluate import score_pair
    from subwhisper.training.material import pair_of

    clips: list[ClipScore] = []
    problems: list[SubwhisperError] = []
    for number, entry in enumerate(entries, start=1):
        try:
            clips.append(score_pair(transcriber, pair_of(entry), options))
        except (InputError, ToolError) as error:
            problems.append(error)
            if len(entries) > 1:
                console.fail(error)
        console.progress("evaluating", number, len(entries))
    return clips, problems


def _show(score: "Score") -> None:
    write_data(f"{'clip':<44}{'words':>7}{'WER':>9}{'CER':>9}")
    for row in score.clips:
        write_data(_row(row.name, row.words.n_words, row.words.rate, row.characters.rate))
    write_data(_row("all", score.words.n_words, score.words.rate, score.characters.rate))
    if score.times:
        times = score.times
        write_data(
            f"word starts: median error {times.median * 1000:.0f} ms, 90 % within {times.p90 * 1000:.0f} ms "
            f"({times.n_words} words)"
        )
    if any(not row.is_spoken for row in score.clips):
        write_data(f"words written where nobody speaks: {score.invented}")
    write_data(f"{score.speed:.1f} x real time")


def _row(name: str, n_words: int, words: float | None, characters: float | None) -> str:
    rates = "".join(f"{'-' if rate is None else f'{rate:.1%}':>9}" for rate in (words, characters))
    return f"{name[:43]:<44}{n_words:>7}{rates}"


def run_finetune(arguments: FinetuneArguments) -> None:
    """Adapt a Whisper model to media files and their corrected subtitles."""
    from subwhisper.engine.abilities import check_language
    from subwhisper.engine.features import FRAMES_PER_SECOND
    from subwhisper.model import store
    from subwhisper.model.checkpoints import read_checkpoint
    from subwhisper.training.cutting import cut
    from subwhisper.training.finetune import Epoch, FinetuneOptions, finetune
    from subwhisper.training.material import find_pairs

    if arguments.output.exists():
        raise OutputError(f"{arguments.output} exists", hint="choose another folder with --output")
    options = FinetuneOptions(
        method=arguments.method,
        rank=arguments.rank,
        learning_rate=arguments.learning_rate,
        epochs=arguments.epochs,
        patience=arguments.patience,
        batch_size=arguments.batch_size,
        validation=arguments.validation,
        language=language_code(arguments.language),
    )
    with Console(quiet=arguments.quiet) as console:
        path = store.locate(arguments.model)
        checkpoint = read_checkpoint(path)
        check_language(checkpoint, options.language)
        window = checkpoint.dims.n_frames / FRAMES_PER_SECOND
        pairs = find_pairs(arguments.data, options.language)
        examples = cut(pairs, window)
        minutes = sum(len(example.sound) for example in examples) / 16_000 / 60
        console.line(f"{len(pairs)} files, {len(examples)} windows, {minutes:.1f} minutes")

        def tell(epoch: Epoch) -> None:
            best = "  best so far" if epoch.is_best else ""
            console.line(
                f"epoch {epoch.number:>3}: loss {epoch.loss:.3f}, kept aside {epoch.validation_loss:.3f}, "
                f"{epoch.seconds:.0f} s{best}"
            )

        made = finetune(path, examples, arguments.output, options, device=arguments.device, on_epoch=tell)
    if arguments.json:
        report(made.to_dict())
        return
    write_data(f"{'on the part kept aside':<28}{'words':>7}{'WER':>9}")
    for name, errors in (("before", made.before), ("after", made.after)):
        write_data(f"{name:<28}{errors.n_words:>7}{errors.rate or 0:>9.1%}")
    if not any(epoch.is_best for epoch in made.epochs):
        write_data("nothing was gained: the model written is the one it began with")
    else:
        write_data(f"{made.share:.0%} of what was learnt counts, the rest is the model before: so it did best")
    write_data(f"use it with --model {made.folder}")


def run_learn(arguments: LearnArguments) -> None:
    """Learn from captions you corrected: a list of replacements, and material for finetune."""
    from subwhisper.subtitles.wording import read_replacements
    from subwhisper.training import learn

    original = arguments.original or learn.original_beside(arguments.edited)
    if original is None:
        raise InputError(
            f"what the program wrote is not beside {arguments.edited}",
            hint="name it with --original (transcribe with --format srt,json keeps it)",
        )
    found = learn.corrections(learn.words_of(original), learn.words_of(arguments.edited))
    known = read_replacements(arguments.replacements) if arguments.replacements.exists() else ()
    new = learn.new_rules(known, found)
    copy = _keep(arguments, arguments.data) if arguments.data else None
    if new:
        learn.append_rules(new, arguments.replacements)
    if arguments.json:
        report({"corrections": [asdict(one) for one in found], "added": len(new), "text": str(copy) if copy else None})
        return
    for one in found:
        write_data(f"{one.count:>4}  {one.wrong} -> {one.right}" + (f"  (no rule: {one.doubt})" if one.doubt else ""))
    write_data(f"{arguments.replacements}: {len(new)} added to {len(known)} replacements")
    if copy:
        write_data(f"kept for finetune: the text as {copy}, and where its sound lies")


def _keep(arguments: LearnArguments, folder: Path) -> Path:
    from subwhisper.training import learnt

    media = arguments.media or learnt.media_beside(arguments.edited)
    if media is None:
        raise InputError(f"no media file of the name of {arguments.edited}", hint="name it with --media")
    return learnt.keep_pair(media, arguments.edited, folder)


evaluate = opt.as_command(EvaluateArguments, run_evaluate)
finetune = opt.as_command(FinetuneArguments, run_finetune)
learn = opt.as_command(LearnArguments, run_learn)
