"""Turns anything with speech in it into captions.

The floors; imports point down only (tests/test_architecture.py holds them):

    cli                                  what the user types
    pipeline      training               whole jobs
    engine    media    subtitles         speech to words, ffmpeg, cues and files
    model                                the network and its weights
    (root)                               values everyone shares; no torch

Names listed in `__all__` are the library's promise. They load on first use, so that importing
the package costs next to nothing; everything else may change between minor versions.
"""

# ruff: noqa: F401 - the imports below are for editors and type checkers
from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from subwhisper.audio import Audio, Span
    from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions
    from subwhisper.engine.transcriber import Transcriber, load_model
    from subwhisper.errors import SubwhisperError
    from subwhisper.media.decode import open_audio
    from subwhisper.pipeline.transcribe import transcribe
    from subwhisper.subtitles.formats import read_track, write_track
    from subwhisper.subtitles.layout import lay_out
    from subwhisper.subtitles.layout.profile import Profile
    from subwhisper.subtitles.track import Cue, Track
    from subwhisper.transcript import Segment, Transcript, Word

_HOME = {
    "Audio": "audio",
    "Cue": "subtitles.track",
    "DecodeOptions": "engine.options",
    "FallbackOptions": "engine.options",
    "Profile": "subtitles.layout.profile",
    "Segment": "transcript",
    "Span": "audio",
    "SubwhisperError": "errors",
    "Track": "subtitles.track",
    "TranscribeOptions": "engine.options",
    "Transcriber": "engine.transcriber",
    "Transcript": "transcript",
    "Word": "transcript",
    "lay_out": "subtitles.layout",
    "load_model": "engine.transcriber",
    "open_audio": "media.decode",
    "read_track": "subtitles.formats",
    "transcribe": "pipeline.transcribe",
    "write_track": "subtitles.formats",
}
"""Public name -> the module it lives in."""

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
