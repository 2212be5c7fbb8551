"""Everything a command line names, one recording after another, with one model.

Yields an `Outcome` for each as it is done. What is wrong with one does not stop the others; what is wrong with the job
itself (two outputs of one name, a model that cannot be had) is raised, before any work where that can be known.
What was found in folders is treated as in a batch: what has captions already is left alone. What was named outright
is done.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from subwhisper.errors import InputError, JournalError
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.identity import FileIdentity, sampled_hash
from subwhisper.pipeline.inputs import Refused, Source
from subwhisper.pipeline.jobs import JobQueue
from subwhisper.pipeline.journal import Journal
from subwhisper.pipeline.plan import make_plan, name_of, request_key
from subwhisper.pipeline.transcribe import Desk, Outcome, TranscribeJob
from subwhisper.transcript import Segment

logger = logging.getLogger(__name__)


def transcribe_files(
    found: Sequence[Source | Refused],
    job: TranscribeJob,
    *,
    journal: Journal | None = None,
    redo: bool = False,
    on_progress: OnProgress = unheard,
    on_segment: Callable[[Segment], None] | None = None,
) -> Iterator[Outcome]:
    """Transcribe recordings, in their order.

    Args:
        found: what was named, and what `Search` found in folders.
        job: what to do with each.
        journal: has what was heard before, and keeps every finished window.
        redo: make captions anew also of recordings in folders that have some.
        on_progress: hears how far the present stage is.
        on_segment: gets each segment as soon as it is recognised.

    Raises:
        OutputError: two recordings would write the same name, or a folder cannot be written to.
        ModelError: the model cannot be had, or cannot do what is asked.
    """
    queue = (journal or Journal(None)).jobs
    settled = {} if redo else _settled(found, job, queue)
    todo = [one for one in found if isinstance(one, Source) and str(one) not in settled]
    job.outputs.check(todo)
    desk = Desk(
        job,
        tuple(source.path for source in todo if source.path),
        several=len(todo) > 1,
        archive=journal.archive if journal else None,
        on_progress=on_progress,
        on_segment=on_segment,
    )
    request = request_key(job)
    for one in found:
        if isinstance(one, Refused):
            yield Outcome(one.argument, error=one.error)
        elif str(one) in settled:
            yield settled[str(one)]
        else:
            outcome = desk.outcome(one)
            if journal:
                _note(queue, request, one, outcome)
            yield outcome


def _settled(found: Sequence[Source | Refused], job: TranscribeJob, queue: JobQueue) -> Mapping[str, Outcome]:
    """What a batch would do nothing about, of all that was found in folders."""
    searched = [one for one in found if isinstance(one, Source) and one.searched]
    if not searched:
        return {}
    try:
        plan = make_plan(searched, job, queue, redo=False)
    except JournalError as error:
        logger.warning("%s; going on without it", error)
        plan = make_plan(searched, job, Journal(None).jobs, redo=False)
    skipped = {str(one.source): Outcome(str(one.source), skipped=one.skipped) for one in plan.skipped}
    refused = {one.argument: Outcome(one.argument, error=one.error) for one in plan.refused}
    return {**skipped, **refused}


def _note(queue: JobQueue, request: str, source: Source, outcome: Outcome) -> None:
    """Let the next batch, or the next search of this folder, know what was done."""
    if outcome.error or source.path is None:
        return
    duration = outcome.transcript.duration if outcome.transcript else None
    try:
        file = FileIdentity.of(source.path)
        outputs = {os.path.abspath(path): sampled_hash(path) for path in outcome.outputs}
        queue.note(name_of(source), request, file=file, outputs=outputs, duration=duration, seconds=outcome.seconds)
    except InputError:
        return  # somebody moved it meanwhile
    except JournalError as error:
        logger.warning("%s; going on without it", error)
