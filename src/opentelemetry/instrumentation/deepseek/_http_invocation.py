"""The invocation of a request of an HTTP client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._coerce import as_int
from ._errors import FIRST_ERROR_STATUS, ErrorDescription, describe_body_error
from ._http_telemetry import HttpTelemetry
from ._operations import operation_of_address
from ._request_invocation import RequestInvocation, start_request_invocation

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._endpoint import DeepSeekHosts
    from ._sent_request import SentRequest
    from ._signals import Signals


class HttpInvocation(RequestInvocation):
    """An invocation whose response has the status of an error instead of raising it."""

    _telemetry_class = HttpTelemetry

    def _status_code(self, error: BaseException) -> int | None:
        # An application may raise an error for a status while a request is sent:
        # `ClientSession(raise_for_status=True)` of aiohttp, a hook of the others.
        response: Any = getattr(error, "response", None)
        status: object = getattr(response, "status_code", None)
        if status is None:
            status = getattr(error, "status", None)
        return as_int(status) or None  # some errors of aiohttp have 0

    def _describe_error(self, error: BaseException | None) -> ErrorDescription | None:
        status = self._telemetry.attributes.get("http.response.status_code", 0)
        if status < FIRST_ERROR_STATUS:
            return super()._describe_error(error)
        # The error that the conventions name for a response with such a status:
        # https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
        body_error = describe_body_error(
            self._response.error,
            with_content=self._telemetry.wants_content,
            secrets=self._request_secrets(),
        )
        return ErrorDescription(str(status), body_error.message)


def start_http_invocation(
    hosts: DeepSeekHosts, signals: Callable[[], Signals], request: SentRequest
) -> HttpInvocation | None:
    """Returns None if the request is not recorded."""
    operation = operation_of_address(request.address)
    endpoint = hosts.endpoint_of_address(request.address)
    if operation is None or endpoint is None:
        return None
    return start_request_invocation(
        HttpInvocation, signals(), operation, endpoint, request
    )
