"""How results are named, so that media servers know what they are: `film.en.sdh.srt`.

Jellyfin, Emby, Plex, Kodi and Bazarr read the language from the part before the format, in one of several
spellings, and from a word after it that the captions are for the deaf, or only for foreign parts.
"""

from typing import Literal, get_args

from subwhisper.errors import OptionError
from subwhisper.languages import LANGUAGES

LangStyle = Literal["iso1", "iso2t", "iso2b", "name", "none"]
"""`en`, `deu`, `ger`, `German`, or nothing."""

Variant = Literal["forced", "sdh", "cc", "default"]
"""Only what is foreign in the film; for the deaf and hard of hearing, in the words of two traditions; shown unasked."""


def spelled(language: str, style: LangStyle) -> str:
    """A language as a file name has it.

    Args:
        language: its code.
        style: ISO 639-1, 639-2/T (by its own name), 639-2/B (by its English name), in English, or not at all.
    """
    if style == "name":
        return LANGUAGES.get(language, language)
    if style == "none":
        return ""
    if style == "iso1":
        return language
    from langcodes import Language  # its tables take a while to load, and most names need none of them

    try:
        return Language.get(language).to_alpha3(variant="B" if style == "iso2b" else "T")
    except LookupError:
        return language


def result_name(stem: str, language: str, format: str, *, style: LangStyle, variant: Variant | None) -> str:
    """`{stem}.{language}.{variant}.{format}`, without the parts there are none of."""
    return ".".join(filter(None, (stem, spelled(language, style), variant, format)))


def parse_lang_style(text: str) -> LangStyle:
    """Read the name of a spelling.

    Raises:
        OptionError: there is no such spelling.
    """
    for name in get_args(LangStyle):
        if text.lower() == name:
            found: LangStyle = name
            return found
    raise OptionError(f"there is no --lang-style {text!r}", hint=f"one of {', '.join(get_args(LangStyle))}")


def parse_variant(text: str | None) -> Variant | None:
    """Read the name of a variant.

    Raises:
        OptionError: there is no such variant.
    """
    if text is None:
        return None
    for name in get_args(Variant):
        if text.lower() == name:
            found: Variant = name
            return found
    raise OptionError(f"there is no --variant {text!r}", hint=f"one of {', '.join(get_args(Variant))}")
