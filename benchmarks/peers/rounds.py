"""Rounds: every engine does a stage once, then all again, so that a slow spell of the machine meets them alike."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.checkpoints import TRAINED
from benchmarks.peers.results import Results, Round
from benchmarks.peers.workers import ROOT, Crew, EngineError, Place, Worker

STAGES = (
    "encoder",
    "greedy-1",
    "greedy-8",
    "words",
    "batched-8",
    "sequential",
    "beam-5",
    "greedy-16",
    "mel",
    "vad",
    "load",
    "memory",
    "help",
)
NATURAL = ("natural-batched", "natural-sequential")
"""Stages of the trained model; all others are the random ones'."""
_PAUSE = 0.25
"""Seconds between engines: threads of the last one stop waiting for work within that time."""
_HELP = {"ours": "subwhisper", "openai-whisper": "whisper", "whisper-timestamped": "whisper_timestamped"}
"""Engines that have a program, and its name."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to measure."""

    sizes: Sequence[str]
    stages: Sequence[str]
    engines: Sequence[str]
    rounds: int
    minutes: float
    seconds: float
    """No round is begun that would end later than that many seconds after the start."""


def run(wanted: Wanted, place: Place, results: Results) -> bool:
    """Add rounds to the results until all are there, or the time is up; returns whether all are."""
    deadline = time.monotonic() + wanted.seconds
    commit = _commit()
    complete = True
    for size in wanted.sizes:
        crew = Crew(size, place)
        try:
            for stage in NATURAL if size == TRAINED else wanted.stages:
                complete &= _measured(stage, crew, wanted, results, commit, deadline)
        finally:
            crew.dismiss()
    return complete


def _measured(stage: str, crew: Crew, wanted: Wanted, results: Results, commit: str, deadline: float) -> bool:
    """Rounds of one stage; every one is saved at once. Returns whether there are enough now."""
    idle: set[str] = set()
    for number in range(len(_before(results, crew.size, stage, wanted, commit)), wanted.rounds):
        engines = [engine for engine in wanted.engines if engine not in idle]
        started = time.monotonic()
        if started + _expected(results, crew.size, stage, engines) > deadline:
            return False
        values, amounts = {}, {}
        for engine in engines if number % 2 == 0 else reversed(engines):
            found = _once(engine, stage, crew)
            if found is None:
                idle.add(engine)
                continue
            values[engine], amounts[engine] = found
            time.sleep(_PAUSE)
        if not values:
            return True
        results.rounds.append(Round(crew.size, stage, wanted.minutes, commit, [*wanted.engines], values, amounts))
        for engine in values:
            worker = crew.running(engine)
            if worker:
                results.versions[engine] = worker.ready["versions"]
        results.save()
        _tell(results.rounds[-1])
    return True


def _before(results: Results, size: str, stage: str, wanted: Wanted, commit: str) -> list[Round]:
    """Rounds of these engines that are there already, of the same work by the same state of ours."""
    return [
        one
        for one in results.of(size, stage)
        if one.commit == commit and one.minutes == wanted.minutes and set(wanted.engines) <= set(one.asked)
    ]


def _expected(results: Results, size: str, stage: str, engines: Sequence[str]) -> float:
    """Seconds that a round will take, as far as earlier ones tell."""
    if stage == "memory":
        stage = "batched-8"
    known: dict[str, float] = {}
    for one in results.of(size, stage):
        known |= one.values
    return sum(known.get(engine, 0.0) for engine in engines)


def _once(engine: str, stage: str, crew: Crew) -> tuple[float, int] | None:
    """Seconds (or megabytes) and amount; `None` where the engine has no such stage, or fails at it."""
    if stage == "help":
        return _help(engine)
    with suppress(EngineError):
        if stage in ("load", "memory"):
            return _fresh(engine, stage, crew)
        worker = crew.worker(engine)
        if worker is None or stage not in worker.ready["stages"]:
            return None
        answer = worker.ask(stage)
        if "seconds" in answer:
            return answer["seconds"], answer["amount"]
        print(f"{engine} failed at {stage}: {answer}", file=sys.stderr, flush=True)
    return None


def _fresh(engine: str, stage: str, crew: Crew) -> tuple[float, int] | None:
    """What a process of its own needs to start, or at most for ten minutes from end to end."""
    worker = Worker(engine, crew.size, crew.place)
    try:
        if stage == "load":
            return worker.start_seconds, 1
        work = "batched-8" if "batched-8" in worker.ready["stages"] else "sequential"
        if "seconds" not in (answer := worker.ask(work)):
            return None
        return worker.ask("memory")["peak_mb"], answer["amount"]
    finally:
        worker.stop()


def _help(engine: str) -> tuple[float, int] | None:
    if engine not in _HELP:
        return None
    started = time.perf_counter()
    command = [str(Path(sys.executable).with_name(_HELP[engine])), "--help"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - started, 1


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _tell(one: Round) -> None:
    told = "  ".join(f"{engine} {value:.3f} ({one.amounts[engine]})" for engine, value in one.values.items())
    print(f"{one.size} {one.stage}: {told}", file=sys.stderr, flush=True)
