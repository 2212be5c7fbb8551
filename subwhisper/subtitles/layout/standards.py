"""Profiles by name and from files: `profiles.toml` beside this module, and the user's own.

A profile of one's own is a TOML file with the fields of `Profile`; `base` names the one it starts from:

    base = "netflix"
    max_line_width = 38

    [languages.ja]
    max_line_width = 32

`false` takes a limit away. What it states at the top counts for every language, whatever its base says of one.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from subwhisper.errors import ConfigError, OptionError
from subwhisper.subtitles.layout.profile import LIMITS, Profile

DEFAULT = "netflix"
_DATA = Path(__file__).with_name("profiles.toml")
_KEYS = LIMITS | {"base", "source", "languages"}
_TYPES = get_type_hints(Profile)


def profile_names() -> tuple[str, ...]:
    """The profiles that come with the package."""
    return tuple(_standards())


def load_profile(name: str = DEFAULT) -> Profile:
    """Return a profile by its name, or read one from a TOML file.

    Raises:
        OptionError: there is no such profile.
        ConfigError: the file cannot be read or holds something else than a profile.
    """
    known = _standards()
    if name.lower() in known:
        return known[name.lower()]
    path = Path(name)
    if path.suffix.lower() == ".toml":
        return _built(path.stem, _document(path), str(path), known)
    near = get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}; or a file that ends in .toml"
    raise OptionError(f"there is no profile {name!r}", hint=hint)


@cache
def _standards() -> Mapping[str, Profile]:
    known: dict[str, Profile] = {}
    for name, table in _document(_DATA).items():
        known[name] = _built(name, table, f"{_DATA.name}: [{name}]", known)
    return MappingProxyType(known)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def _built(name: str, table: Mapping[str, Any], where: str, known: Mapping[str, Profile]) -> Profile:
    values = _checked(table, _KEYS, where)
    base = values.pop("base", None)
    if base is not None and base not in known:
        raise ConfigError(f"{where}: base must be one of {', '.join(known)}, got {base!r}")
    own = values.pop("languages", {})
    profile = known[base] if base is not None else Profile()
    try:
        profile = profile.changed(name=name, **values)
        merged = {code: {**profile.languages.get(code, {}), **own.get(code, {})} for code in {*profile.languages, *own}}
        return replace(profile, languages=merged)
    except OptionError as error:
        raise ConfigError(f"{where}: {error.message}") from error


def _checked(table: Mapping[str, Any], known: frozenset[str], where: str) -> dict[str, Any]:
    """The values with their types seen to: `false` is `None` where a limit may be missing."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise ConfigError(f"{where} has no value named {key}", hint=f"did you mean {near[0]}?" if near else None)
        values[key] = _languages(value, where) if key == "languages" else _typed(key, value, where)
    return values


def _languages(value: Any, where: str) -> dict[str, dict[str, Any]]:
    if not (isinstance(value, dict) and all(isinstance(own, dict) for own in value.values())):
        raise ConfigError(f"{where}: languages must be tables, such as [languages.ja]")
    return {code.lower(): _checked(own, LIMITS, f"{where} languages.{code}") for code, own in value.items()}


def _typed(key: str, value: Any, where: str) -> Any:
    wanted = _TYPES.get(key, str)
    kinds = get_args(wanted) or (wanted,)
    if value is False and type(None) in kinds:
        return None
    if isinstance(value, bool) == (bool in kinds):
        if float in kinds and isinstance(value, (int, float)):
            return float(value)
        if isinstance(value, kinds):
            return value
    noun = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}[kinds[0]]
    raise ConfigError(f"{where}: {key} must be {noun}, got {value!r}")
