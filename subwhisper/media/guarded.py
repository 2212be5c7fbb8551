"""What yt-dlp may reach: http and https alone, and no private address unless the user named one.

A page, a redirection or a playlist can name any address, and this machine stands where strangers do not: beside
routers, printers and the metadata of cloud machines. So every address is looked at before it is asked for. One that
the user typed himself, such as `http://localhost:8000` or `http://nas.local`, lets the fetch go to private addresses.

Names are resolved twice, for the look and for the connection, so a name server that answers differently each time is
not stopped; behind a proxy, the proxy resolves.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import yt_dlp
from yt_dlp.networking._urllib import RedirectHandler, UrllibRH
from yt_dlp.networking.exceptions import RequestError

_SCHEMES = ("http", "https", "data")
"""The last carries what it says in itself: a playlist can hold a key like that."""


class Guard:
    """Knows which addresses one fetch may reach."""

    def __init__(self, typed: str) -> None:
        """Take the word of the user for the place that was typed."""
        self._private_too = is_private(urlsplit(typed).hostname or "")

    def require(self, url: str) -> None:
        """Let an address pass.

        Raises:
            RequestError: it is no address of the network, or a private one that nobody asked for.
        """
        parts = urlsplit(url)
        if parts.scheme.lower() not in _SCHEMES:
            raise RequestError(f"It leads to {parts.scheme}:, and only http and https are followed")
        if parts.hostname and not self._private_too and is_private(parts.hostname):
            raise RequestError(f"It leads to the private address {parts.hostname}, which was not asked for")


def is_private(host: str) -> bool:
    """Whether a host is this machine, or one that strangers cannot reach; one that nobody knows is not."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(_is_private_address(str(address[0])) for *_, address in found)


def _is_private_address(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return not parsed.is_global or parsed.is_multicast


class _GuardedRedirects(RedirectHandler):  # type: ignore[misc]  # yt-dlp has no types
    handler_order = 100  # before yt-dlp's own

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def redirect_request(self, request: Any, fp: Any, code: int, message: str, headers: Any, newurl: str) -> Any:
        self._guard.require(newurl)
        return super().redirect_request(request, fp, code, message, headers, newurl)


class _GuardedRH(UrllibRH):  # type: ignore[misc]
    """The one way to the network; yt-dlp wants its name to end like this."""

    _SUPPORTED_URL_SCHEMES = _SCHEMES
    guard: Guard

    def _send(self, request: Any) -> Any:
        self.guard.require(request.url)
        return super()._send(request)

    def _create_instance(self, *arguments: Any, **options: Any) -> Any:
        opener = super()._create_instance(*arguments, **options)
        opener.add_handler(_GuardedRedirects(self.guard))
        return opener


class GuardedDownloader(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """A yt-dlp that asks a guard before it asks the network."""

    def __init__(self, parameters: dict[str, Any], guard: Guard) -> None:
        self._guard = guard
        # What it would leave to ffmpeg, such as some encrypted streams, would pass the guard by.
        super().__init__({**parameters, "external_downloader_args": {"ffmpeg_i": ["-protocol_whitelist", "file"]}})

    def build_request_director(self, handlers: Iterable[Any], preferences: Any = None) -> Any:
        director = super().build_request_director([_GuardedRH], preferences)
        for handler in director.handlers.values():
            handler.guard = self._guard
        return director
