"""`subwhisper transcribe` and `subwhisper translate`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report
from subwhisper.cli.verdict import verdict
from subwhisper.cli.wishes import TranscribeArguments
from subwhisper.errors import SubwhisperError

if TYPE_CHECKING:
    from subwhisper.pipeline.transcribe import Outcome
    from subwhisper.transcript import Segment


def run_transcribe(arguments: TranscribeArguments) -> None:
    """Turn the speech of audio or video into captions.

    Results are STEM.LANGUAGE.FORMAT beside each input. Running again replaces them; an input is never replaced.
    What lies in folders and has captions already is left alone, as batch does; what is named outright is done.
    Every option can also be set by the environment (SUBWHISPER_BEAM_SIZE) and in config.toml or subwhisper.toml.
    """
    rows: list[dict[str, Any]] = []
    problem: SubwhisperError | None = None
    try:
        _work(arguments, rows)
    except SubwhisperError as error:
        problem = error
        raise
    finally:
        if arguments.json:
            _report(rows, problem)


def run_translate(arguments: TranscribeArguments) -> None:
    """Turn speech in any language into English captions.

    The short form of: subwhisper transcribe --task translate.
    """
    run_transcribe(arguments)


def _work(arguments: TranscribeArguments, rows: list[dict[str, Any]]) -> None:
    with Console(quiet=arguments.quiet) as console:
        search, job = arguments.search(), arguments.job()
        from subwhisper.pipeline.files import transcribe_files  # brings torch: keep it in here

        with console.working():
            outcomes = transcribe_files(
                list(search.find(arguments.inputs)),
                job,
                journal=arguments.open_journal(),
                redo=arguments.redo,
                on_progress=console.progress,
                on_segment=_teller(console) if arguments.verbose else None,
            )
            problems = _tell(console, outcomes, rows, every=arguments.verbose)
        if problems:
            raise verdict(problems, len(rows))


def _tell(
    console: Console, outcomes: "Iterable[Outcome]", rows: list[dict[str, Any]], *, every: bool
) -> list[SubwhisperError]:
    """Say what became of each input, put its row in the report, and return what went wrong."""
    problems: list[SubwhisperError] = []
    n_skipped = 0
    held: SubwhisperError | None = None  # an only input's error is what the command ends with
    try:
        for outcome in outcomes:
            if held:
                console.fail(held)
                held = None
            rows.append(outcome.to_dict())
            for path in outcome.outputs:
                console.line(f"wrote {path}")
                if lost := outcome.losses.get(path):
                    console.line(f"  {path.suffix[1:]} cannot hold: {', '.join(map(str, lost))}")
            n_skipped += outcome.skipped is not None
            if outcome.skipped and every:
                console.line(f"skipped {outcome.source}: {outcome.skipped}")
            if outcome.transcript:
                _say_origin(console, outcome.transcript.provenance)
            if outcome.error:
                problems.append(outcome.error)
                if len(rows) == 1:
                    held = outcome.error
                else:
                    console.fail(outcome.error)
    except SubwhisperError:
        if held:
            console.fail(held)
        raise
    if n_skipped:
        console.line(f"{n_skipped} {'has' if n_skipped == 1 else 'have'} captions already; --redo makes them anew")
    return problems


def _say_origin(console: Console, provenance: Mapping[str, Any]) -> None:
    """Say how much of the speech has words, or who wrote them, and what memory was too little for."""
    _say_what_was_given_up(console, provenance.get("gave_up", ()))
    if where := provenance.get("subtitles"):
        console.line(f"taken from the subtitles that people wrote: {where}")
    if (found := provenance.get("coverage")) is None:
        return
    if not found["speech_seconds"]:
        console.line("nobody speaks")
        return
    told = [("repaired", "repaired"), ("open", "left"), ("unread", "not listened to again")]
    counts = [(found.get(f"holes_{name}", 0), what) for name, what in told]
    holes = "".join(f", {n} {'hole' if n == 1 else 'holes'} {what}" for n, what in counts if n)
    console.line(f"speech covered {100 * found['covered']:.1f} %{holes}")


def _say_what_was_given_up(console: Console, steps: Sequence[str]) -> None:
    """Say that memory has run out, and what with; nothing where there was enough."""
    if steps:
        began, ended = steps[0].partition("; ")[0], steps[-1].partition("; ")[2]
        console.line(f"{began}; {ended}")


def _teller(console: Console) -> "Callable[[Segment], None]":
    def tell(segment: "Segment") -> None:
        console.line(f"[{_clock(segment.start)} --> {_clock(segment.end)}] {segment.text}")

    return tell


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02d}:{int(minutes % 60):02d}:{rest:06.3f}"


def _report(rows: list[dict[str, Any]], problem: SubwhisperError | None) -> None:
    from subwhisper.pipeline.transcribe import error_row

    report({"inputs": rows, "error": error_row(problem) if problem else None})


transcribe = opt.as_command(TranscribeArguments, run_transcribe)
translate = opt.as_command(TranscribeArguments, run_translate, fixed={"task": "translate"})
