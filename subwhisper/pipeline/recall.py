"""What the journal remembers of one recording, and takes in while it is transcribed.

A finished transcript is found by the file alone: nothing is decoded and no model is loaded. Otherwise the sound is
hashed while it is read through for the first time, and its finished windows are found by that hash.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import subwhisper
from subwhisper.audio import AudioSource, Samples
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.window_store import REVISION
from subwhisper.errors import InputError, JournalError
from subwhisper.pipeline.archive import Archive
from subwhisper.pipeline.identity import FileIdentity
from subwhisper.transcript import Transcript

logger = logging.getLogger(__name__)


def settings_key(options: TranscribeOptions, *, model: str, compute: str) -> str:
    """Hash everything that recognition depends on, besides the sound.

    Of the version only what changes recognition counts: a patch release finds what the one before it heard.
    """
    engine = (*subwhisper.__version__.split(".")[:2], REVISION)
    made_by = {"engine": engine, "model": model, "compute": compute, "options": asdict(options)}
    return key_of(made_by)


def key_of(document: Mapping[str, Any]) -> str:
    """Hash plain values; their order does not matter."""
    text = json.dumps(document, sort_keys=True, default=str)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class AlreadyHeardError(Exception):
    """The sound turns out to be one whose whole transcript is kept: the engine need not go on."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__()
        self.transcript = transcript


class HashedAudio:
    """Sound that is hashed while it is read through for the first time."""

    def __init__(self, audio: AudioSource) -> None:
        self._audio = audio
        self.digest: str | None = None
        """Of all of its samples; `None` until they have been read."""

    def blocks(self) -> Iterator[Samples]:
        digest = blake2b(digest_size=16)
        for block in self._audio.blocks():
            if self.digest is None:
                digest.update(block.tobytes())
            yield block
        self.digest = self.digest or digest.hexdigest()


@dataclass
class Recall:
    """One recording under one set of settings, as the journal knows it.

    What is read is never trusted to be writable: a journal that fails (a full disk) costs a warning, not the work.
    """

    archive: Archive
    path: Path
    track: str
    """Which of the file's sounds."""
    settings: str
    audio: HashedAudio
    _file: FileIdentity = field(init=False)
    _kept: frozenset[str] | None = None
    """Which windows were finished before; `None` until that has been asked."""
    _is_failing: bool = False

    def __post_init__(self) -> None:
        self._file = FileIdentity.of(self.path)

    def transcript(self) -> Transcript | None:
        """What was heard in this recording before, if all of it was."""
        try:
            audio = self.archive.audio_of(self.path, self.track)
            return self.archive.transcript(audio, self.settings) if audio else None
        except (JournalError, InputError) as error:  # an unreadable file is somebody else's to report
            self._complain(error)
            return None

    def get(self, key: str) -> Mapping[str, Any] | None:
        """One finished window; makes this a `WindowStore`.

        Raises:
            AlreadyHeardError: all windows of this sound are finished, under the name of another file.
        """
        if self.audio.digest is None:
            return None
        try:
            if self._kept is None:
                if transcript := self.archive.transcript(self.audio.digest, self.settings):
                    raise AlreadyHeardError(transcript)
                self._kept = self.archive.window_keys(self.audio.digest, self.settings)
            return self.archive.window(self.audio.digest, self.settings, key) if key in self._kept else None
        except JournalError as error:
            self._complain(error)
            return None

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep one finished window."""
        if self.audio.digest is not None:
            try:
                self.archive.keep_window(self.audio.digest, self.settings, key, document)
            except JournalError as error:
                self._complain(error)

    def keep(self, transcript: Transcript) -> None:
        """Keep the whole, instead of its windows.

        Raises:
            InputError: the file has changed since, so this is not what it holds now.
        """
        if FileIdentity.of(self.path) != self._file:
            raise InputError(f"{self.path} changed while it was read", hint="run again when it is complete")
        if self.audio.digest is not None:
            try:
                self.archive.remember_audio(self.path, self._file, self.track, self.audio.digest)
                self.archive.keep_transcript(self.audio.digest, self.settings, transcript)
            except JournalError as error:
                self._complain(error)

    def _complain(self, error: Exception) -> None:
        if not self._is_failing:
            self._is_failing = True
            logger.warning("%s; going on, but what is done now will not be remembered", error)
