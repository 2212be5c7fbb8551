"""What users have to learn from: media files beside their corrected subtitles.

A pair is a media file and a subtitle file of the same name (`talk.mp4` and `talk.srt`, or `talk.en.srt`); or, for
clips of one window at most, a text (`clip.wav` and `clip.txt`), or lines of a manifest. What this program writes to be
read by others (JSON, CSV, TSV) is no correction and never one of a pair, unless a manifest names it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from subwhisper.audio import Samples, Span
from subwhisper.errors import InputError
from subwhisper.media.beside import caption_tags
from subwhisper.media.names import is_media
from subwhisper.media.tracks import same_language
from subwhisper.subtitles.formats import CAPTION_FORMATS, FORMATS, read_track
from subwhisper.subtitles.formats.encodings import decode, read_bytes
from subwhisper.subtitles.track import Cue, Track
from subwhisper.training.manifest import TEXT, Entry, read_manifest
from subwhisper.training.spoken import is_sung, spoken
from subwhisper.transcript import Word

LEARNT = "learnt.jsonl"
"""Manifest that `subwhisper learn` keeps in its folder."""
MANIFESTS = frozenset({".json", ".jsonl"})
_WRITTEN = (*(f".{name}" for name in FORMATS if name in CAPTION_FORMATS), TEXT)
"""Suffixes of what is said, the better before the worse."""
_NAMED = 3
"""Files that a line names at most."""

_Stems = Mapping[tuple[Path, str], Path]
"""Recordings by folder and name without suffix."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something said, in seconds of its recording."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A recording and what is said in it."""

    media: Path
    sentences: tuple[Sentence, ...] | None
    """`None` where only the text is known."""
    text: str
    words: tuple[Word, ...] = ()
    """With their true times, where somebody measured them."""
    sung: tuple[Span, ...] = ()
    """Where the subtitles have lyrics, in seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A window to learn from: its sound, and the sentences in it, in seconds of the window."""

    sound: npt.NDArray[np.int16]
    sentences: tuple[Sentence, ...]
    before: str
    """Text of the window before, in the same recording."""
    source: Path

    @property
    def samples(self) -> Samples:
        return self.sound.astype(np.float32) / np.float32(32768)

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


def find_pairs(place: Path, language: str | None = None) -> list[Pair]:
    """All pairs of a folder (and the folders in it), by name, those with times first; or of a manifest, in its order.

    Args:
        place: the folder, or the manifest.
        language: spoken; `None` is any.

    Raises:
        InputError: there is none, or one of them cannot be read.
    """
    return [pair_of(entry) for entry in find_entries(place, language)]


def find_entries(place: Path, language: str | None = None) -> list[Entry]:
    """As `find_pairs`, without reading what is said. What a folder holds besides is told.

    Raises:
        InputError: there is none.
    """
    if place.is_dir():
        listed = read_manifest(place / LEARNT) if (place / LEARNT).is_file() else []
        entries = [*listed, *_in_folder(place, language, listed)]
        if not entries:
            raise InputError(
                f"{place} holds no media file with subtitles of the same name",
                hint="put talk.srt (or talk.en.srt, or for short clips clip.txt) beside talk.mp4",
            )
        return entries
    if place.suffix.lower() in MANIFESTS and place.is_file():
        entries = read_manifest(place)
        if not entries:
            raise InputError(f"{place} lists no recording", hint='each entry needs "path" and "text"')
        return entries
    what = "is no manifest" if place.exists() else "does not exist"
    raise InputError(f"{place} {what}", hint="give a folder of media and subtitles, or a .json or .jsonl manifest")


@dataclass(frozen=True, slots=True)
class _Offer:
    """A file that may tell what is said in a recording."""

    written: Path
    media: Path | None
    """The recording of its name; `None` where there is none."""
    rank: tuple[bool, int, int] | None
    """The least fits best; `None` where its name tells that it does not."""


def _in_folder(folder: Path, language: str | None, listed: Sequence[Entry]) -> list[Entry]:
    """The recordings of a folder that are not listed, each with the captions that fit it best; the rest is told."""
    known = {path.resolve() for entry in listed for path in (entry.media, entry.written) if path}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    files = [path for path in files if path.resolve() not in known]
    recordings = _by_stem(files)
    offers = [_offer(path, recordings, language) for path in files if path.suffix.lower() in _WRITTEN]
    ranked = sorted((offer.rank, offer.written, offer.media) for offer in offers if offer.media and offer.rank)
    best: dict[Path, Path] = {}
    for _, written, media in ranked:
        best.setdefault(media, written)
    twins = sorted({path for path in files if is_media(path.name)}.difference(recordings.values()))
    left = {
        "files of text without a recording of their name": [one.written for one in offers if not one.media],
        "files of text whose names tell of another language or kind": [
            one.written for one in offers if one.media and not one.rank
        ],
        "files of text that another one takes the place of": [
            written for _, written, media in ranked if best[media] != written
        ],
        "recordings without subtitles of their name": [path for path in recordings.values() if path not in best],
        "recordings of the same name as another one": twins,
    }
    for what, paths in left.items():
        _tell(paths, what, folder)
    entries = [Entry(media, written) for media, written in sorted(best.items())]
    return sorted(entries, key=lambda entry: entry.has_times, reverse=True)


def _offer(written: Path, recordings: _Stems, language: str | None) -> _Offer:
    media, tags = _recording_of(written, recordings)
    rank, suffix = _rank(tags, language), written.suffix.lower()
    return _Offer(written, media, None if rank is None else (suffix == TEXT, rank, _WRITTEN.index(suffix)))


def _tell(paths: Sequence[Path], what: str, folder: Path) -> None:
    if not paths:
        return
    names = ", ".join(str(path.relative_to(folder)) for path in paths[:_NAMED])
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    _log.warning("not used: %s (%d): %s%s", what, len(paths), names, more)


def _by_stem(files: Iterable[Path]) -> _Stems:
    """The first recording of each name."""
    found: dict[tuple[Path, str], Path] = {}
    for path in files:
        if is_media(path.name):
            found.setdefault((path.parent, path.stem), path)
    return found


def _recording_of(written: Path, recordings: _Stems) -> tuple[Path | None, list[str]]:
    """The recording with the longest name that captions begin with, and the tags behind it."""
    words = written.name.split(".")[:-1]
    for n in range(len(words), 0, -1):
        if media := recordings.get((written.parent, ".".join(words[:n]))):
            return media, words[n:]
    return None, []


def _rank(tags: Sequence[str], language: str | None) -> int | None:
    """How well the name of captions fits, 0 the best: the bare name, with the language, with a kind such as `sdh`."""
    told = caption_tags(tags)
    if told is None or (told.language and language and not same_language(told.language, language)):
        return None
    return 0 if not tags else 2 if told.has_kind or not told.language else 1


def media_of(written: Path, files: Iterable[Path]) -> Path | None:
    """The media file that captions belong to: `talk.mp4` for `talk.srt` or `talk.en.srt`."""
    return _recording_of(written, _by_stem(files))[0]


def pair_of(entry: Entry) -> Pair:
    """A recording with what is said in it.

    Raises:
        InputError: one of its files is not there, or cannot be read.
    """
    for path in (entry.media, entry.written):
        if path and not path.is_file():
            hint = f"{entry.where} names it; paths are relative to the list" if entry.where else None
            raise InputError(f"{path} does not exist", hint=hint)
    if entry.written is None:
        return Pair(entry.media, None, entry.text, entry.words)
    if not entry.has_times:
        return Pair(entry.media, None, spoken(decode(read_bytes(entry.written), str(entry.written))))
    track = read_track(entry.written)
    sentences = tuple(sentences_of(track))
    sung = tuple(Span(cue.start_ms / 1000, cue.end_ms / 1000) for cue in track.cues if _is_sung(cue))
    return Pair(entry.media, sentences, " ".join(sentence.text for sentence in sentences), sung=sung)


def sentences_of(track: Track) -> Iterator[Sentence]:
    """What is spoken in each cue; lyrics, and cues that say nothing, are left out."""
    for cue in track.cues:
        if not _is_sung(cue) and (text := spoken("\n".join(cue.lines))):
            yield Sentence(text, cue.start_ms / 1000, cue.end_ms / 1000)


def _is_sung(cue: Cue) -> bool:
    return is_sung("\n".join(cue.lines))
