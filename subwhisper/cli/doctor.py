"""`subwhisper doctor`."""

from collections.abc import Callable
from dataclasses import dataclass

from subwhisper.cli import options as opt
from subwhisper.cli.console import report, write_data
from subwhisper.errors import SubwhisperError


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DoctorArguments:
    """What was typed."""

    json: opt.Json = False

    check_configuration: Callable[[], None]
    """Raises for a file that no command would take; settled by whoever knows all commands."""


def run_doctor(arguments: DoctorArguments) -> None:
    """Look at everything subwhisper needs, and say what to do about what is missing."""
    from subwhisper.pipeline.doctor import examine

    findings = list(examine(arguments.check_configuration))
    if arguments.json:
        report({"findings": [finding.to_dict() for finding in findings]})
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            write_data(f"{finding.mark:<5}{finding.name:<{width}}  {finding.detail}")
            if finding.remedy:
                write_data(f"{'':<{width + 7}}{finding.remedy}")
    broken = [finding.name for finding in findings if finding.needed and not finding.healthy]
    if broken:
        raise SubwhisperError(f"not ready: {', '.join(broken)}", hint="the lines above say what to do")
