"""Subtitles drawn into the picture.

Media knows ffmpeg and no tracks, subtitles know tracks and no ffmpeg: here the one is written as an .ass file
for the other.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from subwhisper.errors import OutputError
from subwhisper.media.burn import burn, require_picture
from subwhisper.media.probe import probe
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.outputs import OutputPlan, check_name, check_writable
from subwhisper.subtitles.edit import stack
from subwhisper.subtitles.formats import ass, read_track
from subwhisper.subtitles.formats.ass_styles import SECOND
from subwhisper.subtitles.formats.encodings import decode, read_bytes
from subwhisper.subtitles.look import Look
from subwhisper.subtitles.markup import Style
from subwhisper.subtitles.track import Track

_ASS = ".ass"

logger = logging.getLogger(__name__)


def burn_subtitles(
    video: Path,
    subtitles: Path,
    output: Path | None = None,
    *,
    second: Path | None = None,
    look: Look = Look(),  # noqa: B008 - frozen
    encoding: str | None = None,
    on_progress: OnProgress = unheard,
) -> Path:
    """Draw a subtitle file into a video.

    Args:
        video: with a moving picture; its sound is kept.
        subtitles: in any format we read. A SubStation file keeps its own styles, unless `look` has one.
        output: `{stem}.captioned.mp4` beside the video by default.
        second: the same in another language, shown below.
        look: style and highlighting.
        encoding: of the subtitles where they are not UTF-8 and have no byte order mark; `None` finds it out.
        on_progress: hears which part is done, of 1.

    Returns:
        The file written.

    Raises:
        InputError: one of the inputs is missing or not what it should be.
        OutputError: the result cannot be written or would replace an input.
        ToolError: ffmpeg or the fonts are not up to it.
    """
    require_picture(probe(video))
    track = read_track(subtitles, encoding=encoding)
    target = output or OutputPlan().captioned(Source(video))
    if target.exists() and target.samefile(subtitles):
        raise OutputError(f"{target} is the input itself", hint="name another output")
    check_writable(target.parent)
    check_name(target)
    if not track.cues:
        logger.warning("%s holds no captions, so the picture stays as it is", subtitles)
    if second is not None:
        track = bilingual(track, read_track(second, encoding=encoding))
    if _has_styles(track) and second is None and look == Look():
        _burn_script(video, decode(read_bytes(subtitles), str(subtitles), encoding), target, on_progress)
    else:
        burn_track(video, track, target, look=look, on_progress=on_progress)
    return target


def _has_styles(track: Track) -> bool:
    return any(block.format == ass.FORMAT for block in track.raw)


def bilingual(first: Track, second: Track) -> Track:
    """Two languages at once, the second below the first in a look of its own."""
    marked = tuple(cue.marked(Style(classes=(SECOND,))) for cue in second.cues)
    return stack(first, replace(second, cues=marked))


def burn_track(
    video: Path,
    track: Track,
    target: Path,
    *,
    look: Look = Look(),  # noqa: B008 - frozen
    on_progress: OnProgress = unheard,
) -> None:
    """Draw captions into a video; `target` appears when it is whole.

    Raises:
        As `burn_subtitles`.
    """
    width, height = require_picture(probe(video)).display_size  # letters fit the picture, upright ones too
    _burn_script(video, look.script(track, width, height), target, on_progress)


def _burn_script(video: Path, script: str, target: Path, on_progress: OnProgress) -> None:
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        path = Path(folder, "captions" + _ASS)
        path.write_bytes(script.encode("utf-8"))
        burn(video, path, target, on_progress=_told(video, on_progress))


def _told(video: Path, on_progress: OnProgress) -> Callable[[float], None]:
    stage = f"drawing captions into {video.name}"
    return lambda part: on_progress(stage, part, 1.0)
