"""What this machine has for sound, pictures and captions, for `subwhisper doctor`."""

from dataclasses import dataclass
from pathlib import Path

from subwhisper.errors import ToolError
from subwhisper.media.burn import BURN_NEEDS
from subwhisper.media.decode import DECODE_NEEDS
from subwhisper.media.ffmpeg import find_ffmpeg, missing, packaged_ffmpeg, system_ffmpeg, version
from subwhisper.media.fonts import FAMILY, font_folder, write_fonts


@dataclass(frozen=True, slots=True)
class FfmpegFacts:
    """One ffmpeg binary."""

    path: Path
    version: str | None
    """None when it cannot be run."""
    lacks_for_decoding: frozenset[str]
    lacks_for_burning: frozenset[str]
    """Such as "filter:subtitles" where it was built without libass."""


@dataclass(frozen=True, slots=True)
class FfmpegChoice:
    """Which ffmpeg does what."""

    decoder: Path | None
    burner: Path | None
    no_decoder: str | None
    """Why there is none, with its remedy."""
    no_burner: str | None
    known: tuple[FfmpegFacts, ...]
    """The system's and imageio-ffmpeg's, where there are such."""


@dataclass(frozen=True, slots=True)
class FontFacts:
    """The fonts that captions can always count on."""

    family: str
    folder: Path
    files: tuple[Path, ...]
    """Empty where they cannot be kept; each burn then writes them for itself."""
    problem: str | None


def ffmpeg_facts(explicit: Path | None = None) -> FfmpegChoice:
    """Look at every ffmpeg there is."""
    known = [
        FfmpegFacts(path, version(path), missing(path, DECODE_NEEDS), missing(path, BURN_NEEDS))
        for path in (explicit, system_ffmpeg(), packaged_ffmpeg())
        if path is not None and path.is_file()
    ]
    decoder, no_decoder = _chosen(DECODE_NEEDS, explicit)
    burner, no_burner = _chosen(BURN_NEEDS, explicit)
    return FfmpegChoice(decoder, burner, no_decoder, no_burner, tuple(known))


def _chosen(needs: frozenset[str], explicit: Path | None) -> tuple[Path | None, str | None]:
    try:
        return find_ffmpeg(needs, explicit), None
    except ToolError as error:
        return None, str(error)


def font_facts() -> FontFacts:
    """See that the fonts are in the cache, writing them if they are not."""
    folder = font_folder()
    try:
        return FontFacts(FAMILY, folder, write_fonts(folder), None)
    except OSError as error:
        return FontFacts(FAMILY, folder, (), f"{folder} cannot be written: {error.strerror}")
