"""What a batch does about everything that can happen to a recording, whoever does the work."""

import logging
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from subwhisper.errors import JournalError, ModelError, SubwhisperError
from subwhisper.pipeline import batch as driver
from subwhisper.pipeline.batch import BatchOptions, Event, kept_small, run_batch, watch_batch
from subwhisper.pipeline.identity import FileIdentity, sampled_hash
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.journal import Journal, JournalLimits
from subwhisper.pipeline.meter import LengthGuess, Meter
from subwhisper.pipeline.models import ModelChoice
from subwhisper.pipeline.plan import Planned, name_of
from subwhisper.pipeline.runner import Lost, NewsFeed, Take
from subwhisper.pipeline.search import Search
from subwhisper.pipeline.transcribe import Outcome, TranscribeJob
from subwhisper.pipeline.worker import Assignment, Hopeless, News, Position, Report, Teller, Warned, Worker

Answer = Callable[[Assignment, int], News | Lost]
OPTIONS = BatchOptions(backoff=0.0)


def well(assignment: Assignment, attempt: int) -> Report:
    assert assignment.source.path
    return Report(assignment.id, file=FileIdentity.of(assignment.source.path), duration=2.0, seconds=1.0)


def failing(kind: str) -> Answer:
    def answer(assignment: Assignment, attempt: int) -> Report:
        return Report(assignment.id, error={"kind": kind, "message": f"{kind} happened", "hint": None, "exit_code": 3})

    return answer


@dataclass
class Scripted:
    """A runner whose workers answer what they are told to, by the name of the recording."""

    answers: dict[str, Answer]
    n_workers: int = 1
    attempts: Counter[str] = field(default_factory=Counter)

    def run(self, take: Take) -> NewsFeed:
        while True:
            assignment = take()
            if assignment is None:
                yield None
                continue
            name = assignment.source.stem
            self.attempts[name] += 1
            yield self.answers.get(name, well)(assignment, self.attempts[name])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.mp4").write_text(name)
    return tmp_path


def events(folder: Path, runner: Scripted, journal: Journal | None = None, **options: object) -> list[Event]:
    found = list(Search().find([str(folder)]))
    wanted = BatchOptions(**{"backoff": 0.0, **options})  # type: ignore[arg-type]
    return list(run_batch(found, TranscribeJob(), wanted, (journal or Journal(None)).jobs, runner))


def ends(told: list[Event]) -> dict[str, str]:
    return {Path(event.input).stem: event.kind for event in told if event.input and event.kind in ("done", "failed")}


def test_every_recording_ends_once_and_the_sums_are_right(folder: Path) -> None:
    told = events(folder, Scripted({"b": failing("MediaError")}))
    assert ends(told) == {"a": "done", "b": "failed", "c": "done"}
    assert told[-1].to_dict() == {"event": "finished", "done": 2, "failed": 1, "skipped": 0}


def test_what_cannot_be_read_is_not_tried_again(folder: Path) -> None:
    runner = Scripted({"b": failing("MediaError")})
    events(folder, runner)
    assert runner.attempts == {"a": 1, "b": 1, "c": 1}


def test_what_may_pass_is_tried_again_as_often_as_told(folder: Path) -> None:
    runner = Scripted({"b": failing("OutputError")})
    told = events(folder, runner, retries=3)
    assert runner.attempts["b"] == 4
    assert [event.kind for event in told].count("postponed") == 3
    (failed,) = [event for event in told if event.kind == "failed"]
    assert failed.facts["error"]["message"] == "OutputError happened"


def test_what_passed_is_done(folder: Path) -> None:
    full = failing("OutputError")
    runner = Scripted({"b": lambda assignment, attempt: (full if attempt == 1 else well)(assignment, attempt)})
    assert ends(events(folder, runner)) == {"a": "done", "b": "done", "c": "done"}


def test_tries_are_further_and_further_apart(folder: Path) -> None:
    told: list[float] = []
    queue = Journal(None).jobs
    runner = Scripted({"b": failing("OutputError")})
    found = list(Search().find([str(folder / "b.mp4")]))
    for event in run_batch(found, TranscribeJob(), BatchOptions(backoff=0.01), queue, runner):
        if event.kind == "postponed":
            told.append(event.facts["seconds"])
    assert told == pytest.approx([0.01, 0.03])


def test_a_recording_that_kills_workers_is_set_aside_and_the_rest_is_done(folder: Path) -> None:
    journal = Journal(None)
    runner = Scripted({"b": lambda assignment, attempt: Lost(assignment.id, "its worker was ended by SIGKILL")})
    told = events(folder, runner, journal, retries=5)
    assert ends(told) == {"a": "done", "b": "failed", "c": "done"}
    assert runner.attempts["b"] == 3
    (failed,) = [event for event in told if event.kind == "failed"]
    assert "SIGKILL" in failed.facts["error"]["message"]
    assert "journal retry" in failed.facts["error"]["hint"]
    assert ends(events(folder, runner, journal)) == {"b": "failed"}
    assert runner.attempts["b"] == 3  # the next batch leaves it alone
    journal.retry()
    assert ends(events(folder, Scripted({}), journal))["b"] == "done"


def test_a_worker_killed_before_it_began_is_not_held_against_the_recording(folder: Path) -> None:
    journal = Journal(None)
    runner = Scripted({"b": lambda assignment, attempt: Lost(assignment.id, "killed", had_begun=False)})
    told = events(folder, runner, journal, retries=3)
    assert ends(told) == {"a": "done", "b": "failed", "c": "done"}
    assert journal.status().jobs == {"done": 2, "failed": 1}


class FullDisk:
    """A queue whose journal takes nothing for a while."""

    def __init__(self, journal: Journal, failures: int) -> None:
        self._queue, self._left = journal.jobs, failures

    def __getattr__(self, name: str) -> object:
        method = getattr(self._queue, name)
        if name not in ("claim", "finish", "postpone", "give_up", "renew", "settled"):
            return method

        def failing(*arguments: object, **named: object) -> object:
            self._left -= 1
            if self._left >= 0:
                raise JournalError("the journal cannot be used: database or disk is full")
            return method(*arguments, **named)

        return failing


@pytest.mark.parametrize("failures", [1, 2, 7])
def test_a_journal_that_is_full_for_a_while_is_waited_for(
    folder: Path, failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_LOOK_EVERY", 0.0)
    found = list(Search().find([str(folder)]))
    queue = FullDisk(Journal(None), failures)
    runner = Scripted({"b": failing("OutputError")})
    told = list(run_batch(found, TranscribeJob(), OPTIONS, queue, runner))  # type: ignore[arg-type]
    assert ends(told) == {"a": "done", "b": "failed", "c": "done"}
    (warning,) = [event.facts["message"] for event in told if event.kind == "warning"]
    assert "disk is full" in warning
    assert runner.attempts == {"a": 1, "b": 3, "c": 1}


def test_a_journal_that_stays_full_ends_the_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_JOURNAL_PATIENCE", 0.0)
    queue = FullDisk(Journal(None), 10_000)
    with pytest.raises(JournalError, match="full"):
        list(run_batch(list(Search().find([str(folder)])), TranscribeJob(), OPTIONS, queue, Scripted({})))  # type: ignore[arg-type]


def test_workers_that_die_whatever_they_do_end_the_batch(folder: Path) -> None:
    for number in range(20):
        (folder / f"{number}.mp4").touch()

    class Dying(Scripted):
        def run(self, take: Take) -> NewsFeed:
            while assignment := take():
                yield Lost(assignment.id, "its worker was ended by SIGKILL")

    with pytest.raises(SubwhisperError, match="one after another"):
        events(folder, Dying({}))


def test_a_model_that_cannot_be_had_ends_the_batch_and_frees_its_jobs(folder: Path) -> None:
    journal = Journal(None)
    runner = Scripted({"a": lambda assignment, attempt: Hopeless(ModelError("no such model"))})
    with pytest.raises(ModelError, match="no such model"):
        events(folder, runner, journal)
    assert journal.status().jobs == {"waiting": 3}


def test_two_drivers_share_the_work(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    found = list(Search().find([str(folder)]))
    runners = [Scripted({}), Scripted({})]
    batches = [run_batch(found, TranscribeJob(), OPTIONS, Journal(path).jobs, runner) for runner in runners]
    told: list[list[Event]] = [[next(batch)] for batch in batches]  # both have planned
    for batch, heard in zip(batches, told, strict=True):
        heard += batch
    assert sum((runner.attempts for runner in runners), Counter()) == {"a": 1, "b": 1, "c": 1}
    assert [ends(heard) for heard in told] == [{"a": "done", "b": "done", "c": "done"}] * 2


def test_a_folder_is_watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def pass_time(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            (folder / "d.mp4").write_text("d")
        if len(looks) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(driver.time, "sleep", pass_time)
    runner = Scripted({"b": failing("MediaError")})
    told: list[Event] = []
    watching = watch_batch(
        lambda: Search().find([str(folder)]),
        TranscribeJob(),
        OPTIONS,
        Journal(None).jobs,
        runner,
        every=7.0,
        settle=0.0,
    )
    with pytest.raises(KeyboardInterrupt):
        told.extend(watching)
    del told
    assert runner.attempts == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert looks == [7.0] * 4


def test_a_file_that_may_be_growing_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver.time, "sleep", lambda seconds: (_ for _ in ()).throw(KeyboardInterrupt))
    runner = Scripted({})
    find = lambda: Search().find([str(folder)])  # noqa: E731
    with pytest.raises(KeyboardInterrupt):
        list(watch_batch(find, TranscribeJob(), OPTIONS, Journal(None).jobs, runner, every=1.0, settle=3600.0))
    assert runner.attempts == {}


def test_a_folder_that_is_not_there_yet_is_told_once_and_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def pass_time(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            (tmp_path / "later").mkdir()
            (tmp_path / "later" / "a.mp4").write_text("a")
        if len(looks) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(driver.time, "sleep", pass_time)
    runner = Scripted({})
    find = lambda: Search().find([str(tmp_path / "later")])  # noqa: E731
    watching = watch_batch(find, TranscribeJob(), OPTIONS, Journal(None).jobs, runner, every=1.0, settle=0.0)
    first = next(watching)
    assert (first.kind, first.facts["message"]) == ("warning", f"{tmp_path / 'later'} does not exist")
    told: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        told.extend(watching)
    assert looks == [1.0] * 5
    assert runner.attempts == {"a": 1}


def test_an_address_is_worked_on_and_then_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = list(Search().find(["http://127.0.0.1/talks/a.mp4"]))

    def written(assignment: Assignment, attempt: int) -> Report:
        path = tmp_path / "a.en.srt"
        path.write_text("1\n")
        return Report(assignment.id, outputs={str(path): sampled_hash(path)}, duration=2.0)

    journal, runner = Journal(None), Scripted({"a": written})
    told = list(run_batch(found, TranscribeJob(), OPTIONS, journal.jobs, runner))
    assert [event.input for event in told if event.kind == "done"] == ["http://127.0.0.1/talks/a.mp4"]
    (skipped,) = [
        event for event in run_batch(found, TranscribeJob(), OPTIONS, journal.jobs, runner) if event.kind == "skipped"
    ]
    assert skipped.facts == {"reason": "done already"}


def test_the_time_left_is_that_of_the_sound_left(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = [Planned(Source(Path(f"/x/{name}.wav")), n_bytes=size) for name, size in (("a", 100), ("b", 300))]
    meter = Meter(planned, LengthGuess())
    assert meter.progress().total is None  # nobody knows yet
    assert meter.progress().remaining is None
    first = name_of(planned[0].source)
    meter.at(first, 0.0, 60.0)
    assert meter.progress().total == pytest.approx(240.0)  # the other is three times as large
    meter._started -= 30.0
    meter.at(first, 60.0, 60.0)
    meter.settled(first, 60.0)
    assert meter.progress().remaining == pytest.approx(90.0, rel=0.05)  # 60 s of sound took 30 s: 180 s are left


def test_what_the_journal_gave_does_not_make_the_pace(tmp_path: Path) -> None:
    planned = [Planned(Source(tmp_path / f"{name}.wav"), n_bytes=100) for name in "ab"]
    meter = Meter(planned, LengthGuess())
    meter._started = time.monotonic() - 60.0
    meter.settled(name_of(planned[0].source), 100.0)  # at once, from the journal
    assert meter.progress().remaining is None


def test_progress_is_told_in_seconds_of_sound(folder: Path) -> None:
    def halfway(assignment: Assignment, attempt: int) -> News:
        return Position(assignment.id, "transcribing a.mp4", 1.0, 2.0) if attempt == 1 else well(assignment, attempt)

    class Slow(Scripted):
        def run(self, take: Take) -> NewsFeed:
            while assignment := take():
                yield halfway(assignment, 1)
                yield well(assignment, 2)
            while True:
                yield None

    told = [event.facts for event in events(folder, Slow({})) if event.kind == "progress"]
    assert [(row["settled"], row["done_s"]) for row in told] == [
        (0, 0.0),
        (0, 1.0),
        (1, 2.0),
        (1, 3.0),
        (2, 4.0),
        (2, 5.0),
        (3, 6.0),
    ]


README = Path(__file__).resolve().parents[2] / "README.md"


def test_every_event_has_the_fields_that_readme_lists(folder: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    listed = {kind: set(re.findall(r"`(\w+)`", fields)) for kind, fields in rows}
    (folder / "c.en.srt").write_text("1\n")
    told = events(folder, Talkative({"b": failing("OutputError")}), retries=1)
    fields = {event.kind: set(event.to_dict()) - {"event"} for event in told}
    assert fields == {kind: listed[kind] for kind in fields}
    assert len(fields) == 9


class Talkative(Scripted):
    """Says how far it is, and warns, before it does anything."""

    def run(self, take: Take) -> NewsFeed:
        def talking() -> Assignment | None:
            if assignment := take():
                said.extend([Position(assignment.id, "transcribing", 0.5, 1.0), Warned("a word of warning")])
            return assignment

        said: list[News] = []
        for news in super().run(talking):
            yield from said
            said.clear()
            yield news


def test_a_journal_that_takes_no_end_of_a_job_ends_the_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else it still took had the waiting begin anew, and a warning said every second, for ever."""
    monkeypatch.setattr(driver, "_LOOK_EVERY", 0.0)
    monkeypatch.setattr(driver, "_JOURNAL_PATIENCE", 0.5)

    def full(*arguments: object, **named: object) -> None:
        raise JournalError("the journal cannot be used: database or disk is full")

    journal = Journal(None)
    monkeypatch.setattr(journal.jobs, "finish", full)
    told: list[Event] = []
    with pytest.raises(JournalError, match="full"):
        told.extend(run_batch(list(Search().find([str(folder)])), TranscribeJob(), OPTIONS, journal.jobs, Scripted({})))


def test_the_time_it_takes_to_get_ready_is_no_part_of_the_pace() -> None:
    """A batch of six short recordings promised 79 s, of which it took 10."""
    planned = [Planned(Source(Path(f"/x/{name}.wav")), n_bytes=100) for name in "ab"]
    meter = Meter(planned, LengthGuess())
    first = name_of(planned[0].source)
    meter.at(first, 30.0, 100.0)  # who knows since when
    meter._started = (meter._started or 0.0) - 10.0
    assert meter.progress().remaining is None
    meter.at(first, 50.0, 100.0)
    assert meter.progress().remaining == pytest.approx(75.0, rel=0.05)  # 20 s of sound took 10 s: 150 s are left


def test_the_journal_is_kept_small_while_a_batch_goes_on() -> None:
    journal = Journal(None)
    journal.archive.keep_window("audio", "settings", "0", {})
    limits = JournalLimits(max_bytes=0)
    seen = [
        (event.kind, journal.status().n_windows)
        for event in kept_small([Event("done"), Event("finished")], journal, limits)
    ]
    assert seen == [("done", 1), ("finished", 1)]  # not every time something is done
    assert journal.status().n_windows == 0


def test_what_cannot_be_read_while_it_changes_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing.mp4"
    path.write_bytes(b"the beginning of a film")
    worker = Worker(TranscribeJob(model=ModelChoice(name="bundled")), None, lambda news: None)
    still = worker.work(Assignment(1, Source(path)))
    assert isinstance(still, Report)
    assert still.error
    assert still.error["kind"] == "MediaError"
    outcome = worker._desk.outcome

    def growing(source: Source) -> Outcome:
        path.write_bytes(b"the beginning of a film, and more")
        return outcome(source)

    monkeypatch.setattr(worker._desk, "outcome", growing)
    grown = worker.work(Assignment(1, Source(path)))
    assert isinstance(grown, Report)
    assert grown.error
    assert grown.error["kind"] == "InputError"  # which is tried again


def test_a_warning_names_its_recording_and_comes_once() -> None:
    told: list[News] = []
    teller = Teller(told.append)
    teller.begin(Source(Path("films/a.mp4")))
    for name, text in (("media.decode", "the clock jumps"), ("media.decode", "a.mp4 is odd"), ("model", "old")):
        record = logging.LogRecord(f"subwhisper.{name}", logging.WARNING, "", 0, text, (), None)
        teller.emit(record)
        teller.emit(record)
    assert told == [Warned(f"{Path('films/a.mp4')}: the clock jumps"), Warned("a.mp4 is odd"), Warned("old")]
