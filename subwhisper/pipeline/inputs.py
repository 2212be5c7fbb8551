"""A recording that was named, and how it becomes a file that can be read.

A name is a file, a pattern such as `talks/*.mp4`, a URL, or `-` for standard input; folders are for `search.py`.
Whoever needs a file asks for one and does not care which of them it was.
"""

import glob
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from subwhisper.errors import InputError, SubwhisperError
from subwhisper.media.spool import spooled
from subwhisper.media.url import is_url, url_stem
from subwhisper.pipeline import OnProgress, unheard

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One recording to work on."""

    path: Path | None
    """`None` is standard input, or a URL."""
    url: str | None = None
    below: PurePath = field(default_factory=PurePath)
    """Where it lay below the folder that was searched; results elsewhere keep that shape."""
    searched: bool = False
    """Whether it was found in a folder, and nobody named it."""

    @classmethod
    def named(cls, name: str) -> "Source":
        """What a name stands for, whether or not it is there: a URL, or a path."""
        return cls(None, name) if is_url(name) else cls(Path(name))

    def __str__(self) -> str:
        return self.url or (STDIN if self.path is None else str(self.path))

    @property
    def stem(self) -> str:
        """What the names of its outputs begin with."""
        if self.url:
            return url_stem(self.url)
        return "stdin" if self.path is None else self.path.stem

    @property
    def suffix(self) -> str:
        """Of its name, with the dot; nothing where it has none."""
        return PurePath(urlsplit(self.url).path if self.url else self.path or "").suffix

    @property
    def name(self) -> str:
        """What people call it."""
        return self.url or ("standard input" if self.path is None else self.path.name)

    @property
    def folder(self) -> Path:
        """Where its outputs go unless another folder is given."""
        return Path() if self.path is None else self.path.parent


@dataclass(frozen=True, slots=True)
class Refused:
    """An argument that names no recording, and why."""

    argument: str
    error: SubwhisperError


def absolute(name: str) -> str:
    """The name by which the journal knows a recording."""
    return name if is_url(name) else os.path.abspath(name)


def the_source(argument: str) -> Source:
    """The one recording that an argument names.

    Raises:
        InputError: it names none, or a folder.
    """
    found = list(sources_named(argument))
    if len(found) > 1:
        raise InputError(f"{argument} names {len(found)} files", hint="name one file")
    return found[0]


def sources_named(argument: str) -> Iterator[Source]:
    """The recordings that an argument names: one, or those that fit a pattern.

    Raises:
        InputError: it names none, or a folder.
    """
    if argument == STDIN:
        yield Source(None)
        return
    if not argument:  # a shell variable that was not set; Path("") would be the working folder
        raise InputError("an input has an empty name")
    if is_url(argument):
        yield Source(None, argument)
        return
    path = Path(argument)
    if _exists(path):
        if path.is_dir():
            raise InputError(f"{argument} is a folder", hint="name one file")
        yield Source(path)
    elif glob.has_magic(argument):
        yield from _matches(argument)
    else:
        raise InputError(f"{argument} does not exist")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError) as error:  # a name too long, a null character, a folder that may not be entered
        raise InputError(f"{path} cannot be read: {error}") from error


def _matches(pattern: str) -> Iterator[Source]:
    paths = sorted(Path(match) for match in glob.glob(pattern, recursive=True))
    files = [path for path in paths if path.is_file()]
    if not files:
        raise InputError(f"no file matches {pattern}")
    yield from map(Source, files)


@dataclass(frozen=True, slots=True)
class Held:
    """A recording that lies in a file for a while."""

    path: Path
    subtitles: Mapping[str, Path] = field(default_factory=dict)
    """Language -> file, of those that people wrote and that were asked for; only a URL has such."""


@contextmanager
def held(
    source: Source, *, picture: bool = True, subtitles: Sequence[str] = (), on_progress: OnProgress = unheard
) -> Iterator[Held]:
    """A recording as a file that can be read more than once, for the length of a `with` block.

    Args:
        source: a file, standard input or a URL, which is fetched.
        picture: whether the picture of a URL is wanted; sound alone is quicker to fetch.
        subtitles: languages of the subtitles of a URL to fetch besides.
        on_progress: hears how far fetching is.

    Raises:
        InputError: nothing comes in on standard input.
        MediaError: the URL cannot be fetched.
    """
    if source.path is not None:
        yield Held(source.path)
        return
    kept = _fetched(source.url, picture, subtitles, on_progress) if source.url else _piped()
    with kept as it, _called(source.name, it.path):
        yield it


@contextmanager
def as_file(source: Source, *, picture: bool = True, on_progress: OnProgress = unheard) -> Iterator[Path]:
    """As `held`, without subtitles."""
    with held(source, picture=picture, on_progress=on_progress) as it:
        yield it.path


@contextmanager
def as_text(source: Source) -> Iterator[Path]:
    """A file of subtitles, for the length of a `with` block.

    Raises:
        InputError: nothing comes in on standard input.
        MediaError: the URL cannot be fetched.
    """
    if source.url is None:
        with as_file(source) as path:
            yield path
        return
    from subwhisper.media.fetch import fetch_text  # what `--help` need not wait for

    with TemporaryDirectory(prefix="subwhisper-") as folder:
        path = fetch_text(source.url, Path(folder))
        with _called(source.name, path):
            yield path


@contextmanager
def _called(name: str, path: Path) -> Iterator[None]:
    """Errors of a file that we made give it the name that its recording has: nobody knows the other."""
    try:
        yield
    except SubwhisperError as error:
        error.message = error.message.replace(str(path), name)
        error.hint = error.hint and error.hint.replace(str(path), name)
        raise


@contextmanager
def _fetched(url: str, picture: bool, subtitles: Sequence[str], on_progress: OnProgress) -> Iterator[Held]:
    from subwhisper.media.fetch import FetchOptions, fetch  # what `--help` need not wait for

    stage = f"fetching {url}"
    options = FetchOptions(audio_only=not picture, subtitles=tuple(subtitles))
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        fetched = fetch(url, Path(folder), options, on_progress=lambda done, total: on_progress(stage, done, total))
        yield Held(fetched.path, fetched.subtitles)


@contextmanager
def _piped() -> Iterator[Held]:
    if sys.stdin.isatty():
        raise InputError("nothing is sent to standard input", hint="pipe a recording in, or name a file")
    with spooled(sys.stdin.buffer) as path:
        yield Held(path)
