"""Where a video cuts from one shot to another: ffmpeg's scdet."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from subwhisper.errors import MediaError
from subwhisper.media.ffmpeg import PROTOCOLS, explain, file_url, find_ffmpeg, running
from subwhisper.media.probe import probe

SHOT_NEEDS = frozenset({"filter:scdet", "filter:scale", "filter:metadata"})
THRESHOLD = 10.0
"""Of scdet's score, 0 to 100: how much of the picture must change at once. Lower finds more."""
SHORTEST = 0.5
"""Seconds between two changes at least: flashes and fast movement are no cuts. 12 frames at 24 a second."""
WIDTH = 320
"""Columns of picture that are looked at: cuts show as well in a small one."""

_TIME = b"lavfi.scd.time="


def find_shots(
    path: Path,
    *,
    threshold: float = THRESHOLD,
    on_position: Callable[[float], None] | None = None,
) -> tuple[float, ...]:
    """Return when new shots begin, in seconds of the viewer's clock, in order; a fade is no cut.

    Args:
        path: a video; its largest moving picture is looked at.
        threshold: see `THRESHOLD`.
        on_position: gets the time of each shot as it is found.

    Raises:
        MediaError: it cannot be read or has no moving picture.
        ToolError: ffmpeg lacks what this needs, or failed.
    """
    picture = probe(path).picture
    if picture is None:
        raise MediaError(f"{path} has no moving picture")
    ffmpeg = find_ffmpeg(needs=SHOT_NEEDS)
    filters = f"scale={WIDTH}:-2,scdet=threshold={threshold:g},metadata=print:key=lavfi.scd.time:file=-"
    source = ["-protocol_whitelist", PROTOCOLS, "-i", file_url(path), "-map", f"0:{picture.index}"]
    shots: list[float] = []
    with running([*source, "-vf", filters, "-f", "null", "-"], ffmpeg=ffmpeg) as work:
        for time in _times(work.stdout):
            if time - (shots[-1] if shots else 0.0) >= SHORTEST:
                shots.append(time)
                if on_position:
                    on_position(time)
    if work.process.returncode:
        raise explain(work, path)
    return tuple(shots)


def _times(lines: Iterable[bytes]) -> Iterator[float]:
    for line in lines:
        if line.startswith(_TIME):
            yield float(line.removeprefix(_TIME))
