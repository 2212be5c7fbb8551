"""What has been measured so far, kept in one JSON file that grows round by round."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_CALM = 0.2


@dataclass(frozen=True, slots=True)
class Round:
    """One stage, done once by each engine, one right after the other."""

    size: str
    stage: str
    minutes: float
    """Of sound."""
    commit: str
    """The last that changed the engine."""
    asked: list[str]
    """Engines that were to do it; those that cannot are missing below."""
    values: dict[str, float]
    """Engine -> seconds; megabytes for `memory`."""
    amounts: dict[str, int]
    """Engine -> how much was done, for the eye: it ought to be the same."""
    others: float = 0.0
    """Processors that others took from the engine that was disturbed most, on average while it ran."""

    @property
    def is_calm(self) -> bool:
        """Whether the machine did little else."""
        return self.others < _CALM


@dataclass
class Results:
    """Rounds, and what they were measured with."""

    path: Path
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)

    @classmethod
    def at(cls, path: Path) -> "Results":
        """Those of a file; none where there is no file."""
        if not path.exists():
            return cls(path)
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(path, content["machine"], content["versions"], [Round(**one) for one in content["rounds"]])

    def save(self) -> None:
        content = {
            "machine": self.machine,
            "versions": dict(sorted(self.versions.items())),
            "rounds": [asdict(one) for one in self.rounds],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.write_text(_compact(content) + "\n", encoding="utf-8")
        unfinished.replace(self.path)

    def of(self, size: str, stage: str) -> list[Round]:
        """The rounds of a cell of the table, oldest first."""
        return [one for one in self.rounds if (one.size, one.stage) == (size, stage)]

    @property
    def sizes(self) -> list[str]:
        """In the order in which they were first measured."""
        return list(dict.fromkeys(one.size for one in self.rounds))


def _compact(content: dict[str, Any]) -> str:
    """JSON with one round per line, so that two runs can be compared by eye."""
    head = json.dumps({key: content[key] for key in ("machine", "versions")}, indent=1)[:-2]
    return f'{head},\n "rounds": [\n{",".join(_lines(content["rounds"]))}\n ]\n}}'


def _lines(rounds: Iterable[dict[str, Any]]) -> list[str]:
    rounded = [
        one | {"values": {name: round(v, 5) for name, v in one["values"].items()}, "others": round(one["others"], 2)}
        for one in rounds
    ]
    return [("\n" if at else "") + "  " + json.dumps(one) for at, one in enumerate(rounded)]
