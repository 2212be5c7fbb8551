"""An old subtitle file, onto the sound it belongs to or onto another file that fits it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.engine.options import VadOptions
from subwhisper.errors import InputError, OptionError
from subwhisper.media.decode import open_audio
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.edit import Destination, write_edited
from subwhisper.pipeline.inputs import Source, as_file, as_text
from subwhisper.subtitles.edit import Part, retime_parts
from subwhisper.subtitles.formats import FORMATS, read_track
from subwhisper.subtitles.sync import Fit, fit
from subwhisper.subtitles.track import Track

_SHORT_PAUSES = VadOptions(min_silence_duration_ms=100, min_speech_duration_ms=100, speech_pad_ms=0)
"""Speech as it is compared with cues: each phrase by itself, and no more of it than was heard."""


@dataclass(frozen=True, kw_only=True)
class SyncOptions:
    """How far to look and what to believe."""

    furthest: float = 120.0
    """Seconds that a cue may be from its place, beyond what stretching explains."""
    stretch: bool = True
    """Also look for another speed; if not, cues are only shifted."""
    most_breaks: int = 8
    """Places at which the offset may change, as where advertisements are put in or scenes cut out; it only does where
    that brings clearly more cues to speech."""
    min_confidence: float = 0.95
    """Least probability, 0 to 1, that the fit is more than chance; below it nothing is written."""

    def __post_init__(self) -> None:
        if not self.furthest > 0:  # also refuses NaN
            raise OptionError(f"the largest offset must be above 0, got {self.furthest}")
        if self.most_breaks < 0:
            raise OptionError(f"the number of breaks cannot be below 0, got {self.most_breaks}")
        if not 0 <= self.min_confidence <= 1:
            raise OptionError(f"a confidence lies between 0 and 1, got {self.min_confidence}")


@dataclass(frozen=True, slots=True)
class Synced:
    """What was written, and what was found."""

    output: Path
    fit: Fit


def sync_file(
    source: Path,
    reference: Source,
    destination: Destination,
    options: SyncOptions | None = None,
    *,
    encoding: str | None = None,
    audio_track: int | str | None = None,
    on_progress: OnProgress = unheard,
) -> Synced:
    """Move and stretch a subtitle file so that it fits.

    Args:
        source: in any format we read; its text stays as it is.
        reference: a recording, or a subtitle file (by its suffix) that fits the recording.
        destination: where the result goes.
        options: how far to look and what to believe.
        encoding: of the subtitles where they are not UTF-8 and have no byte order mark.
        audio_track: number from 0, or language; `None` is the file's own choice.
        on_progress: hears how much of the recording was listened to, in seconds.

    Raises:
        InputError: one of the two cannot be read, or they do not seem to belong together.
        OutputError: see `Destination.write`.
    """
    chosen = options or SyncOptions()
    track = read_track(source, encoding=encoding)
    if is_subtitle_file(reference):
        with as_text(reference) as path:
            heard = _spans(read_track(path, encoding=encoding))
    else:
        with as_file(reference, picture=False, on_progress=on_progress) as path:
            heard = speech_in(path, audio_track, on_progress)
    ratios = None if chosen.stretch else (1.0,)
    found = fit(_spans(track), heard, furthest=chosen.furthest, ratios=ratios, most_breaks=chosen.most_breaks)
    if found.confidence < chosen.min_confidence:
        raise InputError(
            f"{source} does not seem to belong to {reference}: of {found.n_cues} cues that would lie in it, "
            f"{found.n_matched} would start with speech (confidence {found.confidence:.2f})",
            hint="try a larger --max-offset, or --min-confidence 0 to take the best guess",
        )
    kept = retime_parts(track, [], found.left_out)
    return Synced(write_edited(source, kept, moved(track, found), destination, done="synced"), found)


def moved(track: Track, found: Fit) -> Track:
    """The track with each cue where the fit says."""
    starts = [0, *(track.cues[piece.first].start_ms for piece in found.pieces[1:])]
    parts = zip(map(Part, starts, [*starts[1:], None]), (piece.retiming for piece in found.pieces), strict=True)
    return retime_parts(track, [*parts], found.left_out)


def is_subtitle_file(source: Source) -> bool:
    """Whether its name says that a file holds subtitles."""
    suffix = source.suffix.removeprefix(".").lower()
    return suffix == "ssa" or suffix in FORMATS


def _spans(track: Track) -> list[tuple[float, float]]:
    return [(cue.start_ms / 1000, cue.end_ms / 1000) for cue in track.cues]


def speech_in(
    recording: Path, audio_track: int | str | None = None, on_progress: OnProgress = unheard
) -> list[tuple[float, float]]:
    """When someone speaks, in seconds."""
    from subwhisper.engine.vad.listener import find_speech  # brings torch, which two subtitle files do not need

    audio = open_audio(recording, track=audio_track)

    def blocks() -> Iterator[Samples]:
        done = 0
        for block in audio.blocks():
            yield block
            done += len(block)
            on_progress(f"listening to {recording.name}", done / SAMPLE_RATE, audio.duration)

    return [(span.start, span.end) for span in find_speech(blocks(), _SHORT_PAUSES)]
