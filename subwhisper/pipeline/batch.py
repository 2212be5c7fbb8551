"""A whole library: plan, work, try again, report.

The driver takes jobs from the journal's queue, hands them to a runner's workers and writes down what becomes of them.
Nothing that happens to one recording stops the others: what may pass is tried again after a while, what cannot is
reported at the end, and what brings its worker down again and again is set aside. A second driver on the same folder
shares the work, and a driver that dies loses no more than the windows in flight.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from subwhisper.errors import InputError, JournalError, SubwhisperError
from subwhisper.pipeline.identity import FileIdentity, ProcessIdentity
from subwhisper.pipeline.inputs import Refused, Source
from subwhisper.pipeline.jobs import LEASE_SECONDS, JobQueue, JobRecord, State
from subwhisper.pipeline.journal import Journal, JournalLimits
from subwhisper.pipeline.meter import BatchProgress, LengthGuess, Meter, survey
from subwhisper.pipeline.plan import BatchPlan, make_plan, name_of
from subwhisper.pipeline.probe import duration_of
from subwhisper.pipeline.runner import Lost, Runner, sweep_scratch
from subwhisper.pipeline.transcribe import TranscribeJob, error_row
from subwhisper.pipeline.worker import Assignment, Hopeless, News, Position, Report, Warned

_CRASHES = 3
"""Workers a recording may bring down before it is set aside."""
_LOSSES = 5
"""Workers lost one after another, with nothing done between, after which the fault is not the recordings'."""
_LOOK_EVERY = 1.0
"""Seconds between two looks at what other drivers have done."""
_JOURNAL_PATIENCE = 600.0
"""Seconds for which the journal may take nothing, such as on a full disk, before the batch ends."""
_PRUNED_EVERY = 300.0
"""Seconds between two looks at the size of the journal."""
_SURVEY = 2.0
"""Seconds spent on looking how long recordings are."""
_FINAL = frozenset({"MediaError", "bug"})
"""Errors that another try would give again."""


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How a batch goes about its work."""

    redo: bool = False
    """Make everything anew, whatever is there."""
    retries: int = 2
    """More tries for what may pass: a full disk, a share that is away, a file still being copied."""
    backoff: float = 5.0
    """Seconds before the second try; each further one waits three times as long."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `to_dict` is one line for programs, with the fields that README lists."""

    kind: str
    input: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        named = {"input": self.input} if self.input is not None else {}
        return {"event": self.kind, **named, **self.facts}


def run_batch(
    found: Sequence[Source | Refused], job: TranscribeJob, options: BatchOptions, queue: JobQueue, runner: Runner
) -> Iterator[Event]:
    """Plan and work through recordings.

    Args:
        found: what was named.
        job: what to do with each.
        options: how.
        queue: of the journal.
        runner: who does it.

    Yields:
        `planned`, then `skipped`, `started`, `progress`, `postponed`, `warning`, `done` and `failed` as they come,
        then `finished` with the sums. Each recording has one `skipped`, `done` or `failed`.

    Raises:
        SubwhisperError: nothing can be done at all: no model, no workers.
    """
    planned_at = time.time()
    sweep_scratch()
    plan = make_plan(found, job, queue, redo=options.redo)
    yield Event("planned", facts={"todo": len(plan.todo), "skipped": len(plan.skipped), "refused": len(plan.refused)})
    yield from _without_work(plan)
    n_failed = len(plan.refused)
    n_done = 0
    for event in _Driver(plan, options, queue, runner).run(planned_at) if plan.todo else ():
        n_done += event.kind == "done"
        n_failed += event.kind == "failed"
        yield event
    yield Event("finished", facts={"done": n_done, "failed": n_failed, "skipped": len(plan.skipped)})


def _without_work(plan: BatchPlan) -> Iterator[Event]:
    for one in plan.skipped:
        yield Event("skipped", str(one.source), {"reason": one.skipped})
    for refused in plan.refused:
        yield Event("failed", refused.argument, {"error": error_row(refused.error), "tries": 0})


class _Driver:
    """Sees the jobs of one batch through."""

    def __init__(self, plan: BatchPlan, options: BatchOptions, queue: JobQueue, runner: Runner) -> None:
        self._plan, self._options, self._queue, self._runner = plan, options, queue, runner
        self._planned = {name_of(one.source): one for one in plan.todo}
        self._owner = ProcessIdentity.current()
        self._n_open = len(self._planned)
        self._at_work: dict[int, JobRecord] = {}
        self._languages: dict[int, str | None] = {}
        self._stage = ""
        self._n_lost = 0
        self._owed: list[tuple[JobRecord, Callable[[], None]]] = []
        """What the journal has not taken yet."""
        self._failing_since: float | None = None
        self._looked_at = self._renewed_at = 0.0
        self._events: list[Event] = []

    def run(self, planned_at: float) -> Iterator[Event]:
        """Work until every job is settled, by this driver or another."""
        guess = LengthGuess()
        survey(self._plan.todo, guess, duration_of, _SURVEY)
        self._meter = Meter(self._plan.todo, guess)
        self._queue.enqueue(self._planned, self._plan.request, planned_at=planned_at)
        self._tell_progress()
        news = self._runner.run(self._take)
        try:
            while self._n_open:
                self._hear(next(news))
                self._keep_house()
                yield from self._events
                self._events.clear()
        finally:
            news.close()
            with suppress(JournalError):  # they are known for those of a dead process soon
                self._queue.release(self._owner)

    def _take(self) -> Assignment | None:
        job = None
        if not self._owed:  # no new work while the journal takes nothing
            with self._patience():
                job = self._queue.claim(self._owner)
                self._failing_since = None
        if job is None:
            return None
        self._at_work[job.id] = job
        one = self._planned[job.source]
        self._events.append(Event("started", str(one.source), {"tries": job.tries}))
        return Assignment(job.id, one.source, None if self._options.redo else one.ours)

    def _hear(self, news: News | Lost | None) -> None:
        match news:
            case Position():
                self._moved(news)
            case Report() | Lost():
                # Somebody may have taken it over while we slept, and we may have got it back: then it is told twice.
                if job := self._at_work.pop(news.id, None):
                    self._ended(job, news) if isinstance(news, Report) else self._lost(job, news)
            case Warned():
                self._events.append(Event("warning", facts={"message": news.text}))
            case Hopeless():
                raise news.error

    def _moved(self, position: Position) -> None:
        if position.id in self._at_work and position.stage.startswith("transcribing"):
            self._meter.at(self._at_work[position.id].source, position.done, position.total)
        self._stage = position.stage
        self._tell_progress()

    def _ended(self, job: JobRecord, report: Report) -> None:
        self._n_lost = 0
        if report.error is not None:
            self._failed(job, report.error, may_pass=report.error["kind"] not in _FINAL)
            return
        self._languages[job.id] = report.language
        finish = partial(self._queue.finish, job, self._owner, file=report.file, outputs=report.outputs)
        self._note(job, partial(finish, duration=report.duration, seconds=report.seconds))

    def _lost(self, job: JobRecord, lost: Lost) -> None:
        self._n_lost += 1
        if self._n_lost >= _LOSSES * self._runner.n_workers:
            hint = "too little memory? fewer --workers or a smaller --model need less"
            raise SubwhisperError(f"workers die one after another: {lost.reason}", hint=hint)
        error = {"kind": "crash", "message": f"{job.source}: {lost.reason}", "hint": None, "exit_code": 1}
        self._failed(job, error, may_pass=True, crashed=lost.had_begun)

    def _failed(self, job: JobRecord, error: Mapping[str, Any], *, may_pass: bool, crashed: bool = False) -> None:
        give_up = partial(self._queue.give_up, job, self._owner, crashed=crashed)
        if crashed and job.crashes + 1 >= _CRASHES:
            advice = {"hint": "set aside; to try it once more: subwhisper journal retry"}
            self._note(job, partial(give_up, {**error, **advice}, state=State.ASIDE))
        elif may_pass and job.tries < self._options.retries:
            delay = self._options.backoff * 3**job.tries
            self._note(job, partial(self._queue.postpone, job, self._owner, error, delay=delay, crashed=crashed))
            source = str(self._planned[job.source].source)
            self._events.append(Event("postponed", source, {"error": dict(error), "seconds": delay}))
        else:
            self._note(job, partial(give_up, error, state=State.FAILED))

    def _note(self, job: JobRecord, write: Callable[[], None]) -> None:
        """Write what became of a job to the journal as soon as it takes it."""
        self._owed.append((job, write))
        with self._patience():
            self._pay()

    def _pay(self) -> None:
        while self._owed:
            job, write = self._owed[0]
            write()
            self._failing_since = None
            del self._owed[0]
            self._tell(self._queue.settled(job.id))

    def _keep_house(self) -> None:
        """Now and then: keep our leases, free those of the dead, see what others have done."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = now
        with self._patience():
            self._pay()
            if now - self._renewed_at > LEASE_SECONDS / 6:
                self._queue.renew(self._owner)
                self._renewed_at = now
            self._queue.release_orphans()
            self._tell(self._queue.settled())

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Outlive a journal that cannot be written for a while, as on a full disk."""
        try:
            yield
        except JournalError as error:
            now = time.monotonic()
            if self._failing_since is None:
                self._failing_since = now
                text = f"{error.message}; nothing new is begun until it can"
                self._events.append(Event("warning", facts={"message": text}))
            elif now - self._failing_since > _JOURNAL_PATIENCE:
                raise

    def _tell(self, settled: Iterable[JobRecord]) -> None:
        for job in settled:
            self._n_open -= 1
            self._meter.settled(job.source, job.duration)
            source = str(self._planned[job.source].source)
            if job.state == State.DONE:
                self._events.append(Event("done", source, self._done(job)))
            else:
                self._events.append(Event("failed", source, {"error": dict(job.error or {}), "tries": job.tries}))
            self._tell_progress()

    def _tell_progress(self) -> None:
        self._events.append(Event("progress", facts=_described(self._meter.progress(), self._stage)))

    def _done(self, job: JobRecord) -> dict[str, Any]:
        return {
            "outputs": list(job.outputs),
            "language": self._languages.pop(job.id, None),
            "duration": job.duration,
            "seconds": round(job.seconds or 0.0, 3),
        }


def _described(progress: BatchProgress, stage: str) -> dict[str, Any]:
    return {
        "settled": progress.n_settled,
        "files": progress.n_files,
        "done_s": round(progress.done, 1),
        "total_s": None if progress.total is None else round(progress.total, 1),
        "remaining_s": None if progress.remaining is None else round(progress.remaining),
        "stage": stage,
    }


def kept_small(events: Iterable[Event], journal: Journal, limits: JournalLimits) -> Iterator[Event]:
    """Pass events on, and have the journal forget what is too old or too much: a batch may take weeks."""
    pruned_at = time.monotonic()
    for event in events:
        yield event
        if event.kind == "finished" or (event.kind == "done" and time.monotonic() - pruned_at > _PRUNED_EVERY):
            with suppress(JournalError):  # whoever needs it tells
                journal.prune(limits)
            pruned_at = time.monotonic()


def watch_batch(
    find: Callable[[], Iterable[Source | Refused]],
    job: TranscribeJob,
    options: BatchOptions,
    queue: JobQueue,
    runner: Runner,
    *,
    every: float,
    settle: float,
) -> Iterator[Event]:
    """Work through whatever comes, for ever; the model is in memory only while there is work.

    Args:
        find: looks what is there now.
        job: what to do with each recording.
        options: how.
        queue: of the journal.
        runner: who does it.
        every: seconds between two looks.
        settle: seconds for which a file must not have changed.

    Yields:
        As `run_batch`, of new recordings only. What failed is tried again when its file has changed, or has been away.
    """
    known: dict[str, FileIdentity | None] = {}
    told: set[str] = set()
    while True:
        fresh, before = [], known
        known = {}
        for one in find():
            if isinstance(one, Refused):
                if one.error.message not in told:
                    told.add(one.error.message)
                    yield Event("warning", facts={"message": one.error.message})
                continue
            file = _settled(one.path, settle) if one.path else None
            if one.path and file is None:
                continue
            known[str(one)] = file
            if str(one) not in before or before[str(one)] != file:
                fresh.append(one)
        if fresh:
            yield from run_batch(fresh, job, options, queue, runner)
        time.sleep(every)


def _settled(path: Path, seconds: float) -> FileIdentity | None:
    """The file, if it has not changed of late."""
    try:
        file = FileIdentity.of(path)
    except InputError:
        return None
    return file if abs(time.time() - file.mtime_ns / 1e9) >= seconds else None
