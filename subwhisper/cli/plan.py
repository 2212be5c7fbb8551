"""`subwhisper plan`: what a batch would do and take, before it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from subwhisper.cli import options as opt
from subwhisper.cli.batch import BatchArguments, time_text
from subwhisper.cli.console import Console, report, write_data

if TYPE_CHECKING:
    from subwhisper.pipeline.estimate import Estimate


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PlanArguments(BatchArguments):
    """What was typed: the words after `plan` are those of the batch it is about."""


def run_plan(arguments: PlanArguments) -> None:
    """Tell what a batch would do, and what time, memory, disk and downloads it would take.

    Takes the same words as `batch`. Times are those that subwhisper bench found, else the beginnings of a few
    recordings are transcribed to measure this machine; nothing is written and nothing downloaded.
    """
    with Console(quiet=arguments.quiet) as console:
        search, job = arguments.search(), arguments.shared_job()
        from subwhisper.pipeline.estimate import estimate  # brings torch: keep it in here
        from subwhisper.pipeline.journal import Journal
        from subwhisper.pipeline.plan import make_plan

        journal = arguments.open_journal() or Journal(None)
        plan = make_plan(list(search.find(arguments.inputs)), job, journal.jobs, redo=arguments.redo)
        told = estimate(plan, job, arguments.workers or 1)
        if arguments.verbose:
            for one in plan.skipped:
                console.line(f"skipped {one.source}: {one.skipped}")
        for refused in plan.refused:
            console.fail(refused.error)
    if arguments.json:
        report(told.to_dict() | {"todo": [str(one.source) for one in plan.todo]})
    else:
        for line in _described(told):
            write_data(line)


def _described(told: "Estimate") -> list[str]:
    lines = [f"recordings  {told.n_files} to do, {told.n_skipped} have captions, {told.n_refused} cannot be done"]
    lines.append(f"sound       {_or_unknown(told.sound, time_text)}")
    if told.model:
        lines.append(f"download    {_size(told.download)} for the model {told.model}; then plan again for the time")
    lines.append(f"time        {_or_unknown(told.seconds, time_text)}")
    lines.append(f"memory      {_or_unknown(told.memory, _size)}")
    lines.append(f"disk        {_or_unknown(told.disk, _size)}")
    if measured := told.measurement:
        lines.append(f"measured    {measured.sound:.0f} s of sound in {measured.took:.1f} s")
    return lines


def _or_unknown(value: float | None, shown: Callable[[float], str]) -> str:
    return "unknown" if value is None else f"about {shown(value)}"


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"


plan = opt.as_command(PlanArguments, run_plan, fixed={"overwrite": True, "watch": False, "cluster": None})
