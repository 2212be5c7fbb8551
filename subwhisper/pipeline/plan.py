"""What a batch has to do, found out without reading a single recording.

A recording is skipped when its captions are there in the language and formats wanted: those we made under the very
same wishes, and those of somebody else. Ours under other wishes are made anew, unless a hand has changed them since.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeGuard

from subwhisper.errors import InputError, OutputError
from subwhisper.pipeline.captioned import Caption, Shelf, covering
from subwhisper.pipeline.existing import embedded_track, may_hold_tracks
from subwhisper.pipeline.identity import FileIdentity, sampled_hash
from subwhisper.pipeline.inputs import Refused, Source, absolute
from subwhisper.pipeline.jobs import JobQueue, JobRecord, State
from subwhisper.pipeline.outputs import OutputPlan, check_writable
from subwhisper.pipeline.recall import key_of
from subwhisper.pipeline.transcribe import TranscribeJob, result_languages, text_languages
from subwhisper.subtitles.formats import CAPTION_FORMATS

_LOOKERS = 4
"""Videos open at once. They come from shares too, where each waits for its answer."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One recording, and what is to be done about it."""

    source: Source
    n_bytes: int
    """0 of a URL, which nobody knows."""
    ours: frozenset[str] = frozenset()
    """Hashes of what we wrote before, which may be replaced."""
    skipped: str | None = None
    """Why nothing has to be done."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Everything a batch was asked for."""

    request: str
    """Hash of the wishes."""
    todo: tuple[Planned, ...]
    skipped: tuple[Planned, ...]
    refused: tuple[Refused, ...]


def request_key(job: TranscribeJob) -> str:
    """Hash everything that the results of a job depend on, and nothing else."""
    wishes = asdict(job)
    wishes["model"] = {"name": job.model.name, "folder": job.model.folder, "compute": job.model.compute}
    return key_of(wishes)


def make_plan(found: Iterable[Source | Refused], job: TranscribeJob, queue: JobQueue, *, redo: bool) -> BatchPlan:
    """Decide about every recording.

    Args:
        found: what was named, in order.
        job: what to do with each.
        queue: knows what was done before.
        redo: make all of it anew.
    """
    sources: list[Source] = []
    refused: list[Refused] = []
    for one in _without_clashes(found, job.outputs):
        if isinstance(one, Refused):
            refused.append(one)
        else:
            sources.append(one)
    known = queue.of_sources([name_of(source) for source in sources])
    judge = _Judge(job, request_key(job), redo=redo)
    judged = [judge.judged(source, known.get(name_of(source), ())) for source in sources]
    settled = [judge.placed(one) for one in (judged if redo else judge.looked_into(judged))]
    planned = [one for one in settled if isinstance(one, Planned)]
    return BatchPlan(
        judge.request,
        todo=tuple(one for one in planned if not one.skipped),
        skipped=tuple(one for one in planned if one.skipped),
        refused=(*refused, *(one for one in settled if isinstance(one, Refused))),
    )


def name_of(source: Source) -> str:
    """The name by which the journal knows a recording."""
    return absolute(str(source))


def _without_clashes(found: Iterable[Source | Refused], outputs: OutputPlan) -> Iterator[Source | Refused]:
    """Refuse the second of two recordings whose results would have one name."""
    owners: dict[str, Source] = {}
    for one in found:
        if isinstance(one, Source):
            place = os.path.normcase(os.path.abspath(outputs.folder_for(one) / one.stem))
            owner = owners.setdefault(place, one)
            if owner is not one:
                name = outputs.path(one, "LANGUAGE", outputs.formats[0] if outputs.formats else "mp4").name
                error = OutputError(f"{owner} and {one} would both write {name}", hint="rename one of them")
                yield Refused(str(one), error)
                continue
        yield one


@dataclass
class _Judge:
    job: TranscribeJob
    request: str
    redo: bool
    _shelf: Shelf = field(init=False)
    _writable: dict[Path, OutputError | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._shelf = Shelf(self.job.outputs)

    def judged(self, source: Source, records: Sequence[JobRecord]) -> Planned | Refused:
        """Decide about one recording by what lies around it; refuse one that cannot be looked at."""
        if source.path is None and source.url is None:
            error = InputError("a batch cannot read standard input", hint="subwhisper transcribe can")
            return Refused(str(source), error)
        try:
            file = FileIdentity.of(source.path) if source.path else None
        except InputError as error:
            return Refused(str(source), error)
        self._shelf.tidy(source)
        reason = None if self.redo else self._reason_to_skip(source, file, records)
        ours = frozenset(digest for record in records for digest in record.outputs.values())
        return Planned(source, file.size if file else 0, ours, reason)

    def looked_into(self, judged: Sequence[Planned | Refused]) -> Iterator[Planned | Refused]:
        """Skip the videos that carry their captions; several are open at once, since a disk is waited for."""
        lookers = ThreadPoolExecutor(_LOOKERS)
        looks = {at: lookers.submit(self._carried, one.source) for at, one in enumerate(judged) if self._may_carry(one)}
        try:
            for at, one in enumerate(judged):
                yield replace(one, skipped=looks[at].result()) if at in looks and isinstance(one, Planned) else one
        finally:
            lookers.shutdown(cancel_futures=True)

    def placed(self, one: Planned | Refused) -> Planned | Refused:
        """Refuse what is to be done where its results have no place."""
        if isinstance(one, Planned) and not one.skipped:
            try:
                self._check_writable(self.job.outputs.folder_for(one.source))
            except OutputError as error:
                return Refused(str(one.source), error)
        return one

    def _reason_to_skip(self, source: Source, file: FileIdentity | None, records: Sequence[JobRecord]) -> str | None:
        same = next((record for record in records if record.request == self.request), None)
        if same and same.state == State.DONE and same.file == file and _are_as_written(same.outputs):
            return "done already"
        if same and same.state in (State.WAITING, State.RUNNING):
            return None  # cut short, maybe between its captions and the note that they are written
        ours = {path: digest for record in records for path, digest in record.outputs.items()}
        for caption in self._in_the_way(source):
            digest = ours.get(os.path.abspath(caption.path))
            if digest is None:
                return f"{caption.path.name} is there"
            if not _are_as_written({str(caption.path): digest}):
                return f"{caption.path.name} was changed since it was written"
        return None

    def _may_carry(self, one: Planned | Refused) -> TypeGuard[Planned]:
        outputs = self.job.outputs
        if isinstance(one, Refused) or one.skipped or one.source.path is None or outputs.beside_tracks or outputs.burn:
            return False
        return {*outputs.formats} <= CAPTION_FORMATS and may_hold_tracks(one.source.path)

    def _carried(self, source: Source) -> str | None:
        """The subtitle tracks of a video are captions as good as files beside it."""
        assert source.path
        tracks = [embedded_track(source.path, language) for language in text_languages(self.job.options)]
        return None if None in tracks else f"subtitle track {', '.join(map(str, tracks))} has the captions"

    def _in_the_way(self, source: Source) -> list[Caption]:
        outputs = self.job.outputs
        if outputs.burn and not self._shelf.captioned_video(source):
            return []
        there = self._shelf.captions(source)
        chosen = [covering(there, outputs.formats, language) for language in result_languages(self.job)]
        return [caption for captions in chosen for caption in captions] if all(chosen) else []

    def _check_writable(self, folder: Path) -> None:
        if folder not in self._writable:
            try:
                check_writable(folder)
                self._writable[folder] = None
            except OutputError as error:
                self._writable[folder] = error
        if (problem := self._writable[folder]) is not None:
            raise problem


def _are_as_written(outputs: Mapping[str, str]) -> bool:
    try:
        return all(sampled_hash(Path(path)) == digest for path, digest in outputs.items())
    except InputError:
        return False
