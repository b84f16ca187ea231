"""Sends spans over OTLP/HTTP, and translates connection errors into ExportError."""

from __future__ import annotations

import logging
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from opentelemetry.exporter.mlflow._destinations._connection_errors import (
    MLFLOW_SETTING_NAMES,
    export_error_from_exception,
    plain_http_error,
)
from opentelemetry.exporter.mlflow._destinations._http import (
    OtlpLogFilter,
    export_attempt,
)
from opentelemetry.exporter.mlflow._destinations._response_times import (
    RequestInterruptedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests
    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._connection_errors import (
        SettingNames,
    )
    from opentelemetry.exporter.mlflow._destinations._http import MlflowSession

logging.getLogger(OTLPSpanExporter.__module__).addFilter(OtlpLogFilter())


class OtlpClient:
    """OTLPSpanExporter, with the response or the error of each export."""

    def __init__(
        self,
        endpoint: str,
        session: MlflowSession,
        timeout: float,
        setting_names: SettingNames = MLFLOW_SETTING_NAMES,
    ) -> None:
        self._timeout = timeout
        self._setting_names = setting_names
        self._is_closed = False
        self._exporter = OTLPSpanExporter(
            endpoint=endpoint,
            timeout=timeout,
            compression=Compression.NoCompression,  # The session compresses.
            session=session,
        )

    def send(
        self,
        spans: Sequence[ReadableSpan],
        extra_headers: Mapping[str, str] | None = None,
    ) -> requests.Response | None:
        """Return the response if it rejects the spans, or None if they are accepted.

        Raises ExportError if there is no response, or if the server requires TLS.
        """
        result = SpanExportResult.FAILURE
        # If a span cannot be encoded, or a certificate file does not exist any more,
        # newer versions log the error, and older ones raise it.
        with (
            export_attempt(extra_headers) as attempt,
            suppress(OSError, TypeError, ValueError),
        ):
            result = self._exporter.export(spans)
        response = attempt.response
        if response is None:
            error = attempt.error
            if error is None and self._is_closed:
                error = RequestInterruptedError()
            raise export_error_from_exception(error, self._timeout, self._setting_names)
        if export_error := plain_http_error(response, self._setting_names):
            raise export_error
        is_accepted = result is SpanExportResult.SUCCESS and _is_otlp_success(response)
        return None if is_accepted else response

    def close(self) -> None:
        self._is_closed = True
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


def json_body(response: requests.Response) -> Any:
    """Return the decoded body, or None if it is not JSON."""
    with suppress(ValueError):
        return response.json()
    return None


def retry_after_seconds(response: requests.Response) -> float | None:
    """Return the value of the header Retry-After, or None if it has no valid one."""
    value = response.headers.get("Retry-After", "")
    with suppress(InvalidHeader, OverflowError):
        return float(Retry().parse_retry_after(value))
    return None


def _is_otlp_success(response: requests.Response) -> bool:
    """Redirects and login pages are successes to OTLPSpanExporter, but not here."""
    return (
        HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES
        and "html" not in response.headers.get("Content-Type", "")
    )
