"""A model hub on this machine: enough of its protocol for huggingface_hub, with faults on demand."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "c0ffee" * 6 + "beef"


@dataclass
class Hub:
    """Repositories it serves, requests it saw, and what it shall do wrong."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path, Range header."""
    cut_after: dict[str, int] = field(default_factory=dict)
    """File -> bytes after which the connection breaks, once."""
    corrupt: set[str] = field(default_factory=set)
    """Files sent with other content than announced."""
    status: int | None = None
    """Answer everything with this status."""
    etag: str | None = None
    """Sent instead of the right one."""
    gated: bool = False
    no_ranges: bool = False
    url: str = ""

    def fetched(self) -> list[str]:
        return [path.rsplit("/", 1)[1] for method, path, _ in self.requests if method == "GET" and "/resolve/" in path]

    def ranges(self) -> list[str]:
        return [part for _, _, part in self.requests if part is not None]


def _etag(name: str, content: bytes) -> str:
    """As the hub tags files: SHA-256 for large ones (weights), git's blob hash for the others."""
    if name.endswith((".safetensors", ".bin")):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(self.path.split("?")[0])
        self.hub.requests.append((self.command, path, self.headers.get("Range")))
        if self.hub.status is not None:
            return self._error(self.hub.status)
        if path.startswith("/api/models/"):
            return self._describe(path.removeprefix("/api/models/"))
        owner, repository, verb, _, name = [*path.strip("/").split("/", 4), *[""] * 4][:5]
        files = self.hub.repositories.get(f"{owner}/{repository}")
        if files is None or verb != "resolve":
            return self._error(401, "RepoNotFound")  # the hub hides what does not exist behind 401
        if name not in files:
            return self._error(404, "EntryNotFound")
        return self._send_file(name, files[name], with_body=with_body)

    def _describe(self, rest: str) -> None:
        repo_id = "/".join(rest.split("/")[:2])
        files = self.hub.repositories.get(repo_id)
        if files is None:
            return self._error(401, "RepoNotFound")
        if self.hub.gated:
            return self._error(403, "GatedRepo")
        table = {"id": repo_id, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
        body = json.dumps(table).encode()
        self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body)
        return None

    def _send_file(self, name: str, content: bytes, *, with_body: bool) -> None:
        etag = _etag(name, content) if self.hub.etag is None else self.hub.etag
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        if name.endswith((".safetensors", ".bin")):
            headers |= {"X-Linked-ETag": f'"{etag}"', "X-Linked-Size": str(len(content))}
        start = 0
        asked = self.headers.get("Range")
        if asked and not self.hub.no_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        sent = bytes(len(content)) if name in self.hub.corrupt else content
        body = sent[start:]
        self._head(206 if "Content-Range" in headers else 200, headers | {"Content-Length": str(len(body))})
        if not with_body:
            return
        cut = self.hub.cut_after.pop(name, None)
        if cut is not None:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            self.close_connection = True
            return
        self.wfile.write(body)

    def _error(self, status: int, code: str = "") -> None:
        self._head(status, {"X-Error-Code": code, "Content-Length": "0"} if code else {"Content-Length": "0"})

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def serving() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
