"""Subtitles drawn into the picture.

Media knows ffmpeg and no tracks, subtitles know tracks and no ffmpeg: here the one is written as an .ass file
for the other.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from subwhisper.errors import OptionError, OutputError
from subwhisper.media.burn import burn, preview, require_picture
from subwhisper.media.containers import container_of
from subwhisper.media.encoders import PictureOptions
from subwhisper.media.probe import MediaInfo, probe
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.captions import Reading, holds_bare_words
from subwhisper.pipeline.inputs import Source, as_file, as_text
from subwhisper.pipeline.mux import Addition, carried
from subwhisper.pipeline.outputs import OutputPlan, check_name, check_writable
from subwhisper.subtitles.edit import stack
from subwhisper.subtitles.formats import ass, read_track
from subwhisper.subtitles.formats.ass_styles import SECOND
from subwhisper.subtitles.formats.encodings import decode, read_bytes
from subwhisper.subtitles.layout import Profile, lay_out
from subwhisper.subtitles.look import Look
from subwhisper.subtitles.markup import Style
from subwhisper.subtitles.track import Track

_ASS = ".ass"
_SHARED_CHARACTERS = frozenset({"zh", "ja", "ko"})
"""Languages that draw the same character in ways of their own; one font may have them all."""
_TRADITIONAL = re.compile(r"\bzh[-_](?:hant|tw|hk|mo)\b", re.IGNORECASE)
"""Chinese whose ways libass has no name for."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BurnJob:
    """How captions are drawn and the picture is encoded."""

    look: Look = field(default_factory=Look)
    """Style and highlighting; a SubStation file keeps its own unless this says otherwise."""
    second: Source | None = None
    """The same in another language, shown below."""
    picture: PictureOptions = field(default_factory=PictureOptions)
    keep_subtitles: bool = True
    """Whether the subtitle tracks of the video are kept, switched off."""
    strict: bool = False
    """Whether a character that no font has is an error instead of a box."""
    profile: Profile | None = None
    """Lays the words of a transcript out; None is the usual one."""
    encoding: str | None = None
    """Of the subtitles where they are not UTF-8 and have no byte order mark; None finds it out."""


def burn_subtitles(
    video: Source,
    subtitles: Source,
    output: Path | None = None,
    job: BurnJob | None = None,
    *,
    on_progress: OnProgress = unheard,
) -> Path:
    """Draw a subtitle file into a video.

    Args:
        video: with a moving picture; its sound and other tracks are kept.
        subtitles: in any format we read, or a transcript.
        output: `{stem}.captioned.mp4` beside the video by default.
        job: how.
        on_progress: hears which part is done, of 1.

    Returns:
        The file written.

    Raises:
        InputError: one of the inputs is missing or not what it should be.
        OptionError: the output cannot hold the codec that is wanted.
        OutputError: the result cannot be written or would replace an input.
        ToolError: ffmpeg or the fonts are not up to it.
    """
    job = job or BurnJob()
    target = output or OutputPlan().captioned(video)
    _refuse(target, video, subtitles, job.second)
    with _scene(video, subtitles, job, on_progress) as (media, script):
        _burn_script(media, script, target, job, on_progress)
    return target


def preview_subtitles(
    video: Source,
    subtitles: Source,
    moment: float,
    output: Path | None = None,
    job: BurnJob | None = None,
    *,
    on_progress: OnProgress = unheard,
) -> Path:
    """Write one frame of a video as it would look with its captions.

    Args:
        video: as in `burn_subtitles`.
        subtitles: as in `burn_subtitles`.
        moment: seconds from the start of the video.
        output: a .png file; `{stem}.preview.png` beside the video by default.
        job: how.
        on_progress: hears how far fetching is.

    Returns:
        The file written.

    Raises:
        InputError: there is no frame at that moment; else as `burn_subtitles`.
    """
    job = job or BurnJob()
    target = output or video.folder / f"{video.stem}.preview.png"
    if target.suffix.lower() != ".png":
        raise OutputError(f"{target} is not called .png", hint="a preview is one picture, and --output names it")
    _refuse(target, video, subtitles, job.second)
    with _scene(video, subtitles, job, on_progress) as (media, script), _as_ass(script) as path:
        preview(media.path, path, target, moment, strict=job.strict)
    return target


def burn_track(
    video: Path, track: Track, target: Path, job: BurnJob | None = None, *, on_progress: OnProgress = unheard
) -> None:
    """Draw captions into a video; `target` appears when it is whole.

    Raises:
        As `burn_subtitles`.
    """
    job = job or BurnJob()
    media = probe(video)
    _burn_script(media, _drawn_script(media, track, job), target, job, on_progress)


@contextmanager
def _scene(video: Source, subtitles: Source, job: BurnJob, on_progress: OnProgress) -> Iterator[tuple[MediaInfo, str]]:
    """The video, and what is to be drawn into it as an .ass script."""
    with ExitStack() as open_files:
        texts = [open_files.enter_context(as_text(one)) for one in (subtitles, job.second) if one]
        media = probe(open_files.enter_context(as_file(video, on_progress=on_progress)))
        track, script = _script(media, texts, job, _language_of(subtitles))
        if not track.cues:
            logger.warning("%s holds no captions, so the picture stays as it is", subtitles.name)
        yield media, script


def _language_of(subtitles: Source) -> str | None:
    return None if _TRADITIONAL.search(subtitles.stem) else Addition.of(subtitles).language


def _script(media: MediaInfo, texts: Sequence[Path], job: BurnJob, language: str | None) -> tuple[Track, str]:
    require_picture(media)
    if job.profile is not None and not any(map(holds_bare_words, texts)):
        raise OptionError(
            f"{texts[0]} has its captions already, and no profile changes them",
            hint="subwhisper layout lays subtitles out anew, or burn the .json of their transcript",
        )
    track, *second = (_captions(path, job) for path in texts)
    track = replace(track, language=track.language or language)
    if second:
        track = bilingual(track, *second)
    elif _has_styles(track) and job.look == Look():
        return track, decode(read_bytes(texts[0]), str(texts[0]), job.encoding)
    return track, _drawn_script(media, track, job)


def _captions(path: Path, job: BurnJob) -> Track:
    """Captions as they are; the words of a transcript laid out, as `layout` does it."""
    if holds_bare_words(path):
        return lay_out(Reading().words(path), job.profile)
    return read_track(path, encoding=job.encoding)


def _has_styles(track: Track) -> bool:
    return any(block.format == ass.FORMAT for block in track.raw)


def bilingual(first: Track, second: Track) -> Track:
    """Two languages at once, the second below the first in a look of its own."""
    marked = tuple(cue.marked(Style(classes=(SECOND,))) for cue in second.cues)
    return stack(first, replace(second, cues=marked))


def _drawn_script(media: MediaInfo, track: Track, job: BurnJob) -> str:
    width, height = require_picture(media).display_size  # letters fit the picture, upright ones too
    script = job.look.script(track, width, height)
    if track.language not in _SHARED_CHARACTERS:
        return script
    return script.replace("[Script Info]\n", f"[Script Info]\nLanguage: {track.language}\n", 1)


def _refuse(target: Path, *inputs: Source | None) -> None:
    for path in (source.path for source in inputs if source):
        if path and path.exists() and target.exists() and target.samefile(path):
            raise OutputError(f"{target} is the input itself", hint="name another output")
    check_writable(target.parent)
    check_name(target)


def _burn_script(media: MediaInfo, script: str, target: Path, job: BurnJob, on_progress: OnProgress) -> None:
    streams = media.subtitles if job.keep_subtitles else ()
    with _as_ass(script) as path:
        soft = [*carried(media, streams, container_of(target), path.parent)]
        burn(
            media.path,
            path,
            target,
            picture=job.picture,
            soft=soft,
            strict=job.strict,
            on_progress=_told(media.path, on_progress),
        )


@contextmanager
def _as_ass(script: str) -> Iterator[Path]:
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        path = Path(folder, "captions" + _ASS)
        path.write_bytes(script.encode("utf-8"))
        yield path


def _told(video: Path, on_progress: OnProgress) -> Callable[[float], None]:
    stage = f"drawing captions into {video.name}"
    return lambda part: on_progress(stage, part, 1.0)
