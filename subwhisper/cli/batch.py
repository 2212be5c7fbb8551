"""`subwhisper batch`: whole libraries, with several workers, from where it stopped."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TextIO

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, write_data
from subwhisper.cli.verdict import verdict
from subwhisper.cli.wishes import TranscribeArguments
from subwhisper.errors import SubwhisperError
from subwhisper.pipeline.outputs import OutputPlan

if TYPE_CHECKING:
    from subwhisper.pipeline.batch import BatchOptions, Event
    from subwhisper.pipeline.journal import Journal
    from subwhisper.pipeline.runner import Runner
    from subwhisper.pipeline.transcribe import TranscribeJob


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BatchArguments(TranscribeArguments):
    """What was typed: the options of `transcribe`, and those of a batch."""

    workers: opt.Workers = None
    cluster: opt.Cluster = None
    retries: opt.Retries = 2
    watch: opt.Watch = False
    every: opt.WatchEvery = 10.0
    settle: opt.Settle = 5.0

    subfolder: opt.Subfolder = OutputPlan.subfolder

    def output_plan(self, formats: tuple[str, ...]) -> OutputPlan:
        return replace(super().output_plan(formats), subfolder=self.subfolder)

    def shared_job(self) -> "TranscribeJob":
        """The job with its share of the processor for each worker."""
        job, n_workers = self.job(), self.workers or 1
        if n_workers == 1 or job.model.threads or self.cluster:
            return job
        share = max(1, (os.cpu_count() or 1) // n_workers)
        return replace(job, model=replace(job.model, threads=share))

    def batch_options(self) -> "BatchOptions":
        from subwhisper.pipeline.batch import BatchOptions

        return BatchOptions(redo=self.redo, retries=self.retries)

    def runner(self, job: "TranscribeJob", journal: "Journal") -> "Runner":
        if self.cluster:
            from subwhisper.pipeline.cluster import RayRunner

            return RayRunner(job, journal.path, self.cluster, self.workers)
        from subwhisper.pipeline.runner import LocalRunner

        return LocalRunner(job, journal.path, self.workers or 1)


def run_batch(arguments: BatchArguments) -> None:
    """Caption whole folders: what has captions is skipped, what fails does not stop the rest.

    Finished work is kept in a journal, so after a crash, a kill or a power cut the same command goes on where it
    stopped; run it twice and the two share the work. Results are STEM.LANGUAGE.FORMAT beside each recording, or in the
    same folders below --output-dir. With --json, each thing that happens is one line on standard output.
    """
    with Console(quiet=arguments.quiet) as console:
        search, job = arguments.search(), arguments.shared_job()
        from subwhisper.pipeline.batch import kept_small, run_batch, watch_batch  # brings torch: keep it in here
        from subwhisper.pipeline.journal import Journal

        journal = arguments.open_journal() or Journal(None)
        runner = arguments.runner(job, journal)
        options = arguments.batch_options()
        with console.working(guess_time_left=False):
            if arguments.watch:
                console.line(f"watching, with a look every {arguments.every:g} s; Ctrl-C ends it")
                events = watch_batch(
                    lambda: search.find(arguments.inputs),
                    job,
                    options,
                    journal.jobs,
                    runner,
                    every=arguments.every,
                    settle=arguments.settle,
                )
            else:
                events = run_batch(list(search.find(arguments.inputs)), job, options, journal.jobs, runner)
            failures, n_inputs = _tell(console, kept_small(events, journal, arguments.journal_limits()), arguments)
        for failure in _alike(failures) if n_inputs > 1 else ():
            console.fail(failure)
        if failures:
            raise verdict(failures, n_inputs)


def _tell(console: Console, events: "Iterable[Event]", arguments: BatchArguments) -> tuple[list[SubwhisperError], int]:
    """Say what happens; what failed comes back, to be said once more at the end, and the number of inputs."""
    failures: list[SubwhisperError] = []
    n_inputs = 0
    stdout = sys.stdout
    with redirect_stdout(sys.stderr):  # Ray prints what it likes
        for event in events:
            n_inputs += event.kind in ("skipped", "done", "failed")
            if arguments.json:
                _write(event, stdout)
            if event.kind == "failed" and not arguments.watch:  # which has no end at which to say it again
                failures.append(_error(event.facts["error"]))
            _say(console, event, arguments)
    return failures, n_inputs


def _alike(failures: Sequence[SubwhisperError]) -> Iterator[SubwhisperError]:
    """What failed for one and the same reason is one line, however many recordings: a folder that is read-only."""
    for error, n in Counter((one.message, one.hint) for one in failures).items():
        message, hint = error
        yield SubwhisperError(f"{message} ({n} recordings)" if n > 1 else message, hint=hint)


def _say(console: Console, event: "Event", arguments: BatchArguments) -> None:
    facts: Any = event.facts
    match event.kind:
        case "planned":
            parts = [
                f"{facts['todo']} to do",
                f"{facts['skipped']} have captions",
                f"{facts['refused']} cannot be done",
            ]
            console.line(", ".join(part for part in parts if not part.startswith("0 ")) or "nothing to do")
        case "skipped" if arguments.verbose:
            console.line(f"skipped {event.input}: {facts['reason']}")
        case "started" if arguments.verbose:
            console.line(f"began {event.input}")
        case "progress":
            note = f"{facts['settled']} of {facts['files']} done, {_doing(facts)}"
            console.progress("batch", facts["done_s"], facts["total_s"], note)
        case "done":
            for path in facts["outputs"]:
                console.line(f"wrote {path}")
        case "postponed":
            console.line(f"{facts['error']['message']}; trying again in {facts['seconds']:.0f} s")
        case "failed" if arguments.watch:
            console.fail(_error(facts["error"]))
        case "warning":
            console.line(f"subwhisper: {facts['message']}")
        case "finished":
            console.line(f"{facts['done']} done, {facts['skipped']} skipped, {facts['failed']} failed")


def _doing(facts: Any) -> str:
    """What is to be waited for: a download, or the time that is left."""
    if facts["stage"].startswith("fetching"):
        return str(facts["stage"])
    seconds = facts["remaining_s"]
    return "time left unknown so far" if seconds is None else f"about {time_text(seconds)} left"


def time_text(seconds: float) -> str:
    """A length of time, as roughly as it is known."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _error(row: Any) -> SubwhisperError:
    error = SubwhisperError(row.get("message", "it failed"), hint=row.get("hint"))
    error.exit_code = row.get("exit_code", SubwhisperError.exit_code)
    return error


def _write(event: "Event", stdout: TextIO) -> None:
    import json

    write_data(json.dumps(event.to_dict(), allow_nan=False), stdout)


batch = opt.as_command(BatchArguments, run_batch, fixed={"overwrite": True})
