"""Which part of a user's material is not learnt from: what is gained is judged by it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from subwhisper.errors import InputError
from subwhisper.training.material import Example


def split(examples: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Material to learn from and to judge by: whole files aside where there are enough, else the end of each.

    Raises:
        InputError: there is too little to keep any aside.
    """
    sources = list(dict.fromkeys(example.source for example in examples))
    if len(examples) < 4:
        raise InputError(
            f"the material gives {len(examples)} windows; that is too little to learn from and to judge by",
            hint="a few minutes of corrected subtitles are the least",
        )
    if len(sources) * min(share, 1 - share) >= 2:
        chosen_files = {sources[index] for index in _evenly(len(sources), share)}
        chosen = [example.source in chosen_files for example in examples]
    else:
        chosen = _ends([example.source for example in examples], share)
    learnt = [example for example, is_aside in zip(examples, chosen, strict=True) if not is_aside]
    return learnt, [example for example, is_aside in zip(examples, chosen, strict=True) if is_aside]


def _evenly(n: int, share: float) -> list[int]:
    """Indices of a share of n things, as far apart as can be."""
    return [index for index in range(n) if int((index + 1) * share + 1e-9) > int(index * share + 1e-9)]


def _ends(sources: Sequence[Path], share: float) -> list[bool]:
    """Whether each window is among the last of its file; at least one is, and at least one is not."""
    n_windows, seen = Counter(sources), Counter[Path]()
    chosen = []
    for source in sources:
        seen[source] += 1
        chosen.append(seen[source] > n_windows[source] - round(n_windows[source] * share))
    if not any(chosen):
        chosen[-1] = True
    if all(chosen):
        chosen[0] = False
    return chosen
