"""What `subwhisper learn` keeps for `finetune`: a manifest of media files, and a copy of the corrected text of each.

The sound stays where it lies. The manifest (`learnt.jsonl`) says which copies were written here; no other file of the
folder is touched.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, count
from pathlib import Path

from subwhisper.errors import InputError, OutputError
from subwhisper.replacing import replacing
from subwhisper.training.material import LEARNT, media_of

_HEAD = 2**20
"""Bytes of a recording that tell it from others, together with its size."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the manifest."""

    line: str
    media: Path
    subtitles: str
    """Name of the copy; empty where the line holds the text itself."""
    recording: str | None
    """What the media file is known by wherever it lies."""


def keep_pair(media: Path, edited: Path, folder: Path) -> Path:
    """Add a media file and a copy of its corrected captions to the material of a folder; return the copy.

    What was learnt from the same media file before is replaced; so is what was learnt from the same recording at a
    place where it no longer lies.

    Raises:
        InputError: the media file is not there, or the manifest cannot be read.
        OutputError: the folder cannot be written.
    """
    if not media.is_file():
        raise InputError(f"{media} does not exist", hint="name the media file with --media")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is no folder", hint="name a folder with --data")
    media, recording, text = media.resolve(), _recording(media), _bytes(edited)
    entries = [*_entries(folder / LEARNT)]
    former = [one for one in entries if _is_same(one, media, recording, folder)]
    copy = folder / _name(media, edited.suffix.lower(), folder, former)
    row = {"path": str(media), "subtitles": copy.name, "recording": recording}
    lines = [one.line for one in entries if one not in former] + [json.dumps(row)]
    _write(copy, text)
    _write(folder / LEARNT, "".join(f"{line}\n" for line in lines).encode())
    return copy


def media_beside(edited: Path) -> Path | None:
    """The media file of the same name in the same folder."""
    return media_of(edited, _files(edited.parent))


def _is_same(entry: _Entry, media: Path, recording: str, folder: Path) -> bool:
    listed = folder / entry.media
    return listed == media or (entry.recording == recording and not listed.exists())


def _name(media: Path, suffix: str, folder: Path, former: list[_Entry]) -> str:
    """What the copy is called: as before, or else a name that is free and that no other media file has."""
    names = (f"{media.stem}{number}{suffix}" for number in chain([""], (f"-{n}" for n in count(2))))
    own = [one.subtitles for one in former if Path(one.subtitles).suffix == suffix]
    files = _files(folder) if folder.is_dir() else []
    return next(name for name in chain(own, names) if name in own or _is_free(folder / name, media, files))


def _is_free(copy: Path, media: Path, files: list[Path]) -> bool:
    owner = media_of(copy, files)
    return not copy.exists() and (owner is None or owner.resolve() == media)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _entries(manifest: Path) -> Iterator[_Entry]:
    for number, line in enumerate(_bytes(manifest).splitlines() if manifest.exists() else (), start=1):
        if line.strip():
            try:
                yield _entry(line.decode())
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{manifest}, line {number} is no entry of learnt material", hint="mend the line or remove it"
                ) from error


def _entry(line: str) -> _Entry:
    row = json.loads(line)
    return _Entry(line, Path(row["path"]), Path(row.get("subtitles", "")).name, row.get("recording"))


def _recording(media: Path) -> str:
    """Size and beginning of a file: the same wherever it is moved to."""
    try:
        with media.open("rb") as file:
            return f"{media.stat().st_size}-{sha256(file.read(_HEAD)).hexdigest()[:16]}"
    except OSError as error:
        raise InputError(f"{media} cannot be read: {error.strerror or error}") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
