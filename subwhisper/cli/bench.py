"""`subwhisper bench`: what this machine can do with each model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subwhisper.cli import decoding as dec
from subwhisper.cli import options as opt
from subwhisper.cli import speech
from subwhisper.cli.console import Console, one_line, report, write_data
from subwhisper.cli.values import joined
from subwhisper.cli.verdict import verdict
from subwhisper.engine.options import DecodeOptions, TranscribeOptions
from subwhisper.engine.precision import parse_compute

if TYPE_CHECKING:
    from subwhisper.pipeline.bench import Measured

_PANEL = "Measuring"


def _parse_computes(value: Any) -> str:
    return ",".join(parse_compute(name) for name in joined(value).split(",") if name.strip()) or "auto"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BenchArguments:
    """What was typed."""

    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, files or folders of models (default: the bundled one and all that were downloaded).",
            metavar="MODEL...",
            show_default=False,
        ),
    ] = None
    audio: Annotated[
        Path | None,
        opt.option(
            "--audio", panel=_PANEL, metavar="FILE",
            help="A recording to listen to (default: a noise, with as many tokens written as people speak).",
        ),
    ] = None  # fmt: skip
    compute: Annotated[
        str,
        opt.option(
            "--compute", panel=_PANEL, metavar="LIST", parser=_parse_computes,
            help="Precisions with commas between: auto, float32, bfloat16, float16, int8; short forms too.",
        ),
    ] = "auto"  # fmt: skip
    seconds: Annotated[
        float, opt.option("--seconds", panel=_PANEL, min=1, help="About as long as each measurement may take.")
    ] = 20.0
    device: opt.Device = "auto"
    threads: opt.Threads = None
    beam_size: dec.BeamSize = DecodeOptions.beam_size
    batch_size: speech.BatchSize = TranscribeOptions.batch_size
    language: opt.OneLanguage = None
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_bench(arguments: BenchArguments) -> None:
    """Measure what this machine can do with each model: speed, loading and memory.

    Every model is measured in a process of its own, the whole way from sound to timed words. The figures are kept, and
    plan promises times by them. Measure while nothing else runs.
    """
    from subwhisper.pipeline.quickstart import quick_imports

    with quick_imports():
        from subwhisper.pipeline.bench import BenchJob, machine, measure_models

    job = BenchJob(
        models=tuple(arguments.models or ()),
        computes=tuple(arguments.compute.split(",")),
        audio=arguments.audio,
        language=arguments.language,
        device=arguments.device,
        threads=arguments.threads or None,
        beam_size=arguments.beam_size,
        batch_size=arguments.batch_size,
        seconds=arguments.seconds,
    )
    rows: list[Measured] = []
    with Console(quiet=arguments.quiet or arguments.json) as console:
        with console.working():
            for measured in measure_models(job, console.progress):
                rows.append(measured)
                if not arguments.json:
                    _show(measured, is_first=len(rows) == 1)
        problems = [measured.error for measured in rows if measured.error]
        for problem in problems if len(rows) > 1 else []:  # an only model's error is what the command ends with
            console.fail(problem)
    if arguments.json:
        report({"machine": machine(), "models": [measured.to_dict() for measured in rows]})
    else:
        _explain(rows, machine())
    if problems:
        raise verdict(problems, len(rows))


def _show(measured: "Measured", *, is_first: bool) -> None:
    if is_first:
        write_data(
            f"{'model':<24}{'compute':<10}{'device':<8}{'speed':>8}{'an hour takes':>15}{'loading':>9}{'memory':>10}"
        )
    name = one_line(measured.model)
    start = f"{name if len(name) < 24 else '…' + name[-22:]:<24}{measured.compute:<10}{measured.device:<8}"
    if (figures := measured.figures) is None:
        write_data(f"{start}{'-':>8}{'-':>15}{'-':>9}{'-':>10}")
        return
    hour = _clock(3600 / figures.speed)
    speed, memory = f"{figures.speed:.1f} x", f"{figures.memory / 1e6:,.0f} MB"
    write_data(f"{start}{speed:>8}{hour:>15}{figures.loading:>7.1f} s{memory:>10}")


def _clock(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes / 60:.1f} h"


def _explain(rows: "list[Measured]", machine: dict[str, Any]) -> None:
    """Say what was measured, below the table."""
    figures = next((measured.figures for measured in rows if measured.figures), None)
    if figures is None:
        return
    write_data(f"speed: seconds of sound per second, on {machine['processor']} with {machine['threads']} threads")
    if figures.n_words and not figures.sample.startswith("a noise"):
        write_data(f"heard: {figures.sample}, {60 * figures.n_words / figures.sound:.0f} words a minute")
    else:
        write_data(f"heard: {figures.sample}, none of it silence; --audio FILE measures a recording of yours")


bench = opt.as_command(BenchArguments, run_bench)
