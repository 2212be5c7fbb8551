"""One engine in a process of its own: reads names of stages, does and times them, answers in lines of JSON.

`python -m benchmarks.peers.worker ENGINE CHECKPOINT SOUND THREADS`
"""

import json
import os
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_SHORT = 1.0
"""Seconds under which a stage is run twice and the second time counts: the first finds the caches full of others."""
_TICKS = 0.02
"""Seconds by which the counters of the system may be off."""


def _timed(stage: Any) -> dict[str, Any]:
    stage.prepare()
    found = _once(stage.run)
    return _once(stage.run) if found["seconds"] < _SHORT else found


def _once(work: Callable[[], int]) -> dict[str, Any]:
    busy, own, started = processors_busy(), _own(), time.perf_counter()
    amount = work()
    seconds = time.perf_counter() - started
    others = processors_busy() - busy - (_own() - own) - _TICKS
    free = (os.cpu_count() or 1) - int(os.environ["OMP_NUM_THREADS"])
    return {"seconds": seconds, "amount": amount, "others": max(0.0, others / seconds - free)}


def _own() -> float:
    """Processor seconds of this process and of the programs that it has run."""
    return sum(os.times()[:4])


def processors_busy() -> float:
    """Processor seconds that anyone has used since the machine started, other machines on the same host included."""
    try:
        counters = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:  # only Linux tells
        return 0.0
    _user, _nice, _system, idle, waiting, *_ = ticks = [int(counter) for counter in counters]
    return (sum(ticks) - idle - waiting) / os.sysconf("SC_CLK_TCK")


def _most_memory() -> int:
    """The most this process has needed, in KB. Linux's getrusage begins with what its parent needed."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def _answer(request: str, stages: Mapping[str, Any]) -> dict[str, Any]:
    if request == "memory":
        return {"peak_mb": _most_memory() / 1024}
    if request not in stages:
        return {"missing": True}
    try:
        return _timed(stages[request])
    except Exception as error:  # whatever a peer raises ends its cell of the table, not the run
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {error}"}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what engines print goes to the log
    warnings.simplefilter("ignore")
    name, checkpoint, sound, threads = sys.argv[1:]
    started = time.perf_counter()
    from benchmarks.peers.engines import load
    from benchmarks.peers.engines.work import Setting

    engine = load(name, Setting(Path(checkpoint), Path(sound), int(threads)))
    ready = {"load_seconds": time.perf_counter() - started, "versions": dict(engine.versions)}
    print(json.dumps(ready | {"stages": [*engine.stages]}), file=answers)
    for line in sys.stdin:
        print(json.dumps(_answer(line.strip(), engine.stages)), file=answers)


if __name__ == "__main__":
    main()
