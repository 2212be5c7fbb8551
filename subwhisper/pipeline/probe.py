"""What files hold, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from subwhisper.errors import SubwhisperError
from subwhisper.media.probe import MediaInfo, probe
from subwhisper.pipeline.inputs import Refused, as_file
from subwhisper.pipeline.search import expand


@dataclass(frozen=True, slots=True)
class Probed:
    """What one argument turned out to be."""

    source: str
    media: MediaInfo | None = None
    error: SubwhisperError | None = None

    def to_dict(self) -> dict[str, Any]:
        """A row of the machine-readable report: seconds, `offset` from where a viewer's clock begins."""
        row: dict[str, Any] = {"input": self.source}
        if media := self.media:
            row |= {name: value for name, value in asdict(media).items() if name != "path"}
            for kind in ("video", "audio", "subtitles", "others"):
                for number, stream in enumerate(row[kind]):
                    start = stream["start"]
                    stream["number"] = number
                    stream["offset"] = None if start is None else round(start - media.origin, 6)
        error = self.error
        row["error"] = {"kind": type(error).__name__, "message": error.message, "hint": error.hint} if error else None
        return row


def probe_all(arguments: Sequence[str]) -> Iterator[Probed]:
    """Look into everything the arguments name, in their order; what is wrong with one does not stop the others."""
    for found in expand(arguments):
        if isinstance(found, Refused):
            yield Probed(found.argument, error=found.error)
            continue
        try:
            with as_file(found) as path:
                yield Probed(str(found), probe(path))
        except SubwhisperError as error:
            yield Probed(str(found), error=error)


def duration_of(path: Path) -> float | None:
    """Seconds of a recording as it states them; `None` where it does not, or cannot be read."""
    try:
        return probe(path).duration
    except SubwhisperError:
        return None
