"""Captions laid out anew, and checked: no model, no sound.

What is read is the JSON of a transcript (ours or openai-whisper's), whose words know their times, or subtitles in any
format we read. Without a name asked for, `talk.en.json` becomes `talk.en.srt`, and `film.en.srt` becomes
`film.en.reflowed.srt`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from subwhisper.errors import InputError, SubwhisperError
from subwhisper.languages import LANGUAGES, language_code
from subwhisper.pipeline.edit import Destination
from subwhisper.subtitles.formats import read_track
from subwhisper.subtitles.highlight import highlight_words
from subwhisper.subtitles.layout import lay_out
from subwhisper.subtitles.layout.frames import NO_PICTURE, Picture
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.reflow import as_transcript
from subwhisper.subtitles.track import Track
from subwhisper.subtitles.wording import UNCHANGED, Wording, reword
from subwhisper.transcript import Transcript

UNKNOWN = "und"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file of words or captions is read."""

    language: str | None = None
    """Of the text; `None` goes by the file, then by its name (`film.en.srt`)."""
    encoding: str | None = None
    """Where it is not Unicode."""

    def words(self, path: Path) -> Transcript:
        """Read what is said, and when.

        Raises:
            InputError: it cannot be read, or is neither a transcript nor captions.
        """
        if is_transcript(path):
            transcript = _read_transcript(path)
            language = self.language or transcript.language
            return replace(transcript, language=_code(language))
        track = read_track(path, encoding=self.encoding)
        return as_transcript(track, self.language_of(path, track))

    def captions(self, path: Path, profile: Profile, picture: Picture = NO_PICTURE) -> Track:
        """Read captions as they are; words without a layout are laid out first.

        Raises:
            InputError: it cannot be read, or is neither a transcript nor captions.
        """
        if holds_bare_words(path):
            return lay_out(self.words(path), profile, picture)
        track = read_track(path, encoding=self.encoding)
        return Track(track.cues, self.language_of(path, track), overlapping=track.overlapping)

    def language_of(self, path: Path, track: Track) -> str:
        named = next((part for part in reversed(path.stem.split(".")[1:]) if part.split("-")[0] in LANGUAGES), None)
        return _code(self.language or track.language or named or UNKNOWN)


def is_transcript(path: Path) -> bool:
    """Whether a file is the JSON of a transcript, going by its name."""
    return path.suffix.lower() == ".json"


def holds_bare_words(path: Path) -> bool:
    """Whether a file is of words without a layout: a transcript, and not captions as `convert` writes them to JSON."""
    return is_transcript(path) and not _holds_captions(path)


def lay_out_file(
    source: Path,
    profile: Profile,
    destination: Destination,
    *,
    formats: tuple[str, ...] = ("srt",),
    picture: Picture = NO_PICTURE,
    reading: Reading = Reading(),
    highlighted: bool = False,
    wording: Wording = UNCHANGED,
) -> tuple[Track, Mapping[Path, Track]]:
    """Lay the words of a file out and write the captions.

    Args:
        source: a transcript or captions.
        profile: the limits.
        destination: where they go; a name asked for decides the format.
        formats: of the results where no name was asked for.
        picture: what is known of the video.
        reading: how the source is read.
        highlighted: underline each word while it is said.
        wording: what is changed in the text.

    Returns:
        The captions, and what was written to which file.

    Raises:
        InputError: the source cannot be read.
        OutputError: see `Destination.write`.
    """
    track = lay_out(reword(reading.words(source), wording), profile, picture)
    shown = highlight_words(track) if highlighted else track
    targets = _targets(source, destination, formats)
    tracks = dict.fromkeys(targets, shown)
    destination.write(tracks, inputs=[source])
    return track, tracks


def _targets(source: Path, destination: Destination, formats: Iterable[str]) -> tuple[Path, ...]:
    if destination.output is not None or (destination.in_place and not is_transcript(source)):
        return (destination.path(source, "reflowed"),)
    stem = source.stem if is_transcript(source) else f"{source.stem}.reflowed"
    return tuple(destination.beside(source) / f"{stem}.{format}" for format in formats)


def _holds_captions(path: Path) -> bool:
    """Whether a JSON file is of captions with their lines, as `convert` writes it, and not of words alone."""
    try:
        segments = json.loads(path.read_text(encoding="utf-8-sig"))["segments"]
        return bool(segments) and "caption" in segments[0]
    except (OSError, ValueError, KeyError, TypeError):
        return False  # whoever reads it next says what is wrong


def _read_transcript(path: Path) -> Transcript:
    try:
        return Transcript.from_json(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error
    except InputError as error:
        raise InputError(f"{path}: {error.message}", hint=error.hint) from error


def _code(language: str) -> str:
    """A code from a code or a name; codes with a region, and codes we do not know, stay as they are."""
    try:
        return language_code(language)
    except SubwhisperError:
        return language
