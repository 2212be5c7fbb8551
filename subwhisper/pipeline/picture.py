"""What a video tells the layout: its frame rate, and where its shots begin."""

from pathlib import Path

from subwhisper.media.probe import VideoStream, probe
from subwhisper.media.shots import find_shots
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.subtitles.layout.frames import NO_PICTURE, Picture

RATES = (12.0, 12.5, 15.0, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 48.0, 50.0, 60000 / 1001, 60.0, 100.0, 120.0)
_NEAR = 2e-4


def picture_of(path: Path, *, shots: bool = False, on_progress: OnProgress = unheard) -> Picture:
    """Look at a recording; one without moving pictures gives an empty picture.

    Args:
        path: a media file.
        shots: also find the shot changes, which means decoding the whole picture.
        on_progress: hears how far that is.

    Raises:
        MediaError: it cannot be read.
        ToolError: ffmpeg is not up to it.
    """
    media = probe(path)
    if media.picture is None:
        return NO_PICTURE
    stage = f"looking for shots in {path.name}"
    found = find_shots(path, on_position=lambda at: on_progress(stage, at, media.duration)) if shots else ()
    return Picture(_constant_rate(media.picture), found)


def _constant_rate(picture: VideoStream) -> float | None:
    """The frame rate, if it is one that video is made in; a mean of changing ones is none."""
    rate = picture.frame_rate
    near = min(RATES, key=lambda known: abs(known - (rate or 0)))
    return near if rate and abs(near - rate) < near * _NEAR else None
