"""Where results go: their names, what they must not overwrite, and how they get there whole.

A result is `{stem}.{language}.{format}`, or as `names.py` has it, beside its input or in the folder asked for.
Running again replaces what an earlier run wrote (unless told not to), but an input is never overwritten, and two
inputs never share a name. A file appears under its name only when it is complete: it is written under
a hidden name beside it first, so neither a failure nor Ctrl-C leaves half of one.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from errno import ENAMETOOLONG
from functools import lru_cache
from pathlib import Path, PurePath

from subwhisper.errors import OptionError, OutputError
from subwhisper.languages import LANGUAGES
from subwhisper.media.names import CAPTIONED_SUFFIX
from subwhisper.pipeline.identity import ProcessIdentity, sampled_hash
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.names import LangStyle, Variant, result_name, spelled

ALL = "all"
"""Stands for every format in a list of them."""

_HIDDEN = ".subwhisper-"


@dataclass(frozen=True)
class OutputPlan:
    """Which files a job leaves behind, and where."""

    formats: tuple[str, ...] = ("srt",)
    folder: Path | None = None
    """`None` is beside each input."""
    burn: bool = False
    """Also draw the captions into the picture: `{stem}.captioned.mp4`."""
    overwrite: bool = True
    """Replace what an earlier run wrote. An input is never replaced."""
    lang_style: LangStyle = "iso1"
    """How names spell the language."""
    variant: Variant | None = None
    """What else names tell of the captions."""
    subfolder: str | None = None
    """A folder below the other one for captions, such as `Subs`, which media players look into."""

    beside_tracks: bool = False
    """Make captions also for videos that carry some in a track of their own."""

    def __post_init__(self) -> None:
        if self.subfolder is not None and PurePath(self.subfolder).name != self.subfolder:
            raise OptionError(f"{self.subfolder!r} is not the plain name of a folder")

    def path(self, source: Source, language: str, format: str) -> Path:
        name = result_name(source.stem, language, format, style=self.lang_style, variant=self.variant)
        return self.folder_for(source) / (self.subfolder or "") / name

    def beside_another(self) -> "OutputPlan":
        """The plan for a second language of the same input, whose names must tell it from the first."""
        return replace(self, lang_style="iso1") if self.lang_style == "none" else self

    def captioned(self, source: Source) -> Path:
        return self.folder_for(source) / f"{source.stem}{CAPTIONED_SUFFIX}"

    def folder_for(self, source: Source) -> Path:
        return source.folder if self.folder is None else self.folder / source.below

    def check(self, sources: Collection[Source]) -> None:
        """Find out before any work is done whether the results will have a place.

        Raises:
            OutputError: two sources would write the same name, a captioned video would replace a source,
                or a folder cannot be written to.
        """
        owners: dict[str, Source] = {}
        for source in sources:
            # The language is often not known yet, so equal stems in one folder are a clash already.
            folder = self.folder_for(source)
            key = os.path.normcase(folder.resolve() / source.stem)
            if key in owners:
                raise OutputError(
                    f"{owners[key]} and {source} would both write {self.path(source, 'LANGUAGE', self._first())}",
                    hint="rename one, or run them apart with an --output-dir each",
                )
            owners[key] = source
        if self.burn:
            self._refuse_captions_over(sources)
        for folder in dict.fromkeys(self.folder_for(source) for source in owners.values()):
            check_writable(folder)
        for source in sources:
            self._refuse_long_names(source)

    def _refuse_captions_over(self, sources: Collection[Source]) -> None:
        inputs = {source.path.resolve() for source in sources if source.path}
        for source in sources:
            target = self.captioned(source)
            if target.resolve() in inputs:
                raise OutputError(
                    f"{target} is an input and would be overwritten by {source} with captions",
                    hint="leave one of them out, or name an --output-dir",
                )

    def _refuse_long_names(self, source: Source) -> None:
        longest = max(LANGUAGES, key=lambda code: len(spelled(code, self.lang_style)))
        paths = [self.path(source, longest, format) for format in self.formats]
        for path in [*paths, *([self.captioned(source)] if self.burn else [])]:
            check_name(path)

    def refuse_existing(self, source: Source, language: str | None) -> None:
        """When told not to overwrite, refuse a source whose results are there.

        Args:
            source: the recording about to be transcribed.
            language: of the text; `None` when not known yet: a result in any language counts then.

        Raises:
            OutputError: names the file that is in the way.
        """
        if self.overwrite:
            return
        wanted = [self.path(source, language, format) for format in self.formats] if language else []
        present = [path for path in wanted if path.exists()]
        if language is None:
            folder = self.folder_for(source)
            names = sorted(folder.iterdir()) if folder.is_dir() else []
            results = {self.path(source, code, format).name for code in LANGUAGES for format in self.formats}
            present = [path for path in names if path.name in results]
        if self.burn and self.captioned(source).exists():
            present.append(self.captioned(source))
        if present:
            raise OutputError(f"{present[0]} exists", hint="leave out --no-overwrite to replace it")

    def _first(self) -> str:
        return self.formats[0] if self.formats else "mp4"


def formats_among(known: Sequence[str], text: str, *, common: tuple[str, ...]) -> tuple[str, ...]:
    """Read a list of formats: `srt,vtt`, or `all` for the common ones.

    Raises:
        OptionError: one is unknown, or there is none.
    """
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if ALL in names:
        return common
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"one or more of {', '.join(known)}; or all"
            raise OptionError(f"unknown format {name!r}", hint=hint)
    if not names:
        raise OptionError("no format was given", hint=f"one or more of {', '.join(known)}; or all")
    return tuple(dict.fromkeys(names))


def check_writable(folder: Path) -> None:
    """Make sure that files can be made in a folder, which is made if it is not there.

    Raises:
        OutputError: it is a file, or may not be written to.
    """
    # Permission bits do not tell (root, network drives, read-only mounts): only trying does.
    probe = folder / _hidden_name("")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except FileExistsError as error:
        raise OutputError(f"{folder} is not a folder") from error
    except OSError as error:
        raise OutputError(
            f"cannot write to {folder.absolute()}: {error.strerror}", hint="choose another folder"
        ) from error


def check_name(path: Path) -> None:
    """Make sure that a disk takes a name.

    Raises:
        OutputError: it is too long.
    """
    try:
        path.lstat()
    except OSError as error:
        if error.errno == ENAMETOOLONG:
            hint = "rename the input to something shorter, or name a shorter output"
            raise OutputError(f"the name of {path} is too long for its disk", hint=hint) from error


@contextmanager
def replacing(targets: Iterable[Path], *, inputs: Iterable[Path] = ()) -> Iterator[Mapping[Path, Path]]:
    """Give each target a hidden name to write to; all take their places when the block ends well.

    Args:
        targets: the files to be.
        inputs: files that must not be written over.

    Yields:
        target -> the name to write to, beside it and with the same extension. Whatever is there
        is removed when the block fails, and then every target is as it was.

    Raises:
        OutputError: a target is one of the inputs or is no regular file, or writing failed.
    """
    protected = {path.resolve() for path in inputs}
    # A link is followed, so that what it points at is replaced and not the link.
    places = {target: target.resolve() for target in targets}
    hidden = {target: place.with_name(_hidden_name(place.suffix)) for target, place in places.items()}
    try:
        for target, place in places.items():
            _refuse_place(target, place, protected)
            place.parent.mkdir(parents=True, exist_ok=True)
        yield hidden
        for target, place in places.items():
            os.replace(hidden[target], place)
    except OSError as error:
        first, *others = places
        names = f"{first} and {len(others)} more" if others else str(first)
        raise OutputError(f"{names} could not be written: {error.strerror or error}") from error
    finally:
        for path in hidden.values():
            with suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()


def write_files(files: Mapping[Path, bytes], *, inputs: Iterable[Path] = ()) -> None:
    """Write several files, all or none.

    Raises:
        OutputError: as `replacing`.
    """
    with replacing(files, inputs=inputs) as hidden:
        for target, content in files.items():
            hidden[target].write_bytes(content)


def refuse_changed(files: Mapping[Path, bytes], ours: Collection[str]) -> None:
    """Refuse to replace files that are not as we left them.

    Args:
        files: what is about to be written.
        ours: hashes of what we wrote before.

    Raises:
        OutputError: names a file that somebody else made or changed.
    """
    for path, content in files.items():
        if path.exists() and sampled_hash(path) not in {*ours, sampled_hash(content)}:
            raise OutputError(f"{path} is there and is not as we left it", hint="--redo replaces it")


def _refuse_place(target: Path, place: Path, protected: Collection[Path]) -> None:
    if place in protected:
        raise OutputError(f"{target} is an input and would be overwritten", hint="choose another name")
    if place.exists() and not place.is_file():
        raise OutputError(f"{target} is there and is not a regular file")


def _hidden_name(suffix: str) -> str:
    """A name that tells whose it is, so that what a killed process leaves behind can be known for it."""
    return f"{_HIDDEN}{_own_identity(os.getpid())}-{os.urandom(4).hex()}{suffix}"


@lru_cache(maxsize=1)
def _own_identity(pid: int) -> str:
    return str(ProcessIdentity.current())


def remove_leftovers(folder: Path, names: Iterable[str]) -> None:
    """Remove the unfinished files of processes that are gone from this machine.

    Args:
        folder: where results are written.
        names: what lies in it.
    """
    for name in names:
        if found := re.fullmatch(rf"{re.escape(_HIDDEN)}(\w+-\w+-\d+-\w*)-[0-9a-f]+(\.\w+)?", name):
            owner = ProcessIdentity.parse(found[1])
            if owner is not None and owner.is_gone():
                (folder / name).unlink(missing_ok=True)
