"""Engines in processes of their own, asked one at a time."""

import json
import os
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.engines import ENGINES

ROOT = Path(__file__).resolve().parents[2]


class EngineError(Exception):
    """An engine did not start, or died."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where checkpoints, the sound and logs lie, and how many threads everyone has."""

    checkpoints: Path
    sound: Path
    logs: Path
    threads: int


class Worker:
    """One engine with one checkpoint."""

    def __init__(self, engine: str, size: str, place: Place) -> None:
        """Start it and wait until it has loaded.

        Raises:
            EngineError: it ended before that.
        """
        self.engine, self._log = engine, place.logs / f"{engine}-{size}.log"
        command = [sys.executable, "-m", "benchmarks.peers.worker", engine, str(place.checkpoints / size)]
        started = time.perf_counter()
        place.logs.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [*command, str(place.sound), str(place.threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**_environment(place.threads), **ENGINES[engine].environment},
            )
        self.ready = self._read()
        self.start_seconds = time.perf_counter() - started
        """From the start of the process until the model is in memory, imports included."""

    def ask(self, request: str) -> dict[str, Any]:
        """Have a stage done, or hear how much memory it took at most.

        Raises:
            EngineError: the process is gone.
        """
        assert self._process.stdin
        try:
            print(request, file=self._process.stdin, flush=True)
        except BrokenPipeError as error:
            raise EngineError(f"{self.engine} has ended, see {self._log}") from error
        return self._read()

    def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise EngineError(f"{self.engine} has ended, see {self._log}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass
class Crew:
    """The workers of one size; each is started when it is first asked."""

    size: str
    place: Place
    _workers: dict[str, Worker] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    def worker(self, engine: str) -> Worker | None:
        """The engine's worker; `None` where it does not start."""
        if engine not in self._workers and engine not in self._refused:
            try:
                self._workers[engine] = Worker(engine, self.size, self.place)
            except EngineError as error:
                print(error, file=sys.stderr, flush=True)
                self._refused.add(engine)
        return self._workers.get(engine)

    def versions(self) -> dict[str, dict[str, str]]:
        """What the engines that have been started say of themselves."""
        return {engine: worker.ready["versions"] for engine, worker in self._workers.items()}

    def dismiss(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        self._workers.clear()


def described(threads: int) -> dict[str, Any]:
    """The machine, as a process of the same kind finds it."""
    command = [sys.executable, "-m", "benchmarks.peers.machine", str(threads)]
    told = subprocess.run(command, env=_environment(threads), check=True, capture_output=True, text=True)
    machine: dict[str, Any] = json.loads(told.stdout)
    return machine


def _environment(threads: int) -> dict[str, str]:
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "OMP_PROC_BIND": "true",  # else two threads may share one core as soon as anything else runs
        "OMP_PLACES": "cores",
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "LD_LIBRARY_PATH": sysconfig.get_path("purelib"),  # where a whisper.cpp built by pip leaves its libraries
    }
