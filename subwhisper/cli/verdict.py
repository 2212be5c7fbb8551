"""What a command over several inputs ends with."""

from collections.abc import Sequence

from subwhisper.errors import PartialFailure, SubwhisperError


def verdict(problems: Sequence[SubwhisperError], n_inputs: int) -> SubwhisperError:
    """The only input's own error, or how many of several failed."""
    if n_inputs == 1:
        return problems[0]
    summary = PartialFailure(f"{len(problems)} of {n_inputs} inputs failed", hint="see the lines above")
    codes = {problem.exit_code for problem in problems}
    if len(problems) == n_inputs and len(codes) == 1:
        summary.exit_code = codes.pop()  # nothing was done, all for one kind of reason
    return summary
