"""Recordings in, their languages out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from subwhisper.engine.language import HeardLanguage
from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.transcriber import Transcriber
from subwhisper.errors import ModelError, SubwhisperError
from subwhisper.media.decode import open_audio
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.inputs import Refused, as_file
from subwhisper.pipeline.models import ModelChoice, load
from subwhisper.pipeline.search import expand
from subwhisper.pipeline.transcribe import audio_track_of, error_row


@dataclass(frozen=True, kw_only=True)
class DetectJob:
    """What to do with every recording."""

    model: ModelChoice = field(default_factory=ModelChoice)
    options: TranscribeOptions = field(default_factory=TranscribeOptions)
    """Those of language detection count."""
    audio_track: str | int | None = None
    """Number from 0, or language; `None` is the file's own choice."""


@dataclass(frozen=True, slots=True)
class Detected:
    """The language of one recording, or why it is not known."""

    source: str
    heard: HeardLanguage | None = None
    error: SubwhisperError | None = None

    def to_dict(self) -> dict[str, Any]:
        """A row of the machine-readable report."""
        return {
            "input": self.source,
            "language": self.heard.language if self.heard else None,
            "probability": self.heard.probability if self.heard else None,
            "languages": dict(self.heard.ranked) if self.heard else None,
            "error": error_row(self.error) if self.error else None,
        }


def detect_languages(
    arguments: Sequence[str], job: DetectJob, *, on_progress: OnProgress = unheard
) -> Iterator[Detected]:
    """Tell the language of everything the arguments name, in their order.

    Args:
        arguments: files, folders, patterns, or `-` for standard input.
        job: what to do with each.
        on_progress: hears how far the present stage is.

    Raises:
        ModelError: the model cannot be had.
        OptionError: it cannot tell languages, or not those asked for.
    """
    engine: Transcriber | None = None
    for one in expand(arguments):
        if isinstance(one, Refused):
            yield Detected(one.argument, error=one.error)
            continue
        if engine is None:
            # a model of one language will not do, so none is fallen back to
            wanted = replace(job.options, language=None, multilingual=True)
            engine = load(job.model, wanted, several=False, on_progress=on_progress)
            engine.require_languages(job.options)
        try:
            with as_file(one) as path:
                audio = open_audio(path, track=audio_track_of(job.audio_track))
                yield Detected(str(one), engine.hear_language(audio, job.options))
        except ModelError:
            raise  # it would be the same with every other recording
        except SubwhisperError as error:
            yield Detected(str(one), error=error)
