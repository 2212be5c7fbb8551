"""Fonts for captions, so that a machine without any draws the same captions as one with many.

They come from the pymupdf-fonts package: FiraGO (Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari, Thai,
Georgian) in four cuts, Fira Mono for its ♪ (Noto's are a third of the size beside FiraGO), Noto Sans and its symbols.
They are written to the cache once. Not among them: Chinese, Japanese, Korean, Armenian, Bengali, Tamil; those need
fonts of the system, or fonts that the user added.
"""

import os
import shutil
from importlib.metadata import version
from pathlib import Path
from xml.sax.saxutils import escape

from subwhisper.errors import InputError, OutputError
from subwhisper.replacing import replacing
from subwhisper.settings import cache_folder, data_folder

FAMILY = "FiraGO"
"""The family that is always there; others are used where it lacks a character, or where a style names them."""

_FAMILIES = (FAMILY, "Noto Sans", "Fira Mono", "Noto Sans Symbols", "Noto Sans Symbols2")
_FILES = {  # pymupdf-fonts' own short name -> file
    "figo": "FiraGO-Regular.ttf",
    "figbo": "FiraGO-Bold.ttf",
    "figit": "FiraGO-Italic.ttf",
    "figbi": "FiraGO-BoldItalic.ttf",
    "fimo": "FiraMono-Regular.ttf",
    "fimbo": "FiraMono-Bold.ttf",
    "notos": "NotoSans-Regular.ttf",
    "notosbo": "NotoSans-Bold.ttf",
    "notosit": "NotoSans-Italic.ttf",
    "notosbi": "NotoSans-BoldItalic.ttf",
    "symbol1": "NotoSansSymbols-Regular.otf",
    "symbol2": "NotoSansSymbols2-Regular.otf",
}


_KINDS = {b"\x00\x01\x00\x00": ".ttf", b"true": ".ttf", b"OTTO": ".otf", b"ttcf": ".ttc"}
"""How font files begin."""


def added_folder() -> Path:
    """Where the fonts are that the user added; may not exist."""
    return data_folder() / "fonts"


def added_fonts() -> tuple[Path, ...]:
    """The fonts that the user added, by name."""
    folder = added_folder()
    return tuple(sorted(path for path in folder.iterdir() if path.is_file())) if folder.is_dir() else ()


def add_fonts(source: Path) -> tuple[Path, ...]:
    """Keep a font file, or all those below a folder, for every burn to come.

    Returns:
        Where they are kept.

    Raises:
        InputError: it is no font, or the folder holds none.
        OutputError: they cannot be kept.
    """
    if not source.exists():
        raise InputError(f"{source} does not exist")
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    fonts = [path for path in files if _kind(path)]
    if not fonts:
        raise InputError(f"{source} {'holds no fonts' if source.is_dir() else 'is no font'}", hint=".ttf, .otf or .ttc")
    folder = added_folder()
    kept = []
    for path in fonts:
        target = folder / (path.stem + _kind(path))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as source_file, replacing(target) as file:
                shutil.copyfileobj(source_file, file)
        except OSError as error:
            raise OutputError(f"{target} cannot be written: {error.strerror}") from error
        kept.append(target)
    return tuple(kept)


def _kind(path: Path) -> str:
    """The suffix that a font file should have; nothing where it is none."""
    try:
        with path.open("rb") as file:
            return _KINDS.get(file.read(4), "")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def font_folder() -> Path:
    """Where the fonts are kept; may not exist yet."""
    return cache_folder() / "fonts" / version("pymupdf-fonts")


def write_fonts(folder: Path) -> tuple[Path, ...]:
    """Write the fonts that are not there yet, each whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    import pymupdf_fonts

    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / file for name, file in _FILES.items()}
    for name, path in paths.items():
        if not path.is_file():
            with replacing(path) as file:
                file.write(pymupdf_fonts.myfont(name))
    return tuple(paths.values())


def lay_out_fonts(workspace: Path) -> dict[str, str]:
    """Make `fonts/` and `fonts.conf` in a folder that ffmpeg will run in.

    Returns:
        The environment that makes libass find the fonts: the system's first, ours last.
    """
    local = workspace / "fonts"
    try:
        kept = font_folder()
        write_fonts(kept)
        try:
            local.symlink_to(kept.absolute(), target_is_directory=True)
        except OSError:  # Windows, without the right to make links
            shutil.copytree(kept, local)
        cache = cache_folder() / "fontconfig"
        cache.mkdir(exist_ok=True)
    except OSError:  # a home that cannot be written: this one job writes them for itself
        shutil.rmtree(local, ignore_errors=True)
        write_fonts(local)
        kept, cache = local, workspace / "fontconfig"
    configuration = workspace / "fonts.conf"
    configuration.write_text(_configuration(kept.absolute(), cache.absolute()), encoding="utf-8")
    return {**os.environ, "FONTCONFIG_FILE": str(configuration)}


def _configuration(fonts: Path, cache: Path) -> str:
    system = os.environ.get("FONTCONFIG_FILE") or "/etc/fonts/fonts.conf"
    families = "".join(f"<string>{escape(family)}</string>" for family in _FAMILIES)
    return f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">{escape(system)}</include>
  <dir>{escape(str(fonts))}</dir>
  <dir>{escape(str(added_folder().absolute()))}</dir>
  <cachedir>{escape(str(cache))}</cachedir>
  <match target="pattern">
    <edit name="family" mode="append_last" binding="weak">{families}</edit>
  </match>
</fontconfig>
"""
