"""Everything a user can cause, and the exit code each one ends with.

    SubwhisperError          1
    ├── OptionError          2   a value that cannot be (the shell's usage error)
    ├── InputError           3   an input is missing, unreadable or unsuitable
    │   └── MediaError       3   its audio or video could not be read
    ├── OutputError          4   a result could not be written, or would overwrite
    │   └── JournalError     4   the journal cannot be read or written
    ├── ModelError           5   a model is unknown, damaged, or cannot do what was asked
    │   └── DownloadError    6   a model could not be fetched
    ├── ConfigError          7   a configuration file is wrong
    ├── MissingExtra         8   an optional package is not installed
    ├── ToolError            9   ffmpeg is missing or failed for a reason that is not the input's
    └── PartialFailure      10   some of several inputs failed; the others are done

Ctrl-C ends with 130, SIGTERM with 143 and a closed terminal with 129, as shells expect. Anything else that escapes is
a bug and keeps its traceback.
"""


class SubwhisperError(Exception):
    """Something the user can put right: what happened, to what, and what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def to_dict(self) -> dict[str, object]:
        """A row of a machine-readable report."""
        kind = type(self).__name__
        return {"kind": kind, "message": self.message, "hint": self.hint, "exit_code": self.exit_code}


class OptionError(SubwhisperError, ValueError):
    """An option has a value that cannot be."""

    exit_code = 2


class InputError(SubwhisperError):
    """An input is missing, unreadable or unsuitable."""

    exit_code = 3


class MediaError(InputError):
    """The audio or video could not be read."""


class OutputError(SubwhisperError):
    """A result could not be written, or would overwrite what must stay."""

    exit_code = 4


class JournalError(OutputError):
    """The journal, which keeps what is done, cannot be read or written."""


class ModelError(SubwhisperError):
    """A model is unknown, damaged, or cannot do what was asked of it."""

    exit_code = 5


class DownloadError(ModelError):
    """A model could not be fetched."""

    exit_code = 6


class ConfigError(SubwhisperError):
    """A configuration file is wrong."""

    exit_code = 7


class MissingExtra(SubwhisperError):
    """An optional package is not installed."""

    exit_code = 8

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed", hint=f"pip install 'subwhisper[{extra}]'")


class ToolError(SubwhisperError):
    """Ffmpeg is missing, lacks what this job needs, or failed by itself."""

    exit_code = 9


class PartialFailure(SubwhisperError):
    """Some of several inputs failed; the others are done."""

    exit_code = 10
