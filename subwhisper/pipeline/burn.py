"""Subtitles drawn into the picture.

Media knows ffmpeg and no tracks, subtitles know tracks and no ffmpeg: here the one is written as an .ass file
for the other.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from subwhisper.errors import MediaError, OutputError
from subwhisper.media.burn import burn
from subwhisper.media.probe import probe
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.outputs import OutputPlan, check_writable
from subwhisper.subtitles.formats import ass, read_track
from subwhisper.subtitles.track import Track

_ASS = ".ass"


def burn_subtitles(
    video: Path, subtitles: Path, output: Path | None = None, *, on_progress: OnProgress = unheard
) -> Path:
    """Draw a subtitle file into a video.

    Args:
        video: with a moving picture; its sound is kept.
        subtitles: in any format we read. An .ass file keeps its own styles.
        output: `{stem}.captioned.mp4` beside the video by default.
        on_progress: hears which part is done, of 1.

    Returns:
        The file written.

    Raises:
        InputError: one of the inputs is missing or not what it should be.
        OutputError: the result cannot be written or would replace an input.
        ToolError: ffmpeg or the fonts are not up to it.
    """
    require_picture(video)
    track = read_track(subtitles)
    target = output or OutputPlan().captioned(Source(video))
    if target.exists() and target.samefile(subtitles):
        raise OutputError(f"{target} is the input itself", hint="name another output")
    check_writable(target.parent)
    if subtitles.suffix.lower() == _ASS:
        burn(video, subtitles, target, on_progress=_told(video, on_progress))
    else:
        burn_track(video, track, target, on_progress=on_progress)
    return target


def burn_track(video: Path, track: Track, target: Path, *, on_progress: OnProgress = unheard) -> None:
    """Draw captions into a video; `target` appears when it is whole.

    Raises:
        As `burn_subtitles`.
    """
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        script = Path(folder, "captions" + _ASS)
        width, height = probe(video).moving[0].display_size  # letters fit the picture, upright ones too
        script.write_text(ass.write(track, width=width, height=height), encoding="utf-8")
        burn(video, script, target, on_progress=_told(video, on_progress))


def require_picture(video: Path) -> None:
    """Refuse what has no moving picture to draw into.

    Raises:
        MediaError: it is unreadable, or only sound.
    """
    if not probe(video).moving:
        raise MediaError(f"{video} has no moving picture to draw captions into")


def _told(video: Path, on_progress: OnProgress) -> Callable[[float], None]:
    stage = f"drawing captions into {video.name}"
    return lambda part: on_progress(stage, part, 1.0)
