"""What has been heard so far: which recording a file is, its finished windows, its transcripts.

Everything is filed under the hash of the sound itself, made while it is decoded, and under the settings that
recognition depends on. So a new name, folder or tag changes nothing; another line width neither, since captions
are laid out from the transcript.
"""

import json
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from subwhisper.pipeline.database import Database
from subwhisper.pipeline.identity import FileIdentity, sampled_hash
from subwhisper.transcript import Transcript

_QUICK = 1
"""zlib's least effort: half of the size in a tenth of the time."""
_CLOCK_TICK = 2.0
"""Seconds. A file changed less than this before it was noted may have been changed again under the same time."""


class Archive:
    """Windows, transcripts, and the recordings they are of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- recordings: which sound a file holds ---------------------------------------------------------------------

    def audio_of(self, path: Path, track: str) -> str | None:
        """The hash of a file's sound, if this file has been decoded before, wherever it lay then.

        Args:
            path: its samples are read only where the file system leaves a doubt: a copy, or moved to another disk.
            track: which of its sounds.

        Raises:
            InputError: it cannot be read.
        """
        file = FileIdentity.of(path)
        alike = self._database.execute("SELECT * FROM recordings WHERE size = ? AND track = ?", (file.size, track))
        same = [row for row in alike if row["inode"] == file.inode and row["mtime_ns"] == file.mtime_ns]
        if same and same[0]["seen"] - file.mtime_ns / 1e9 > _CLOCK_TICK:
            return str(same[0]["audio"])
        elsewhere = [row for row in alike if row["inode"] != file.inode and file.may_be(row["mtime_ns"], file.size)]
        if not same and not elsewhere:
            return None
        samples = sampled_hash(path)
        return next((str(row["audio"]) for row in (*same, *elsewhere) if row["samples"] == samples), None)

    def remember_audio(self, path: Path, file: FileIdentity, track: str, audio: str) -> None:
        """Note which sound a file holds.

        Raises:
            InputError: it cannot be read any more.
        """
        self._database.execute(
            "INSERT OR REPLACE INTO recordings VALUES (?, ?, ?, ?, ?, ?, ?)",
            (file.size, file.mtime_ns, file.inode, track, sampled_hash(path), audio, time.time()),
        )

    # -- models: what their files hold, so that a transcript is found without loading one ---------------------------

    def model_identity(self, path: Path) -> str | None:
        """The hash of a checkpoint, if this version of it has been loaded before."""
        rows = self._database.execute(
            "SELECT fingerprint FROM models WHERE path = ? AND version = ?", (str(path), _version(path))
        )
        return rows[0]["fingerprint"] if rows else None

    def remember_model(self, path: Path, identity: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO models VALUES (?, ?, ?)", (str(path), _version(path), identity))

    # -- windows and transcripts --------------------------------------------------------------------------------------

    def window_keys(self, audio: str, settings: str) -> frozenset[str]:
        """Which windows are kept: of a sound never heard none, so that nothing need be asked about each of them."""
        rows = self._database.execute("SELECT window FROM windows WHERE audio = ? AND settings = ?", (audio, settings))
        return frozenset(row["window"] for row in rows)

    def window(self, audio: str, settings: str, key: str) -> Mapping[str, Any] | None:
        rows = self._database.execute(
            "SELECT document FROM windows WHERE audio = ? AND settings = ? AND window = ?", (audio, settings, key)
        )
        return _unpacked(rows[0]["document"]) if rows else None

    def keep_window(self, audio: str, settings: str, key: str, document: Mapping[str, Any]) -> None:
        """File one window, for good before this returns."""
        self._database.execute(
            "INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?)",
            (audio, settings, key, _packed(document), time.time()),
        )

    def transcript(self, audio: str, settings: str) -> Transcript | None:
        rows = self._database.execute(
            "SELECT document FROM transcripts WHERE audio = ? AND settings = ?", (audio, settings)
        )
        return Transcript.from_json(zlib.decompress(rows[0]["document"]).decode()) if rows else None

    def keep_transcript(self, audio: str, settings: str, transcript: Transcript) -> None:
        """File a whole transcript; its windows are needed no more."""
        document = zlib.compress(transcript.to_json().encode(), _QUICK)
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO transcripts VALUES (?, ?, ?, ?)", (audio, settings, document, time.time())
            )
            self._database.execute("DELETE FROM windows WHERE audio = ? AND settings = ?", (audio, settings))


def _version(checkpoint: Path) -> str:
    """The files of a model as the file system tells them."""
    files = sorted(checkpoint.iterdir()) if checkpoint.is_dir() else [checkpoint]
    return repr([(file.name, FileIdentity.of(file)) for file in files])


def _packed(document: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), _QUICK)


def _unpacked(document: bytes) -> Mapping[str, Any]:
    unpacked: Mapping[str, Any] = json.loads(zlib.decompress(document))
    return unpacked
