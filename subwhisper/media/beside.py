"""What the names of caption files beside a recording tell: `talk.en.sdh.srt` beside `talk.mp4`."""

from collections.abc import Sequence
from dataclasses import dataclass

from subwhisper.languages import LANGUAGES
from subwhisper.media.tracks import named_language

_KINDS = frozenset({"cc", "sdh", "hi", "default"})
_UNTOLD = frozenset({"und", "unknown"})
_OTHERS = frozenset({"forced", "foreign", "bak"})
"""Of captions for foreign scenes alone, and of a copy kept from before, which is not meant for Bashkir."""
_BY_NAME = {name.lower(): code for code, name in LANGUAGES.items()}


@dataclass(frozen=True, slots=True)
class CaptionTags:
    """What stands between the name of a recording and the format of its captions."""

    language: str | None
    """`None` where they do not tell."""
    has_kind: bool
    """Whether they tell whom the captions are for, such as `sdh`."""


def caption_tags(words: Sequence[str]) -> CaptionTags | None:
    """Understand tags; `None` if they are not those of the whole captions of a recording."""
    tags = [word.lower() for word in words]
    if any(tag in _OTHERS for tag in tags):
        return None
    if tags == ["hi"]:  # beside a language it is for the hearing impaired, alone it is Hindi
        return CaptionTags("hi", has_kind=False)
    rest = [tag for tag in tags if tag not in _KINDS | _UNTOLD]
    has_kind = any(tag in _KINDS for tag in tags)
    if not rest:
        return CaptionTags(None, has_kind)
    language = named_language(rest[0]) or _BY_NAME.get(rest[0])
    return CaptionTags(language, has_kind) if len(rest) == 1 and language else None
