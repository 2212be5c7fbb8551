"""Which recordings are meant: names, folders searched to their depths, patterns that let in or keep out, lists.

What a folder search finds knows where below the folder it lay, so that results elsewhere keep the same shape. A bad
name among good ones does not stop the good ones: it comes back as a value in its place and is reported with the others.
"""

import fnmatch
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from subwhisper.errors import InputError
from subwhisper.media.names import is_media
from subwhisper.pipeline.inputs import STDIN, Refused, Source, sources_named

NOT_SEARCHED = frozenset({"@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information"})
"""Folders, in lower case, in which file servers and systems keep things of their own."""
_TRICKPLAY = ".trickplay"
_LITERAL_EXTENSION = re.compile(r"\.\w+$")


@dataclass(frozen=True, kw_only=True)
class Search:
    """How arguments become recordings."""

    include: tuple[str, ...] = ()
    """Patterns of which one must fit. One that ends in an extension lets in files of any kind."""
    exclude: tuple[str, ...] = ()
    """Patterns of which none may fit. They are tried on the name, or on the path if they hold a slash."""
    recursive: bool = True
    lists: tuple[str, ...] = ()
    """Files with one argument a line, or with NUL characters between them; `-` is standard input."""

    def find(self, arguments: Sequence[str]) -> Iterator[Source | Refused]:
        """Find the recordings that are meant: folders by name, none twice.

        Raises:
            InputError: a list cannot be read.
        """
        seen: set[str] = set()
        listed = [line for name in self.lists for line in _lines(name)]
        for argument in (*arguments, *listed):
            for found in self._found(argument):
                key = os.path.abspath(found.path) if isinstance(found, Source) and found.path else str(found)
                if key not in seen:
                    seen.add(key)
                    yield found

    def _found(self, argument: str) -> Iterator[Source | Refused]:
        try:
            if argument and argument != STDIN and os.path.isdir(argument):
                yield from self._in_folder(argument)
            else:
                yield from sources_named(argument)
        except InputError as error:
            yield Refused(argument, error)

    def _in_folder(self, name: str) -> Iterator[Source]:
        found = False
        for source in self._below(Path(name), PurePath()):
            found = True
            yield source
        if not found and (self.include or self.exclude):
            raise InputError(f"{name} holds nothing that fits the patterns")
        if not found:
            hint = "name a file to have it tried whatever its name"
            raise InputError(f"{name} holds no audio or video", hint=hint)

    def _below(self, folder: Path, below: PurePath) -> Iterator[Source]:
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            return  # a folder that may not be entered is not searched, as the system's own tools do
        folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        for entry in entries:
            path = below / entry.name
            if self._is_wanted(path) and entry.is_file():
                yield Source(folder / entry.name, below=below, searched=True)
        for entry in folders if self.recursive else ():
            if not _is_private(entry.name) and not self._is_excluded(below / entry.name):
                yield from self._below(folder / entry.name, below / entry.name)

    def _is_wanted(self, path: PurePath) -> bool:
        if path.name.startswith(".") or self._is_excluded(path):
            return False
        if not self.include:
            return is_media(path.name)
        fitting = [pattern for pattern in self.include if _fits(path, pattern)]
        return any(is_media(path.name) or _LITERAL_EXTENSION.search(pattern) for pattern in fitting)

    def _is_excluded(self, path: PurePath) -> bool:
        return any(_fits(path, pattern) for pattern in self.exclude)


def expand(arguments: Sequence[str]) -> list[Source | Refused]:
    """Find the recordings that arguments name: in their order, folders by name, none twice."""
    return list(Search().find(arguments))


def _fits(path: PurePath, pattern: str) -> bool:
    if "/" in pattern:
        return fnmatch.fnmatch(path.as_posix(), pattern.strip("/"))
    return fnmatch.fnmatch(path.name, pattern)


def _is_private(folder: str) -> bool:
    return folder.startswith(".") or folder.lower() in NOT_SEARCHED or folder.lower().endswith(_TRICKPLAY)


def _lines(name: str) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"the list {name} cannot be read: {error.strerror or error}") from error
    parts = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(part) for part in parts if part.strip()]
