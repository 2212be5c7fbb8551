"""What users have to learn from: media files beside their corrected subtitles.

A pair is a media file and a subtitle file of the same name (`talk.mp4` and `talk.srt`, or `talk.en.srt`); or, for
clips of one window at most, a text (`clip.wav` and `clip.txt`), or lines of a manifest. Cues are joined into windows
as Whisper was trained on: whole cues between their timestamps, the sound as it is, never cut inside a cue.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.errors import InputError
from subwhisper.media.decode import open_audio
from subwhisper.subtitles.formats import FORMATS, read_track
from subwhisper.subtitles.track import Track
from subwhisper.transcript import Word

TEXT = "txt"
LEARNT = "learnt.jsonl"
"""Manifest that `subwhisper learn` keeps in its folder."""
MANIFESTS = frozenset({".json", ".jsonl"})
_NOT_SPOKEN = re.compile(r"\[[^\]]*\]|\([^)]*\)|[♪♫#]")
_LONGEST_CUE = 30.0
"""Seconds; a longer cue was not made from speech."""

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


def find_pairs(place: Path) -> list[Pair]:
    """All pairs of a folder (and the folders in it) or of a manifest, in the order of their names.

    Raises:
        InputError: there is none.
    """
    if place.is_dir():
        learnt = place / LEARNT
        listed = [*_in_manifest(learnt)] if learnt.is_file() else []
        known = {pair.media.resolve() for pair in listed}
        pairs = [*listed, *(pair for pair in _in_folder(place) if pair.media.resolve() not in known)]
        if not pairs:
            raise InputError(
                f"{place} holds no media file with subtitles of the same name",
                hint="put talk.srt (or talk.en.srt, or for short clips clip.txt) beside talk.mp4",
            )
        return pairs
    if place.suffix.lower() in MANIFESTS and place.is_file():
        pairs = list(_in_manifest(place))
        if not pairs:
            raise InputError(f"{place} lists no recording", hint='each entry needs "path" and "text"')
        return pairs
    what = "is no manifest" if place.exists() else "does not exist"
    raise InputError(f"{place} {what}", hint="give a folder of media and subtitles, or a .json or .jsonl manifest")


def _in_folder(folder: Path) -> Iterator[Pair]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    written = [path for path in files if path.suffix.lower() in _written_suffixes()]
    taken: set[Path] = set()
    for path in sorted(written, key=lambda path: (path.suffix.lower() == f".{TEXT}", path)):
        media = media_of(path, files)
        if media is None or media in taken:
            continue
        taken.add(media)
        yield pair_of(media, path)


def _written_suffixes() -> set[str]:
    return {f".{name}" for name, format in FORMATS.items() if format.is_read} | {f".{TEXT}"}


def media_of(written: Path, files: Iterable[Path]) -> Path | None:
    """The media file that captions belong to: `talk.mp4` for `talk.srt` or `talk.en.srt`."""
    beside = [path for path in files if path.parent == written.parent]
    others = [path for path in beside if path.suffix.lower() not in {*_written_suffixes(), *MANIFESTS, ""}]
    stem = written.name.removesuffix(written.suffix)
    for name in (stem, stem.rsplit(".", 1)[0]):
        for path in others:
            if path.stem == name:
                return path
    return None


def pair_of(media: Path, written: Path) -> Pair:
    """A media file and one file of what is said in it.

    Raises:
        InputError: the file cannot be read.
    """
    if written.suffix.lower() == f".{TEXT}":
        return Pair(media, None, _spoken(written.read_text(encoding="utf-8-sig", errors="replace")))
    sentences = tuple(sentences_of(read_track(written)))
    return Pair(media, sentences, " ".join(sentence.text for sentence in sentences))


def sentences_of(track: Track) -> Iterator[Sentence]:
    """What is spoken in each cue: no sound descriptions, no music; cues that say nothing are left out."""
    for cue in track.cues:
        text, seconds = _spoken(cue.text), cue.duration_ms / 1000
        if text and 0 < seconds <= _LONGEST_CUE:
            yield Sentence(text, cue.start_ms / 1000, cue.end_ms / 1000)


def _spoken(text: str) -> str:
    return " ".join(_NOT_SPOKEN.sub(" ", text).split())


def _in_manifest(manifest: Path) -> Iterator[Pair]:
    for entry in _entries(manifest):
        if not isinstance(entry, dict) or "path" not in entry:
            raise InputError(f"{manifest} has an entry without a path", hint='each entry needs "path" and "text"')
        media = manifest.parent / str(entry["path"])
        if entry.get("subtitles"):
            yield pair_of(media, manifest.parent / str(entry["subtitles"]))
            continue
        words = tuple(Word(f" {w['word']}", float(w["start"]), float(w["end"])) for w in entry.get("words") or ())
        text = str(entry.get("text") or entry.get("transcript") or "")
        yield Pair(media, None, " ".join(text.split()), words)


def _entries(manifest: Path) -> Iterable[object]:
    text = manifest.read_text(encoding="utf-8")
    try:
        if manifest.suffix.lower() == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{manifest} is not JSON: {error}") from error
    listed = document.get("clips", document.get("files")) if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise InputError(f"{manifest} lists no recording", hint='a list of {"path", "text"}, or {"clips": [...]}')
    return listed


def examples_of(pair: Pair, window: float) -> list[Example]:
    """Cut a recording into windows of at most `window` seconds that hold whole sentences.

    Raises:
        MediaError: the recording cannot be read.
    """
    blocks = [(block * 32767).astype(np.int16) for block in open_audio(pair.media).blocks()]
    sound = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    seconds = len(sound) / SAMPLE_RATE
    if pair.sentences is None:
        if seconds > window or not pair.text:
            _log.warning("%s lasts %.0f s and has no times: left out (give it subtitles)", pair.media, seconds)
            return []
        start, end = _sounding(sound)
        return [Example(sound, (Sentence(pair.text, start, end),), "", pair.media)]
    examples: list[Example] = []
    for group in _windows([s for s in pair.sentences if s.end <= seconds + 0.1], window):
        first, last = _edges(group, pair.sentences, seconds, window)
        piece = sound[round(first * SAMPLE_RATE) : round(last * SAMPLE_RATE)]
        moved = tuple(Sentence(s.text, max(0.0, s.start - first), min(s.end, last) - first) for s in group)
        before = examples[-1].text if examples else ""
        examples.append(Example(piece, moved, before, pair.media))
    return examples


def _windows(sentences: Sequence[Sentence], window: float) -> Iterator[list[Sentence]]:
    group: list[Sentence] = []
    for sentence in sentences:
        if group and sentence.end - group[0].start > window - 0.4:
            yield group
            group = []
        if sentence.end - sentence.start <= window - 0.4:
            group.append(sentence)
    if group:
        yield group


def _edges(group: Sequence[Sentence], all_: Sequence[Sentence], seconds: float, window: float) -> tuple[float, float]:
    """Where to cut: in the pauses around the group, at most 0.2 s away from its words."""
    before = max((s.end for s in all_ if s.end <= group[0].start), default=0.0)
    after = min((s.start for s in all_ if s.start >= group[-1].end), default=seconds)
    first = max(before, group[0].start - 0.2, 0.0)
    return first, min(after, group[-1].end + 0.2, first + window, seconds)


def _sounding(sound: npt.NDArray[np.int16]) -> tuple[float, float]:
    """First and last moment louder than a twentieth of the loudest 20 ms, in seconds."""
    step = SAMPLE_RATE // 50
    frames = sound[: len(sound) // step * step].reshape(-1, step).astype(np.float32)
    power = np.sqrt((frames**2).mean(1)) if len(frames) else np.zeros(1)
    loud = np.flatnonzero(power > 0.05 * power.max()) if power.max() > 0 else np.array([0])
    return float(loud[0]) / 50, float(loud[-1] + 1) / 50
