"""What this machine has for sound, pictures and captions, for `subwhisper doctor`."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from subwhisper.errors import ToolError
from subwhisper.media.burn import BURN_NEEDS
from subwhisper.media.decode import DECODE_NEEDS
from subwhisper.media.ffmpeg import find_ffmpeg, missing, packaged_ffmpeg, system_ffmpeg, version
from subwhisper.media.fonts import FAMILY, font_folder, lay_out_fonts, write_fonts
from subwhisper.media.glyphs import check_glyphs


@dataclass(frozen=True, slots=True)
class FfmpegFacts:
    """One ffmpeg binary."""

    path: Path
    version: str | None
    """None when it cannot be run."""
    lacks_for_decoding: frozenset[str]
    lacks_for_burning: frozenset[str]
    """Such as "filter:ass" where it was built without libass."""


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


SCRIPTS = {
    "Latin": "Aßłđ", "Vietnamese": "ơửậ", "Greek": "Ωλ", "Cyrillic": "ЖіЂ", "Armenian": "Հայ", "Georgian": "ქარ",
    "Hebrew": "שלום", "Arabic": "سلام", "Persian and Urdu": "پچگٹ", "Devanagari": "हिन्दी", "Bengali": "বাংলা",
    "Gurmukhi": "ਪੰਜਾ", "Gujarati": "ગુજ", "Tamil": "தமிழ்", "Telugu": "తెలు", "Kannada": "ಕನ್ನ", "Malayalam": "മല",
    "Sinhala": "සිං", "Thai": "ไทย", "Lao": "ລາວ", "Khmer": "ខ្មែរ", "Myanmar": "မြန်", "Ethiopic": "አማርኛ",
    "Chinese": "汉語門", "Japanese": "ひらカナ字", "Korean": "한국어", "music notes": "♪♫",
}  # fmt: skip
"""Characters that no font of a script would lack."""

_SCRIPT_HEAD = """[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,{family},20
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def missing_scripts(explicit: Path | None = None) -> dict[str, str]:
    """Which scripts captions cannot be drawn in here: its name -> the characters tried that no font has.

    Raises:
        ToolError: no ffmpeg can draw captions, or none finds any font.
    """
    binary = find_ffmpeg(frozenset({"filter:ass", "filter:color"}), explicit)
    events = [f"Dialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,{said}\n" for said in SCRIPTS.values()]
    script = _SCRIPT_HEAD.format(family=FAMILY) + "".join(events)
    with TemporaryDirectory(prefix="subwhisper-") as folder:
        workspace = Path(folder)
        environment = lay_out_fonts(workspace)
        common = {"ffmpeg": binary, "log_level": "verbose", "cwd": workspace, "env": environment}
        lost = check_glyphs(script, Path("the samples of scripts"), workspace, common).lost
    found = {name: "".join(it for it in said if it in lost) for name, said in SCRIPTS.items()}
    return {name: characters for name, characters in found.items() if characters}


def font_facts() -> FontFacts:
    """See that the fonts are in the cache, writing them if they are not."""
    folder = font_folder()
    try:
        return FontFacts(FAMILY, folder, write_fonts(folder), None)
    except OSError as error:
        return FontFacts(FAMILY, folder, (), f"{folder} cannot be written: {error.strerror}")
