"""The HTTP session that OTLPSpanExporter uses for requests to MLflow.

It keeps the settings of other backends out of the requests, and ends retries: spans
that cannot be sent wait in a queue.
"""

from __future__ import annotations

import gzip
import logging
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from opentelemetry.exporter.mlflow._destinations._deadline import (
    DeadlineCaller,
    exit_clock,
    request_timeout,
)
from opentelemetry.exporter.mlflow._destinations._response_times import (
    LateResponseError,
    RequestInterruptedError,
    ResponseTimes,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

# The headers that describe the request itself.
_PROTOCOL_HEADERS = (
    "Accept",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "User-Agent",
)

_SPANS_CONTENT_TYPE: Final = "application/x-protobuf"
# OTLPSpanExporter uses level 9. Requests are a third smaller with it, but compressing a
# span with 2 kB of prose then takes as long as mapping it.
_GZIP_LEVEL: Final = 1

# An unreachable server is given less time than a busy one: spans can wait, and a
# program that ends must not hang.
_CONNECT_TIMEOUT_SECONDS = 5.0


class StopRetryingError(requests.RequestException):
    """OTLPSpanExporter does not retry after this error."""


@dataclass
class ExportAttempt:
    """The outcome of one call of OTLPSpanExporter.export.

    The exporter returns only whether it succeeded. The session records the last
    response or error here. It adds `extra_headers` to the requests.
    """

    extra_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    request_count: int = 0
    response: requests.Response | None = None
    error: OSError | None = None

    def record_error(self, error: OSError) -> None:
        """Raises StopRetryingError, except for the first error of a connection.

        That error may be caused by an idle connection that the server has closed.
        """
        self.request_count += 1
        self.response, self.error = None, error
        if (
            isinstance(error, requests.ConnectionError)
            and not isinstance(error, (requests.exceptions.SSLError, requests.Timeout))
            and self.request_count == 1
        ):
            return
        raise StopRetryingError from error

    def record_response(self, response: requests.Response) -> None:
        """Raises StopRetryingError if OTLPSpanExporter would retry."""
        self.request_count += 1
        self.response, self.error = response, None
        if response.status_code >= HTTPStatus.TOO_MANY_REQUESTS:
            raise StopRetryingError


_current_attempt: ContextVar[ExportAttempt | None] = ContextVar(
    "mlflow_export_attempt", default=None
)


@contextmanager
def export_attempt(
    extra_headers: Mapping[str, str] | None = None,
) -> Generator[ExportAttempt]:
    """Record the requests that MlflowSession sends in this context."""
    attempt = ExportAttempt(extra_headers or {})
    token = _current_attempt.set(attempt)
    try:
        yield attempt
    finally:
        _current_attempt.reset(token)


class MlflowSession(requests.Session):
    """Sends only `extra_headers`, and uses only the given TLS settings.

    OTLPSpanExporter adds the headers of OTEL_EXPORTER_OTLP_HEADERS, which may contain
    the key of another backend, and verifies certificates with
    OTEL_EXPORTER_OTLP_CERTIFICATE. `requests` adds cookies and the credentials of
    ~/.netrc, and follows redirects. All these requests pass `send`, which undoes this.
    """

    def __init__(
        self,
        extra_headers: Mapping[str, str],
        verify: bool | str,
        cert: str | None,
        *,
        compresses_spans: bool = True,
    ) -> None:
        super().__init__()
        self._compresses_spans = compresses_spans
        self.extra_headers = dict(extra_headers)
        self._fixed_verify = verify
        self._fixed_cert = cert
        self._is_closed = False
        self._response_times = ResponseTimes()
        self._caller = DeadlineCaller()

    def close(self) -> None:
        """Close the connections; a request that waits for its response ends."""
        self._is_closed = True
        super().close()

    def send(
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        if (
            self._compresses_spans
            and request.headers.get("Content-Type") == _SPANS_CONTENT_TYPE
            and not _is_loopback(request.url)
        ):
            body = gzip.compress(cast("bytes", request.body), _GZIP_LEVEL)
            request.body = body
            request.headers["Content-Encoding"] = "gzip"
            request.headers["Content-Length"] = str(len(body))
        protocol_headers = {
            name: request.headers[name]
            for name in _PROTOCOL_HEADERS
            if name in request.headers
        }
        attempt = _current_attempt.get()
        request.headers = CaseInsensitiveDict(
            {
                **protocol_headers,
                **self.extra_headers,
                **(attempt.extra_headers if attempt else {}),
            }
        )
        kwargs |= {
            "allow_redirects": False,
            "cert": self._fixed_cert,
            # REQUESTS_CA_BUNDLE is respected, as MLflow's client does.
            "verify": self.merge_environment_settings(
                request.url, {}, None, self._fixed_verify, None
            )["verify"],
        }
        try:
            response = self._send_with_deadline(request, **kwargs)
        except OSError as error:  # RequestException, or a CA file that does not exist
            if attempt:
                attempt.record_error(error)
            raise
        if attempt:
            attempt.record_response(response)
        return response

    def _send_with_deadline(
        self, request: requests.PreparedRequest, timeout: float, **kwargs: Any
    ) -> requests.Response:
        seconds = request_timeout(timeout)
        # The timeout of each read is longer: it is the deadline that must be exceeded.
        timeouts = min(seconds, _CONNECT_TIMEOUT_SECONDS), seconds
        send = partial(super().send, request, timeout=timeouts, **kwargs)
        limit = self._response_times.limit(seconds)
        start = time.monotonic()
        try:
            response = self._caller.call(send, limit, lambda: self._is_closed)
        except TimeoutError as error:
            if self._is_closed or exit_clock.remaining_seconds() == 0:
                raise RequestInterruptedError from error
            if limit < seconds:
                self._response_times.add_late_response()
                raise LateResponseError from error
            raise requests.ReadTimeout from error
        self._response_times.add(time.monotonic() - start)
        return response


def _is_loopback(url: str | None) -> bool:
    """Whether the host is this machine, where compression saves nothing."""
    host = urlsplit(url or "").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OtlpLogFilter(logging.Filter):
    """Drops what OTLPSpanExporter logs about exports to MLflow.

    It logs each batch and each retry. This package logs each cause once, with advice.
    The records of other OTLP exporters of the program are kept.
    """

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # the context decides
        return _current_attempt.get() is None
