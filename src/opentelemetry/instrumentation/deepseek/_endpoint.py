"""Does this client speak to DeepSeek, and where?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .environment_variables import OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterable

_EVERY_HOST: Final = "*"
_HOST: Final = re.compile(r"([\w.-]+|\[[\da-fA-F:.]+\])(?::(\d{1,5}))?")


class Server(NamedTuple):
    address: str
    port: int


class Hosts:
    """The hosts that speak DeepSeek's API: DeepSeek's own, and those the user names."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        entries = [entry for name in named if (entry := name.strip())]
        self._every = _EVERY_HOST in entries
        self._named = frozenset(
            _host_and_port(entry) for entry in entries if entry != _EVERY_HOST
        )
        self._last: tuple[object, Server | None] = None, None

    def server_of(self, resource: Any) -> Server | None:
        """Where a call of this SDK resource goes; None if that is not DeepSeek."""
        # Private, and the only way from a resource to its client: since 1.0 each
        # resource is built around `_client`, which holds the final base URL, whether
        # it came from an argument, OPENAI_BASE_URL or with_options().
        url = resource._client.base_url  # noqa: SLF001
        # Most programs have one client; it keeps one URL, which never changes.
        last, server = self._last
        if url is not last:
            server = self._server(url)
            self._last = url, server
        return server

    def _server(self, url: Any) -> Server | None:
        host: str = url.host
        port: int = url.port or (80 if url.scheme == "http" else 443)
        if not (
            host.endswith(".deepseek.com")
            or self._every
            or (host, None) in self._named
            or (host, port) in self._named
        ):
            return None
        return Server(host, port)


def _host_and_port(entry: str) -> tuple[str, int | None]:
    if (match := _HOST.fullmatch(entry)) is None:
        raise ValueError(
            f"{OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS} (or hosts=) takes hosts, with or "
            f"without a port, as in 'gateway.example.com, localhost:8080', or '*' for "
            f"every host; not {entry!r}"
        )
    host, port = match.groups()
    return host.strip("[]").lower(), int(port) if port else None
