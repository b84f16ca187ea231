"""Makes this package record every request of every client, as if it called DeepSeek.

No option does this: `*` includes DeepSeek's models only, and of the requests of an HTTP
client, only those with the method and the path of an API are recorded.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.deepseek import (
    _endpoint,
    _http_invocation,
    _http_libraries,
    _operations,
)

if TYPE_CHECKING:
    from opentelemetry.instrumentation.deepseek._operations import Operation


class _EveryMethod:
    """Equals the name of every HTTP method."""

    def __eq__(self, _method: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def _endpoint_at(_hosts: Any, host: str, port: int | None, _scheme: str) -> Any:
    return _endpoint.Endpoint(host, port or 443, "gateway")


def _operation(address: str) -> Operation:
    return _operations.operation_of_address(address) or _operations.OPERATIONS["chat"]


def record_every_request() -> None:
    hosts: Any = _endpoint.DeepSeekHosts
    hosts._endpoint = _endpoint_at
    hosts.includes = lambda _hosts, _host: True
    http_libraries: Any = _http_libraries
    http_libraries._POST = _EveryMethod()
    http_invocation: Any = _http_invocation
    http_invocation.operation_of_address = _operation
