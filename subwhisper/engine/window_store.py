"""Finished windows kept outside the engine, so that work which was cut short goes on where it stopped.

The engine knows no files and no database: it asks a `WindowStore` before it reads a window, and hands it what it
made of one before it reads the next. Documents are plain JSON values, and floats in them must come back exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

from subwhisper.engine.hallucination import Kept
from subwhisper.transcript import Dropped, Segment

REVISION = 4
"""Raised by a patch release whose engine makes something else of the same sound; a minor release need not."""


class WindowStore(Protocol):
    """Keeps what was made of the windows of one recording under one set of options.

    A store is asked only after the recording has been read through once.
    """

    def get(self, key: str) -> Mapping[str, Any] | None: ...
    def put(self, key: str, document: Mapping[str, Any]) -> None: ...


class NothingKept:
    """A store for those who want none."""

    def get(self, key: str) -> None:
        return None

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Settled:
    """Everything that a window leaves to those after it."""

    kept: Kept
    temperature: float | None
    """Of its text; `None` where there is none to build upon."""
    last_speech: float
    """Seconds at which the last word so far ended."""
    translation: tuple[Segment, ...] = ()
    """The same in English, where both were asked for."""
    translation_temperature: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "segments": _rows(self.kept.segments),
            "next_frame": self.kept.next_frame,
            "is_abandoned": self.kept.is_abandoned,
            "dropped": [asdict(dropped) for dropped in self.kept.dropped],
            "temperature": self.temperature,
            "last_speech": self.last_speech,
            "translation": _rows(self.translation),
            "translation_temperature": self.translation_temperature,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        kept = Kept(
            _segments(document["segments"]),
            document["next_frame"],
            document["is_abandoned"],
            tuple(Dropped(**row) for row in document.get("dropped", ())),
        )
        return cls(
            kept,
            document["temperature"],
            document["last_speech"],
            _segments(document["translation"]),
            document["translation_temperature"],
        )


def _rows(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    return [segment.to_dict(index) for index, segment in enumerate(segments)]


def _segments(rows: Sequence[Mapping[str, Any]]) -> tuple[Segment, ...]:
    return tuple(Segment.from_dict(row, row["language"]) for row in rows)
