"""The invocation of a call that is recorded from its HTTP requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ._coerce import EMPTY
from ._errors import FIRST_ERROR_STATUS, secrets_of_request
from ._invocation import Invocation
from ._patch import start_invocation
from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._endpoint import Endpoint
    from ._operations import Operation
    from ._sent_request import SentRequest
    from ._signals import Signals


_Invocation = TypeVar("_Invocation", bound="RequestInvocation")


class RequestInvocation(Invocation):
    """An invocation that has a request, and the head of its response."""

    request_address: str = ""
    request_headers: Mapping[str, Any] = EMPTY

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing to record, or no longer."""
        return self._has_ended

    def on_body_open(self) -> None:
        """Ends the span with the process, if the body is open then."""
        self._open_streams.add(self)

    def on_http_response(self, headers: Mapping[str, Any], status: int) -> None:
        """Records the head of a response; the last one of several counts."""
        with suppress_errors("reading the head of a response"):
            self._record_headers(headers)
            attributes = self._telemetry.attributes
            attributes.pop("http.response.status_code", None)
            if status >= FIRST_ERROR_STATUS:
                attributes["http.response.status_code"] = status

    def _request_secrets(self) -> Sequence[str]:
        return secrets_of_request(self.request_address, self.request_headers)


def start_request_invocation(
    invocation_class: type[_Invocation],
    signals: Signals,
    operation: Operation,
    endpoint: Endpoint,
    request: SentRequest,
) -> _Invocation | None:
    """Returns None if the request is not recorded."""
    body = request.read_body()
    if not endpoint.serves(body.get("model")):
        return None
    # Before the span starts, because it may raise.
    headers = request.read_headers()
    invocation = start_invocation(invocation_class, signals, operation, endpoint, body)
    if invocation is not None:
        invocation.request_address = request.address
        invocation.request_headers = headers
    return invocation
