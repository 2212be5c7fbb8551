"""Fetches files of one hub repository into huggingface_hub's cache.

The package does the talking and keeps its cache; what it leaves open is done here: a file that was cut off is
continued by the next call (recent versions throw it away when the process ends), and nothing counts as present
before its checksum is right. huggingface_hub is imported when something is fetched, not before.
"""

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal
from urllib.parse import urlsplit

from subwhisper.errors import DownloadError

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

OnProgress = Callable[[int, int | None], None]
"""Called with bytes that are here and bytes in all."""


def repository_folder(cache: Path, repo_id: str) -> Path:
    """Where huggingface_hub keeps a repository."""
    return cache / f"models--{repo_id.replace('/', '--')}"


class Repository:
    """One repository of the hub, at the commit that is its newest now."""

    def __init__(self, repo_id: str, *, endpoint: str, cache: Path, token: Literal[False] | None) -> None:
        """Ask for the newest commit and its files.

        Args:
            repo_id: `owner/name`.
            endpoint: the hub or a mirror of it.
            cache: huggingface_hub's cache.
            token: None sends the one the user has logged in with, False none.
        """
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when the package is first imported
        from huggingface_hub import HfApi

        if urlsplit(endpoint).scheme not in ("http", "https"):
            raise ValueError("HF_ENDPOINT must begin with https:// or http://")
        self.repo_id, self.endpoint, self.token = repo_id, endpoint, token
        self.cache, self.folder = cache, repository_folder(cache, repo_id)
        found = HfApi(endpoint=endpoint, token=token).model_info(repo_id)
        self.commit = _safe_name(found.sha)
        self.names = {file.rfilename for file in found.siblings or []}

    @property
    def snapshot(self) -> Path:
        """Where the fetched files are seen under their own names."""
        return self.folder / "snapshots" / self.commit

    def fetch(self, names: Sequence[str], on_progress: OnProgress | None) -> None:
        """Put files into the cache, in order; those that are there cost one request each."""
        from huggingface_hub import hf_hub_download

        sizes = {name: self._describe(name).size for name in names}
        known = [size for size in sizes.values() if size is not None]
        meter = _Meter(on_progress, sum(known) if len(known) == len(sizes) else None)
        for name in names:
            self._fetch_blob(name, meter)
            # The blob is in place: this links it into the snapshot as huggingface_hub wants it.
            hf_hub_download(
                self.repo_id,
                name,
                revision=self.commit,
                cache_dir=self.cache,
                endpoint=self.endpoint,
                token=self.token,
            )

    def _describe(self, name: str) -> "HfFileMetadata":
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        url = hf_hub_url(self.repo_id, name, revision=self.commit, endpoint=self.endpoint)
        return get_hf_file_metadata(url, token=self.token, endpoint=self.endpoint)

    def _fetch_blob(self, name: str, meter: "_Meter") -> None:
        """Fetch one file, continuing what an earlier call left, and check it before it counts as present."""
        from huggingface_hub.utils._fixes import WeakFileLock

        metadata = self._describe(name)  # asked again, because large files have an address that expires
        etag = _safe_name(metadata.etag)
        blob = self.folder / "blobs" / etag
        partial = blob.with_name(f"{etag}.subwhisper-part")
        lock = self.cache / ".locks" / self.folder.name / f"{etag}.lock"  # where huggingface_hub has its own
        for place in (blob, lock):
            place.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if blob.exists():
                meter.advance(blob.stat().st_size)
                return
            self._fetch_rest(name, metadata, partial, meter)
            _verify(partial, name, etag)
            partial.replace(blob)

    def _fetch_rest(self, name: str, metadata: "HfFileMetadata", partial: Path, meter: "_Meter") -> None:
        """Append to `partial` what it lacks; a broken connection is taken up again while each try brings more."""
        from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]  # its httpx's
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils._headers import build_hf_headers
        from huggingface_hub.utils.tqdm import disable_progress_bars

        if "HF_HUB_DISABLE_PROGRESS_BARS" not in os.environ:  # then the user has decided, and a call would warn
            disable_progress_bars("huggingface_hub.http_get")
        with partial.open("ab") as file:
            start = file.tell()
            if metadata.size is not None and start > metadata.size:
                start = file.truncate(0)
            meter.advance(start)
            while True:
                try:
                    http_get(
                        metadata.location,
                        _Counted(file, meter),  # type: ignore[arg-type]  # has the methods http_get calls
                        resume_size=start,
                        headers=build_hf_headers(token=self._token_for(metadata.location)),
                        expected_size=metadata.size,
                        displayed_filename=name,
                    )
                    return
                except HTTPError as error:
                    if isinstance(error, HfHubHTTPError) or file.tell() <= start:
                        raise
                    start = file.tell()

    def _token_for(self, url: str) -> Literal[False] | None:
        """Large files lie on other hosts, which the user's token is none of the business of."""
        return self.token if urlsplit(url).netloc == urlsplit(self.endpoint).netloc else False


def _safe_name(tag: str | None) -> str:
    """Let only what cannot leave the cache become part of a path.

    Raises:
        ValueError: the server sent no tag or an impossible one.
    """
    if tag is None or not re.fullmatch(r"\w[\w.-]*", tag, flags=re.ASCII):
        raise ValueError(f"it is no model hub: it sent the tag {tag!r}")
    return tag


class _Meter:
    def __init__(self, on_progress: OnProgress | None, total: int | None) -> None:
        self._on_progress, self._done, self._total = on_progress, 0, total

    def advance(self, n_bytes: int) -> None:
        self._done += n_bytes
        if self._on_progress is not None:
            self._on_progress(self._done, self._total)


class _Counted:
    """A file that reports what is written to it."""

    def __init__(self, file: BinaryIO, meter: _Meter) -> None:
        self._file, self._meter = file, meter

    def write(self, content: bytes) -> int:
        self._meter.advance(len(content))
        return self._file.write(content)

    def truncate(self, size: int | None = None) -> int:
        """Called when the server starts again from the beginning."""
        keep = self._file.tell() if size is None else size
        self._meter.advance(keep - self._file.seek(0, os.SEEK_END))
        self._file.seek(keep)
        return self._file.truncate(keep)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _verify(path: Path, name: str, etag: str) -> None:
    """Check a file against its ETag: SHA-256 for large files, git's blob hash for small ones.

    Raises:
        DownloadError: it is not what the hub describes; the file is removed.
    """
    if re.fullmatch(r"[0-9a-f]{64}", etag):
        digest = hashlib.sha256()
    elif re.fullmatch(r"[0-9a-f]{40}", etag):
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    else:
        return  # a mirror's own kind of tag; the size has been checked
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    if digest.hexdigest() != etag:
        path.unlink()
        raise DownloadError(f"{name} arrived damaged: its checksum is not the hub's", hint="run the command again")
