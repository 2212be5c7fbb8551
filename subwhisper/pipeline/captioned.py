"""Which recordings have captions already, by the names that media servers and people give them.

`talk.srt`, `talk.en.srt`, `talk.eng.sdh.srt` and `talk.English.srt` beside the recording or in a folder `Subs`
are captions of `talk.mp4`. Forced ones alone are not: they cover only foreign scenes.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from subwhisper.media.beside import caption_tags
from subwhisper.pipeline.inputs import Source
from subwhisper.pipeline.outputs import OutputPlan, remove_leftovers

CAPTION_FOLDERS = frozenset({"subs", "subtitles"})
"""In lower case."""
_LONGEST_TAIL = 4
"""Words behind the stem that are looked at: a language, kinds, the format."""

Names = dict[str, list[str]]
"""The names in a folder, by each beginning that may be a recording's stem."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A file of captions that lies there."""

    path: Path
    language: str | None
    """`None` where its name does not tell."""
    format: str


@dataclass
class Shelf:
    """The folders where captions may lie; each is listed once."""

    plan: OutputPlan
    _names: dict[Path, Names] = field(default_factory=dict)
    _around: dict[tuple[str, str], dict[Path, Names]] = field(default_factory=dict)
    """Where captions of the recordings of one folder may lie, by that folder and the one for results."""

    def captions(self, source: Source) -> list[Caption]:
        """The captions of a recording in the formats of the plan."""
        stem = source.stem
        return [caption for folder, names in self._places(source).items() for caption in self._in(folder, names, stem)]

    def tidy(self, source: Source) -> None:
        """Remove what killed processes left where the results of a recording go."""
        self._places(source)

    def captioned_video(self, source: Source) -> bool:
        target = self.plan.captioned(source)
        return target.name in self._listing(target.parent).get(source.stem, ())

    def _places(self, source: Source) -> dict[Path, Names]:
        home, target = source.folder, self.plan.folder_for(source)
        key = (str(home), str(target))
        if key not in self._around:
            folders = [target / (self.plan.subfolder or ""), target, home]
            names = self._listing(home)
            folders += [home / name for name in names if name.lower() in CAPTION_FOLDERS and name in names[name]]
            self._around[key] = {folder: self._listing(folder) for folder in folders}
        return self._around[key]

    def _in(self, folder: Path, names: Names, stem: str) -> Iterator[Caption]:
        for name in names.get(stem, ()):
            if name.rpartition(".")[2].lower() in self.plan.formats and (caption := _read(folder / name, stem)):
                yield caption

    def _listing(self, folder: Path) -> Names:
        """The names in a folder, by each beginning that may be a recording's stem."""
        if folder not in self._names:
            by_stem: Names = {}
            self._names[folder] = by_stem
            try:
                names = os.listdir(folder)
            except OSError:
                names = []
            remove_leftovers(folder, (name for name in names if name.startswith(".")))
            for name in names:
                by_stem.setdefault(name, []).append(name)
                stem = name
                for _ in range(_LONGEST_TAIL):
                    stem, dot, _ = stem.rpartition(".")
                    if not dot:
                        break
                    by_stem.setdefault(stem, []).append(name)
        return self._names[folder]


def _read(path: Path, stem: str) -> Caption | None:
    """Understand a name; `None` if it is not that of whole captions of `stem`."""
    *words, format = path.name.removeprefix(f"{stem}.").split(".")
    if not path.name.startswith(f"{stem}."):
        return None
    told = caption_tags(words)
    return Caption(path, told.language, format.lower()) if told else None


def covering(captions: Sequence[Caption], formats: Sequence[str], language: str | None) -> list[Caption]:
    """The captions that leave nothing to do: one for each format; empty if one is missing.

    Args:
        captions: of one recording.
        formats: wanted.
        language: wanted; `None` is any. A name that tells no language is taken for any only where none is asked for.
    """
    chosen = []
    for format in formats:
        fitting = [one for one in captions if one.format == format and language in (None, one.language)]
        if not fitting:
            return []
        chosen += fitting
    return chosen
