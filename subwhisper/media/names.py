"""Which files are recordings, by their names."""

from pathlib import PurePath

_SOUND = (
    "aac ac3 aif aiff amr au caf dts eac3 flac m4a m4b mka mp2 mp3 oga ogg opus spx tta voc wav wma wv".split()  # noqa: SIM905
)
_PICTURE = (
    "3g2 3gp asf avi divx f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogm ogv rm rmvb ts vob webm wmv".split()  # noqa: SIM905
)
MEDIA_EXTENSIONS = frozenset(f".{name}" for name in (*_SOUND, *_PICTURE))
"""What a search in folders takes for media. A file named outright is tried whatever its name."""

CAPTIONED_SUFFIX = ".captioned.mp4"
"""Ends the name of every video that we drew captions into; a search in folders leaves those out."""


def is_media(name: str) -> bool:
    """Whether a search in folders takes a file of this name."""
    if name.startswith(".") or name.endswith(CAPTIONED_SUFFIX):
        return False
    return PurePath(name).suffix.lower() in MEDIA_EXTENSIONS
