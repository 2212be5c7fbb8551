"""Where subwhisper keeps its files, and what its configuration files say.

Precedence is flag > environment > TOML file > default; Typer does the first two steps and
takes the third from the mapping that `default_map` builds. Nothing is read on import.

Two files are read where they exist, everything in the second over the first:
the user's `config.toml` and the project's `subwhisper.toml` (in the working folder or the nearest
one above it). A key at the top counts for every command that has that option, a key in a table
named like a command for that command only, or for those below it:

    model = "small"

    [transcribe]
    format = ["srt", "vtt"]
    word-timestamps = true

    [models.convert]
    weights = "f16"
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from subwhisper.errors import ConfigError

PROJECT_FILE = "subwhisper.toml"
JOURNAL_MB = 1000.0
JOURNAL_DAYS = 180.0

Options = Mapping[str, str]
"""The options of one command: name in a file, with hyphens -> name of the parameter."""


def cache_folder() -> Path:
    """Where downloads and fonts go: `SUBWHISPER_CACHE`, else the user's cache folder. May not exist yet."""
    return _folder("SUBWHISPER_CACHE", "cache")


def data_folder() -> Path:
    """Where the user's own fonts are kept: `SUBWHISPER_DATA`, else the user's data folder. May not exist yet."""
    return _folder("SUBWHISPER_DATA", "data")


def state_folder() -> Path:
    """Where the journal is kept: `SUBWHISPER_STATE`, else the user's state folder. May not exist yet."""
    return _folder("SUBWHISPER_STATE", "state")


def _folder(variable: str, kind: Literal["cache", "config", "data", "state"]) -> Path:
    """What a variable of the environment says, else the user's own folder of a kind.

    Raises:
        ConfigError: nobody says where the user's home is.
    """
    try:
        if stated := os.environ.get(variable):
            return Path(stated).expanduser()
        import platformdirs  # 15 ms, which --help need not wait for

        found: Path = getattr(platformdirs, f"user_{kind}_path")("subwhisper", appauthor=False)
    except RuntimeError as error:
        raise ConfigError("nobody says where your home folder is", hint=f"set HOME, or {variable}") from error
    return found


def config_files(folder: Path | None = None) -> tuple[Path, ...]:
    """The configuration files that exist, the weakest first.

    `SUBWHISPER_CONFIG` names a file to read instead of the user's own.

    Args:
        folder: where the search for the project's file begins; the working folder by default.

    Raises:
        ConfigError: the file that `SUBWHISPER_CONFIG` names does not exist.
    """
    user = None
    if stated := os.environ.get("SUBWHISPER_CONFIG"):
        user = Path(stated).expanduser()
        if not user.is_file():
            raise ConfigError(f"{user} does not exist", hint="SUBWHISPER_CONFIG must name a TOML file")
    else:
        with suppress(ConfigError):  # no home, no file in it
            user = _folder("SUBWHISPER_CONFIG", "config") / "config.toml"
    start = folder or Path.cwd()
    projects = (place / PROJECT_FILE for place in (start, *start.parents))
    project = next((path for path in projects if path.is_file()), None)
    return tuple(path for path in (user, project) if path is not None and path.is_file())


def default_map(files: Sequence[Path], commands: Mapping[str, Options]) -> dict[str, dict[str, Any]]:
    """Build Typer's `default_map`: command -> parameter -> value, or the command below it -> parameter -> value.

    Args:
        files: the weakest first.
        commands: every command and its options, as it is typed (`transcribe`, `models convert`); what they do
            not hold is refused.

    Raises:
        ConfigError: a file cannot be read, is not TOML, or has a key that no command knows.
    """
    documents = [_read(path, commands) for path in files]
    chosen: dict[str, Any] = {}
    for command, options in commands.items():
        values: dict[str, Any] = {}
        for document in documents:
            said = _said(document, command.split())
            values |= {options[key]: value for key, value in said.items() if key in options}
        if values:
            place = chosen
            for word in command.split():
                place = place.setdefault(word, {})
            place |= values
    return chosen


def _said(document: Mapping[str, Any], command: Sequence[str]) -> dict[str, Any]:
    """What one file says to a command, the nearest table over those around it."""
    said: dict[str, Any] = {}
    for word in command:
        said |= {key: value for key, value in document.items() if not isinstance(value, dict)}
        document = document.get(word, {})
    return said | dict(document)


def _read(path: Path, commands: Mapping[str, Options]) -> dict[str, Any]:
    """One file with its keys spelt with hyphens, all of them known."""
    import tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return _checked(path, document, commands)


def _checked(path: Path, table: Mapping[str, Any], commands: Mapping[str, Options], within: str = "") -> dict[str, Any]:
    """A table in which every key is an option of some of the commands, or begins the name of one."""
    options = {name for known in commands.values() for name in known}
    below = {command.partition(" ")[0] for command in commands} - {""}
    checked: dict[str, Any] = {}
    for key, value in _hyphenated(table).items():
        if key not in below:
            _refuse_unknown(path, key, options | below, within=f"[{within}] " if within else "")
            checked[key] = value
            continue
        name = f"{within}.{key}" if within else key
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: {name} is a command, so it must be a table", hint=f"write [{name}]")
        inner = {command: known for command, known in commands.items() if command.partition(" ")[0] == key}
        inner = {command.partition(" ")[2]: known for command, known in inner.items()}
        checked[key] = _checked(path, value, inner, name)
    return checked


def _hyphenated(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("_", "-"): value for key, value in table.items()}


def _refuse_unknown(path: Path, name: str, known: set[str], within: str) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "subwhisper COMMAND --help lists the options"
    raise ConfigError(f"{path}: {within}has no option named {name}", hint=hint)
