"""Decides whether a client calls DeepSeek, and at which address."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from .environment_variables import OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterable

_EVERY_HOST: Final = "*"
_ENTRY: Final = re.compile(
    r"([\w.-]+|\[[\da-fA-F:.]+\])(?::(\d{1,5}))?(?:\s*=\s*([\w.-]+))?"
)
_DEEPSEEK: Final = "deepseek"
_DEEPSEEK_DOMAIN: Final = ".deepseek.com"
_logger: Final = logging.getLogger(__name__)


def is_deepseek_model(model: object) -> bool:
    """Returns whether a name is one of DeepSeek's models, also as gateways write it."""
    return isinstance(model, str) and "deepseek" in model.lower()


class Endpoint(NamedTuple):
    """Attributes of a call that follow from its URL.

    They are `server.address`, `server.port`, `deepseek.server.type` and
    `gen_ai.provider.name`. `server_type` is None for `*.deepseek.com` and for the host
    of another provider, `gateway` for a host that is configured without a provider, and
    `unknown` for a host that only `*` includes.
    """

    address: str
    port: int
    server_type: Literal["gateway", "unknown"] | None = None
    provider: str = _DEEPSEEK

    def serves(self, model: object) -> bool:
        """Whether a call of `model` is recorded.

        A server of an unknown type may serve the models of any provider, so the name
        of the model decides.
        """
        return self.server_type != "unknown" or is_deepseek_model(model)


class DeepSeekHosts:
    """The hosts that serve DeepSeek's API: `*.deepseek.com` and configured ones.

    Args:
        entries: each `host`, `host:port`, or one of these and `=provider`, or `*` for
            calls of DeepSeek's models at every host.

    Raises:
        ValueError: if an entry is invalid.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        stripped = [host for entry in entries if (host := entry.strip())]
        self._has_every_host = _EVERY_HOST in stripped
        self._providers = dict(
            _parse_entry(entry) for entry in stripped if entry != _EVERY_HOST
        )
        self._host_names = frozenset(host for host, _ in self._providers)
        self._last: tuple[object, Endpoint | None] = None, None
        self._last_address: tuple[str, Endpoint | None] = "", None
        self._logged_hosts: set[str] = set()

    def includes(self, host: str | None) -> bool:
        """Whether a request to `host` may be one to DeepSeek; quick, for every request.

        `endpoint_of_address` compares the port, too.
        """
        if not host:
            return False
        return (
            host.endswith(_DEEPSEEK_DOMAIN)
            or host in self._host_names
            or self._has_every_host
        )

    def endpoint_of(self, client: Any) -> Endpoint | None:
        """Returns the endpoint of a client of an SDK; None if it is not DeepSeek's."""
        # The client has the final base URL, whether from an argument, the environment
        # or with_options(). Most programs have one client. Its URL is one object, which
        # never changes.
        url = client.base_url
        last_url, endpoint = self._last
        if url is not last_url:
            endpoint = self._endpoint(url.host, url.port, url.scheme)
            self._last = url, endpoint
        return endpoint

    def endpoint_of_address(self, address: str) -> Endpoint | None:
        """Returns the endpoint of the URL of a request; None if it is not DeepSeek's.

        Raises:
            ValueError: if `address` is no URL.
        """
        last_address, endpoint = self._last_address
        if address != last_address:
            url = urlsplit(address)
            endpoint = self._endpoint(url.hostname or "", url.port, url.scheme)
            self._last_address = address, endpoint
        return endpoint

    def log_other_address(self, address: str) -> None:
        """Logs, once for each host, how to instrument it."""
        host = urlsplit(address).netloc.rpartition("@")[2]
        if host not in self._logged_hosts:
            self._logged_hosts.add(host)
            _logger.warning(
                "Calls of DeepSeek's models at %s are not recorded. To record them, "
                "add this host to %s.",
                host,
                OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS,
            )

    def _endpoint(self, host: str, port: int | None, scheme: str) -> Endpoint | None:
        port = port or (80 if scheme == "http" else 443)
        if host.endswith(_DEEPSEEK_DOMAIN):
            return Endpoint(host, port)
        for key in ((host, port), (host, None)):
            if (provider := self._providers.get(key)) is not None:
                is_gateway = provider == _DEEPSEEK
                return Endpoint(host, port, "gateway" if is_gateway else None, provider)
        return Endpoint(host, port, "unknown") if self._has_every_host else None


def _parse_entry(entry: str) -> tuple[tuple[str, int | None], str]:
    """Returns host and port, and the provider."""
    if (match := _ENTRY.fullmatch(entry)) is None:
        raise ValueError(
            f"{OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS} (or hosts=) must list hosts as "
            f"'host' or 'host:port', each optionally with '=provider', for example "
            f"'gateway.example.com, localhost:8080, openrouter.ai=openrouter', or '*' "
            f"for every host; got {entry!r}"
        )
    host, port, provider = match.groups()
    key = host.strip("[]").lower(), int(port) if port else None
    return key, (provider or _DEEPSEEK).lower()
