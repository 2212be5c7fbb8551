"""A web server for tests: the files of a folder, and the bad habits of servers."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

CLIP = "clip.mp4"
TYPES = {"/plain.mp4": "text/plain", "/bytes": "application/octet-stream"}
"""Addresses of the clip, and what the server says it is."""


class Site(SimpleHTTPRequestHandler):
    """`/to/ADDRESS` leads elsewhere; `/short`, `/cut` and `/broken` are the clip, each wrong in its own way."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        clip = Path(self.directory, CLIP)
        if self.path.startswith("/to/"):
            self._answer(b"", status=302, Location=unquote(self.path.removeprefix("/to/")))
        elif self.path == "/short.mp4":  # says more than it gives, and hangs up
            self._answer(clip.read_bytes(), end=clip.stat().st_size // 3)
        elif self.path == "/cut.mp4":  # gives a part as if it were all
            self._answer(clip.read_bytes()[:3000])
        elif self.path == "/broken.mp4":  # hangs up as often as it was told to, and takes up where it stopped
            self._answer_broken(clip.read_bytes())
        elif self.path in TYPES:
            self._answer(clip.read_bytes(), kind=TYPES[self.path])
        elif self.path == "/page.mp4":
            self._answer(b"<html><title>Nothing</title>Log in first</html>")
        elif self.path == "/named":
            self._answer(clip.read_bytes(), **{"Content-Disposition": 'attachment; filename="../../x; rm -rf \\".mp4"'})
        else:
            super().do_GET()

    def _answer_broken(self, body: bytes) -> None:
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        self.server.hang_ups -= 1
        end = start + len(body) // 4 if self.server.hang_ups >= 0 else None
        headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if asked else {}
        self._answer(body[start:], status=206 if asked else 200, end=end and end - start, **headers)

    def _answer(
        self, body: bytes, *, status: int = 200, kind: str = "video/mp4", end: int | None = None, **headers: str
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:end])
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Knows what it was asked for."""

    daemon_threads = True

    def __init__(self, folder: Path, host: str) -> None:
        self.asked: list[tuple[str, str | None]] = []
        """Paths, and the ranges of bytes that were wanted of them."""
        self.hang_ups = 0
        super().__init__((host, 0), functools.partial(Site, directory=str(folder)))

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_port}"  # type: ignore[str-bytes-safe]


@contextmanager
def serving(folder: Path, host: str = "127.0.0.1") -> Iterator[Server]:
    """A server of a folder for the length of a `with` block."""
    with Server(folder, host) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
