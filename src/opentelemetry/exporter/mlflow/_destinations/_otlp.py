"""Sends spans over OTLP/HTTP, and translates connection errors into ExportError."""

from __future__ import annotations

import logging
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._destinations._http import (
    OtlpLogFilter,
    export_attempt,
)
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._http import MlflowSession

logging.getLogger(OTLPSpanExporter.__module__).addFilter(OtlpLogFilter())


class SettingNames(NamedTuple):
    """The settings to correct if the connection fails."""

    uri: str = env.MLFLOW_TRACKING_URI
    certificate: str = env.MLFLOW_TRACKING_SERVER_CERT_PATH


_MLFLOW_SETTING_NAMES: Final = SettingNames()


class OtlpClient:
    """OTLPSpanExporter, with the response or the error of each export."""

    def __init__(
        self,
        endpoint: str,
        session: MlflowSession,
        timeout: float,
        setting_names: SettingNames = _MLFLOW_SETTING_NAMES,
    ) -> None:
        self._timeout = timeout
        self._setting_names = setting_names
        self._exporter = OTLPSpanExporter(
            endpoint=endpoint,
            timeout=timeout,
            compression=Compression.NoCompression,  # The session compresses.
            session=session,
        )

    def send(self, spans: Sequence[ReadableSpan]) -> requests.Response | None:
        """Return the response if it rejects the spans, or None if they are accepted.

        Raises ExportError if there is no response.
        """
        result = SpanExportResult.FAILURE
        # If a span cannot be encoded, or a certificate file does not exist any more,
        # newer versions log the error, and older ones raise it.
        with export_attempt() as attempt, suppress(OSError, TypeError, ValueError):
            result = self._exporter.export(spans)
        response = attempt.response
        if response is None:
            raise export_error_from_exception(
                attempt.error, self._timeout, self._setting_names
            )
        is_accepted = result is SpanExportResult.SUCCESS and _is_otlp_success(response)
        return None if is_accepted else response

    def close(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


def export_error_from_exception(
    error: OSError | None,
    timeout: float,
    setting_names: SettingNames = _MLFLOW_SETTING_NAMES,
) -> ExportError:
    """Return the error to raise for a request without a response.

    None means that no request was sent, because the spans could not be encoded.
    """
    match error:
        case None:
            return ExportError(
                "some spans cannot be encoded",
                "Look for text that is not valid Unicode, and for values of many "
                "megabytes",
                is_divisible=True,
            )
        case requests.exceptions.SSLError():
            return ExportError(
                f"the TLS connection failed ({_root_cause(error)})",
                f"Set {setting_names.certificate} to the certificate of the authority "
                "that signed the server's certificate",
            )
        case requests.exceptions.ProxyError():
            return ExportError(
                f"the connection to the proxy failed ({_root_cause(error)})",
                "Check HTTPS_PROXY and HTTP_PROXY, or add MLflow's host to NO_PROXY",
            )
        case requests.ReadTimeout():
            return ExportError(
                f"no response within {timeout:g} s",
                f"Increase {env.OTEL_EXPORTER_MLFLOW_TIMEOUT} (seconds); a server "
                "without internet access needs MLFLOW_MODEL_CATALOG_URI=''",
            )
        case _:
            return ExportError(
                f"the connection failed ({_root_cause(error)})",
                f"Start the server, or correct {setting_names.uri}",
            )


def json_body(response: requests.Response) -> Any:
    """Return the decoded body, or None if it is not JSON."""
    with suppress(ValueError):
        return response.json()
    return None


def _is_otlp_success(response: requests.Response) -> bool:
    """Redirects and login pages are successes to OTLPSpanExporter, but not here."""
    return (
        HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES
        and "html" not in response.headers.get("Content-Type", "")
    )


def _root_cause(error: BaseException) -> str:
    """The operating system's message, beneath the exceptions of HTTP libraries."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if type(error) is OSError and error.args:  # A proxy's response has no errno.
        return str(error.strerror or error)
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
