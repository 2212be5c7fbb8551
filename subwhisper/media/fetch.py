"""Recordings from the network, by yt-dlp as a library: a URL becomes a file.

Options are fixed here and safe: no configuration file is read, no program is run with text from the network, a list
is never fetched whole, names are made harmless; where it may go, `guarded.py` says. Nothing fetched is believed: a
download cut short can end as a success, so the file is looked into before it is handed on.
"""

import contextlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from subwhisper.errors import InputError, MediaError, OptionError, OutputError, ToolError
from subwhisper.media.ffmpeg import find_ffmpeg
from subwhisper.media.probe import probe
from subwhisper.media.tracks import same_language
from subwhisper.media.url import LONGEST_NAME, is_url, url_stem

_TIMEOUT = 30
"""Seconds without an answer."""
_RETRIES = 3
_LONGEST_TEXT = 20_000_000
"""Bytes of a file of subtitles; a film has a hundredth of it."""
ALL = "all"
"""Stands for every language in a list of them."""
_PART = re.compile(r"\.part(-Frag\d+)?$|\.ytdl$")
_FULL = "No space left on device"
_PLAIN = re.compile(r"\x1b\[[0-9;]*m|\r")
_PREFIX = re.compile(
    r"^(?:ERROR: )*(?:\[[^\]]*\] )?(?:[\w.-]+: )?"
    r"(?:Unable to download webpage: |Got error: )?(?:\[Errno -?\d+\] )?(?=[A-Z])"
)
_ADVICE = re.compile(
    r"\. Giving up after .*| ?\(caused by .*|; please report this issue .*| If you believe this is .*"
    r"|\. ?Confirm you are on .*",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """What of a page is wanted."""

    audio_only: bool = False
    """Whether the picture is left where it is, if the sound can be had alone."""
    subtitles: tuple[str, ...] = ()
    """Languages of subtitles to fetch besides, or `all`; only those that people wrote."""
    largest: int | None = None
    """Bytes beyond which nothing is fetched."""
    cookies: Path | None = None
    """A file of cookies in Netscape's format, for pages that want a login."""
    overwrite: bool = False
    """Replace a file of its name; another recording may be called the same."""

    def __post_init__(self) -> None:
        if self.largest is not None and self.largest < 1:
            raise OptionError(f"the largest size is at least 1 byte, got {self.largest}")
        if self.cookies is not None and not self.cookies.is_file():
            raise InputError(f"{self.cookies} does not exist", hint="it should be a file of cookies")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came."""

    path: Path
    title: str
    subtitles: Mapping[str, Path]
    """Language -> file."""
    offered: tuple[str, ...] = ()
    """Languages in which people wrote subtitles for it."""


def fetch(
    url: str,
    folder: Path,
    options: FetchOptions | None = None,
    *,
    on_progress: Callable[[float, float | None], None] | None = None,
) -> Fetched:
    """Fetch the recording behind a URL: a media file, a stream, or a page that shows one.

    Args:
        url: http or https.
        folder: where it is put.
        options: what of it is wanted.
        on_progress: gets the bytes fetched, and of how many where that is known.

    Raises:
        InputError: it is no such URL, a list of many, or still going on.
        MediaError: it cannot be fetched, or what came is no whole recording.
        OutputError: a file of its name is there, or the disk does not take it.
    """
    wanted = options or FetchOptions()
    there = {path.absolute() for path in folder.glob("*")}
    with _downloader(url, folder, _parameters(folder, wanted, on_progress)) as downloader:
        found = _single(url, downloader.extract_info(url, download=False))
        offered = tuple(language for language in found.get("subtitles") or {} if language != "live_chat")
        chosen = tuple(it for it in offered if _is_among(it, wanted.subtitles))
        downloader.params |= {"subtitleslangs": chosen, "writesubtitles": bool(chosen)}
        result = downloader.sanitize_info(downloader.process_ie_result(found, download=True))
    path = _whole(url, result, wanted, there)
    kept = {language: Path(it["filepath"]) for language, it in (result.get("requested_subtitles") or {}).items()}
    texts = {language: file for language, file in kept.items() if file.is_file()}
    return Fetched(path, str(result.get("title") or path.stem), texts, offered)


def fetch_text(url: str, folder: Path) -> Path:
    """Fetch a file of subtitles as it is, under the name that its address gives it.

    Raises:
        InputError: it is no address.
        MediaError: it cannot be fetched, or is too large for a text.
        OutputError: the disk does not take it.
    """
    path = folder / (url_stem(url) + Path(urlsplit(url).path).suffix)
    with _downloader(url, folder, _parameters(folder, FetchOptions(), None)) as downloader:
        with downloader.urlopen(url) as response:
            text = response.read(_LONGEST_TEXT + 1)
        if len(text) > _LONGEST_TEXT:
            raise MediaError(f"{url} is too large for subtitles: more than {_LONGEST_TEXT // 1_000_000} MB")
        path.write_bytes(text)
    return path


@contextlib.contextmanager
def _downloader(url: str, folder: Path, parameters: dict[str, Any]) -> Iterator[Any]:
    """A yt-dlp for one address, whose errors are ours."""
    if not is_url(url) or not urlsplit(url).hostname:
        raise InputError(f"{url} is no address", hint="it begins with https:// or http://")
    from yt_dlp.utils import YoutubeDLError  # a second to load

    from subwhisper.media.guarded import Guard, GuardedDownloader

    there = _parts(folder)
    try:
        with GuardedDownloader(parameters, Guard(url)) as downloader:
            yield downloader
    except YoutubeDLError as error:
        if _FULL not in str(error):
            raise _explained(url, error) from error
        for path in _parts(folder) - there:  # a broken connection can be taken up again, a full disk is to be left
            path.unlink(missing_ok=True)
        raise OutputError(f"{url} could not be kept in {folder}: the disk is full") from error
    except OSError as error:
        raise OutputError(f"{url} could not be kept in {folder}: {error.strerror or error}") from error


def _parts(folder: Path) -> set[Path]:
    """Downloads that are not whole."""
    return {path for path in folder.glob("*") if _PART.search(path.name)}


def _is_among(language: str, wanted: Sequence[str]) -> bool:
    return any(one == ALL or same_language(language, one) for one in wanted)


def _parameters(
    folder: Path, wanted: FetchOptions, on_progress: Callable[[float, float | None], None] | None
) -> dict[str, Any]:
    def hear(state: Mapping[str, Any]) -> None:
        if on_progress and state.get("downloaded_bytes") is not None:
            on_progress(state["downloaded_bytes"], state.get("total_bytes") or state.get("total_bytes_estimate"))

    return {
        "format": "bestaudio/best" if wanted.audio_only else "bestvideo*+bestaudio/best",
        "paths": {"home": str(folder.absolute())},
        "outtmpl": {"default": f"%(title).{LONGEST_NAME}B.%(ext)s"},
        "windowsfilenames": True,
        "overwrites": wanted.overwrite,
        "noplaylist": True,
        "subtitlesformat": "vtt/srt/best",
        "writeautomaticsub": False,
        "max_filesize": wanted.largest,
        "cookiefile": None if wanted.cookies is None else str(wanted.cookies),
        "ffmpeg_location": _ffmpeg(),
        "hls_prefer_native": True,
        "skip_unavailable_fragments": False,  # else a stream with holes is a success
        "socket_timeout": _TIMEOUT,
        "retries": _RETRIES,
        "fragment_retries": _RETRIES,
        "cachedir": False,
        "quiet": True,
        "noprogress": True,
        "logger": _Silence(),
        "progress_hooks": [hear],
    }


def _ffmpeg() -> str | None:
    with contextlib.suppress(ToolError):
        return str(find_ffmpeg())
    return None


class _Silence:
    """Takes what yt-dlp would print; what is wrong comes as an exception."""

    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def _single(url: str, found: dict[str, Any]) -> dict[str, Any]:
    """The one recording that was found."""
    if found.get("_type") in {"playlist", "multi_video"}:
        entries = list(found.get("entries") or ())
        if len(entries) != 1:
            raise InputError(f"{url} is a list of {len(entries)} recordings", hint="name the address of one of them")
        return _single(url, entries[0])
    if found.get("is_live"):
        raise InputError(f"{url} is still going on", hint="fetch it when it has ended")
    return found


def _whole(url: str, result: Mapping[str, Any], wanted: FetchOptions, there: Collection[Path]) -> Path:
    downloads: Sequence[Mapping[str, Any]] = result.get("requested_downloads") or ()
    path = Path(downloads[0]["filepath"]) if downloads and downloads[0].get("filepath") else None
    if path is None or not path.is_file():  # yt-dlp calls a file beyond the limit a success
        limit = f" of at most {wanted.largest} bytes" if wanted.largest else ""
        raise MediaError(f"nothing{limit} came from {url}")
    if path.absolute() in there and not wanted.overwrite:  # yt-dlp has left it alone, and calls that a success too
        hint = "it may be another recording: --overwrite replaces it, --output-dir names another folder"
        raise OutputError(f"{path} exists", hint=hint)
    try:
        probe(path)
    except MediaError as error:
        path.unlink(missing_ok=True)
        said = error.message.replace(str(path), "it")  # which is gone
        raise MediaError(f"what came from {url} is no recording, or not all of it", hint=said) from error
    return path


def _explained(url: str, error: Exception) -> MediaError:
    said = _ADVICE.sub("", _PLAIN.sub("", str(error)).split("\n")[0])
    if "ffmpeg exited with code" in said:  # see guarded.py
        return MediaError(
            f"{url} is a stream that only ffmpeg could fetch, and ffmpeg is kept from the network",
            hint="pip install 'yt-dlp[default]', which can decrypt streams",
        )
    reason = _PREFIX.sub("", said).strip().rstrip(".")
    hint = "pip install 'yt-dlp[default,deno]' for pages that want JavaScript" if "JavaScript" in str(error) else None
    return MediaError(f"{url} could not be fetched: {reason}", hint=hint)
