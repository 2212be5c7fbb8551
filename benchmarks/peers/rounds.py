"""Rounds: every engine does a stage once, then all again, so that a slow spell of the machine meets them alike.

Rounds during which others kept the processors busy are kept too, but do not count as long as there are calm ones.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.engines.work import NATURAL, TRAINED
from benchmarks.peers.results import Results, Round
from benchmarks.peers.workers import ROOT, Crew, EngineError, Place, Worker

_PAUSE = 0.25
"""Seconds between engines: threads of the last one stop waiting for work within that time."""
_PATIENCE = 3
"""Times as many rounds as are wanted that are tried on a machine that is not calm."""
_HELP = {"ours": "subwhisper", "openai-whisper": "whisper", "whisper-timestamped": "whisper_timestamped"}
"""Engines that have a program, and its name."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One turn of one engine."""

    value: float
    """Seconds; megabytes for `memory`."""
    amount: int
    others: float
    """Processors that were busy with something else, beyond those that nobody asked for."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to measure."""

    sizes: Sequence[str]
    stages: Sequence[str]
    engines: Sequence[str]
    rounds: int
    """Calm ones, of every stage."""
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
    """Rounds of one stage; every one is saved at once. Returns whether there are enough calm ones now."""
    for turn in range(_PATIENCE * wanted.rounds):
        if len([one for one in _before(results, crew.size, stage, wanted, commit) if one.is_calm]) >= wanted.rounds:
            return True
        if time.monotonic() + _expected(results, crew.size, stage, wanted.engines) > deadline:
            return False
        order = wanted.engines if turn % 2 == 0 else [*reversed(wanted.engines)]
        found = {engine: one for engine in order if (one := _once(engine, stage, crew)) is not None}
        if not found:
            return True
        results.rounds.append(
            Round(
                crew.size,
                stage,
                wanted.minutes,
                commit,
                [*wanted.engines],
                {engine: one.value for engine, one in found.items()},
                {engine: one.amount for engine, one in found.items()},
                max(one.others for one in found.values()),
            )
        )
        results.versions |= crew.versions()
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


def _once(engine: str, stage: str, crew: Crew) -> Measured | None:
    """One turn of an engine; `None` where it has no such stage, or fails at it."""
    time.sleep(_PAUSE)
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
            return Measured(answer["seconds"], answer["amount"], answer["others"])
        print(f"{engine} failed at {stage}: {answer}", file=sys.stderr, flush=True)
    return None


def _fresh(engine: str, stage: str, crew: Crew) -> Measured | None:
    """What a process of its own needs to start, or at most for all of the sound from end to end."""
    worker = Worker(engine, crew.size, crew.place)
    try:
        if stage == "load":
            return Measured(worker.start_seconds, 1, 0.0)
        work = "batched-8" if "batched-8" in worker.ready["stages"] else "sequential"
        if "seconds" not in (answer := worker.ask(work)):
            return None
        return Measured(worker.ask("memory")["peak_mb"], answer["amount"], 0.0)
    finally:
        worker.stop()


def _help(engine: str) -> Measured | None:
    if engine not in _HELP:
        return None
    command = [str(Path(sys.executable).with_name(_HELP[engine])), "--help"]
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return Measured(time.perf_counter() - started, 1, 0.0)


def _commit() -> str:
    """The last change of the engine in our checkout."""
    command = ["git", "log", "-1", "--format=%h", "--", "subwhisper"]
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "subwhisper"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return (commit or "unknown") + ("-changed" if changed.stdout else "")


def _tell(one: Round) -> None:
    told = "  ".join(f"{engine} {value:.3f} ({one.amounts[engine]})" for engine, value in one.values.items())
    calm = "" if one.is_calm else f"  disturbed: others took {one.others:.1f} processors"
    print(f"{one.size} {one.stage}: {told}{calm}", file=sys.stderr, flush=True)
