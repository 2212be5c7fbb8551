"""Files that hold no text, told by their first bytes: what people name by mistake instead of subtitles."""

_EXTRACT = "a subtitle track in it comes out with: subwhisper extract FILE --subtitle-track 0"
_UNPACK = "unpack it first"
_SIGNS = {  # where, and with which bytes, such a file begins
    (4, b"ftyp"): ("a video or sound file", _EXTRACT),
    (0, b"\x1a\x45\xdf\xa3"): ("a video or sound file", _EXTRACT),
    (0, b"RIFF"): ("a video or sound file", _EXTRACT),
    (0, b"OggS"): ("a video or sound file", _EXTRACT),
    (0, b"fLaC"): ("a sound file", None),
    (0, b"ID3"): ("a sound file", None),
    (0, b"\x89PNG\r\n"): ("a picture", None),
    (0, b"\xff\xd8\xff"): ("a picture", None),
    (0, b"GIF8"): ("a picture", None),
    (0, b"%PDF-"): ("a PDF document", None),
    (0, b"PK\x03\x04"): ("an archive or an office document", _UNPACK),
    (0, b"Rar!\x1a\x07"): ("an archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c"): ("an archive", _UNPACK),
    (0, b"\x1f\x8b\x08"): ("a compressed file", _UNPACK),
}


def stranger(content: bytes) -> tuple[str, str | None] | None:
    """What a file without text is, and a hint; None where nothing speaks against it."""
    return next((told for (at, sign), told in _SIGNS.items() if content.startswith(sign, at)), None)
