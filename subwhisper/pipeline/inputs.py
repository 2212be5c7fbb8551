"""From what the user typed to the recordings that are meant.

An argument is a file, a folder (searched to its depths for media), a pattern such as `talks/*.mp4`, a URL, or `-` for
standard input. A bad argument among good ones does not stop the good ones, so it comes
back as a value in its place and is reported with the others.
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

CAPTIONED_SUFFIX = ".captioned.mp4"
"""Ends the name of every video that we drew captions into; a folder search leaves those out."""

_SOUND = (
    "aac",
    "ac3",
    "aif",
    "aiff",
    "amr",
    "au",
    "caf",
    "dts",
    "eac3",
    "flac",
    "m4a",
    "m4b",
    "mka",
    "mp2",
    "mp3",
    "oga",
    "ogg",
    "opus",
    "spx",
    "tta",
    "voc",
    "wav",
    "wma",
    "wv",
)
_PICTURE = (
    "3g2",
    "3gp",
    "asf",
    "avi",
    "divx",
    "f4v",
    "flv",
    "m2ts",
    "m4v",
    "mkv",
    "mov",
    "mp4",
    "mpeg",
    "mpg",
    "mts",
    "mxf",
    "ogm",
    "ogv",
    "rm",
    "rmvb",
    "ts",
    "vob",
    "webm",
    "wmv",
)

MEDIA_EXTENSIONS = frozenset(f".{name}" for name in (*_SOUND, *_PICTURE))
"""What a folder search takes for media. A file named outright is tried whatever its name."""


@dataclass(frozen=True, slots=True)
class Source:
    """One recording to work on."""

    path: Path | None
    """`None` is standard input, or a URL."""
    url: str | None = None
    below: PurePath = field(default_factory=PurePath)
    """Where it lay below the folder that was searched; results elsewhere keep that shape."""

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


def expand(arguments: Sequence[str]) -> list[Source | Refused]:
    """Find the recordings that the arguments name: in their order, folders by name, none twice."""
    found: list[Source | Refused] = []
    seen: set[Path | str | None] = set()
    for argument in arguments:
        try:
            for source in _sources(argument):
                identity = source.path.resolve() if source.path else source.url
                if identity not in seen:
                    seen.add(identity)
                    found.append(source)
        except InputError as error:
            found.append(Refused(argument, error))
    return found


def absolute(name: str) -> str:
    """The name by which the journal knows a recording."""
    return name if is_url(name) else os.path.abspath(name)


def the_source(argument: str) -> Source:
    """The one recording that an argument names.

    Raises:
        InputError: it names none, or a folder.
    """
    if argument and argument != STDIN and not is_url(argument) and Path(argument).is_dir():
        raise InputError(f"{argument} is a folder", hint="name one file")
    found = list(_sources(argument))
    if len(found) > 1:
        raise InputError(f"{argument} names {len(found)} files", hint="name one file")
    return found[0]


def _sources(argument: str) -> Iterator[Source]:
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
            yield from _media_in(path)
        else:
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


def _media_in(folder: Path) -> Iterator[Source]:
    paths = [
        Path(place, name)
        for place, _, names in os.walk(folder)
        if not _hidden_below(Path(place), folder)
        for name in names
        if is_media(name)
    ]
    if not paths:
        raise InputError(f"{folder} holds no audio or video", hint="name a file to have it tried whatever its name")
    yield from map(Source, sorted(paths))


def is_media(name: str) -> bool:
    """Whether a folder search takes a file of this name."""
    if name.startswith(".") or name.endswith(CAPTIONED_SUFFIX):
        return False
    return Path(name).suffix.lower() in MEDIA_EXTENSIONS


def _hidden_below(place: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in place.relative_to(folder).parts)


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
