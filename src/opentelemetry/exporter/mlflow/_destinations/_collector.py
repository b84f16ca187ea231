"""An OTLP/HTTP receiver that forwards spans to MLflow, for example a collector's."""

from __future__ import annotations

import logging
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opentelemetry.util.re import parse_env_headers

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._config import read_setting, strip_uri_secrets
from opentelemetry.exporter.mlflow._destinations._connection_errors import SettingNames
from opentelemetry.exporter.mlflow._destinations._error_messages import (
    SPAN_ERROR_STATUSES,
    TEMPORARY_ERROR_STATUSES,
)
from opentelemetry.exporter.mlflow._destinations._http import MlflowSession
from opentelemetry.exporter.mlflow._destinations._otlp import (
    OtlpClient,
    retry_after_seconds,
)
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._trace_info._server_spans import server_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._config import Setting

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_SETTING_NAMES: Final = SettingNames(
    env.OTEL_EXPORTER_MLFLOW_ENDPOINT,
    env.OTEL_EXPORTER_MLFLOW_CERTIFICATE,
    None,
    "Start the receiver, or correct "
    f"{env.OTEL_EXPORTER_MLFLOW_ENDPOINT}. The collector of this package listens on "
    "port 4319 only if it is started with OTELCOL_MLFLOW_RECEIVERS=[otlp/mlflow]",
)
_PATH: Final = "/v1/traces"
_EXPERIMENT_HEADER: Final = b"x-mlflow-experiment-id"
_LOG_ADVICE: Final = "See the receiver's log for the reason"
_CREDENTIALS: Final = (
    "the receiver requires valid credentials",
    f"Check {env.OTEL_EXPORTER_MLFLOW_HEADERS}",
)
_OVERLOADED: Final = "the receiver is overloaded", _LOG_ADVICE
_CAUSES_AND_ADVICE: Final[dict[int, tuple[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: _CREDENTIALS,
    HTTPStatus.FORBIDDEN: _CREDENTIALS,
    HTTPStatus.NOT_FOUND: (
        "the receiver does not accept traces at this path",
        f"Set {env.OTEL_EXPORTER_MLFLOW_ENDPOINT} to a receiver of traces",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: _OVERLOADED,
    HTTPStatus.SERVICE_UNAVAILABLE: _OVERLOADED,
}


class CollectorDestination:
    """An OTLP/HTTP receiver. Implements `Destination`.

    Spans count as delivered once the receiver accepts them. A collector has metrics for
    spans that it cannot forward.
    """

    wants_whole_traces = False

    def __init__(self, endpoint: Setting, timeout: float) -> None:
        """Raises ValueError if a variable is invalid; the message names it."""
        self.address = strip_uri_secrets(endpoint.value or "").rstrip("/")
        self._endpoint_setting_name = endpoint.name
        self._timeout = timeout
        self._headers = parse_env_headers(
            read_setting(None, "", env.OTEL_EXPORTER_MLFLOW_HEADERS).value or "",
            liberal=True,
        )
        self._certificate = read_setting(None, "", env.OTEL_EXPORTER_MLFLOW_CERTIFICATE)
        if self._certificate.value and not Path(self._certificate.value).exists():
            raise ValueError(
                f"{self._certificate.name} must be the path of a PEM file; "
                f"{self._certificate.value} does not exist"
            )
        self._has_logged_target = False
        self._connect()

    def _connect(self) -> None:
        self._otlp = OtlpClient(
            self.address.removesuffix(_PATH) + _PATH,
            MlflowSession(self._headers, self._certificate.value or True, None),
            self._timeout,
            _SETTING_NAMES,
        )

    @property
    def target(self) -> str:
        return self.address

    def has_tracking_uri(self, tracking_uri: str) -> bool:  # noqa: ARG002  # the signature of `DestinationResolver`
        """Always true: the receiver may forward to this tracking URI."""
        return True

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        if not self._has_logged_target:
            self._has_logged_target = True
            _logger.info(
                "Exporting spans to MLflow through the OTLP receiver at %s (%s), which "
                "selects the experiment",
                self.address,
                self._endpoint_setting_name,
            )
        response = self._otlp.send(server_spans(spans, completes_traces=True))
        if response is None:
            return
        status = response.status_code
        # MLflow rejects a request without this header, and names it in the response.
        if _EXPERIMENT_HEADER in response.content.lower():
            raise ExportError(
                f"the endpoint is an MLflow server ({status})",
                f"Set {env.MLFLOW_TRACKING_URI} to this address instead, and unset "
                f"{self._endpoint_setting_name}",
            )
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ExportError(
                f"the request failed ({status})", _LOG_ADVICE, is_divisible=True
            )
        if status in SPAN_ERROR_STATUSES:
            raise ExportError(
                f"the receiver rejects some of the spans ({status})",
                f"{_LOG_ADVICE}; the other spans of the batch are sent without them",
                is_divisible=True,
                is_temporary=status in TEMPORARY_ERROR_STATUSES,
            )
        if status < HTTPStatus.BAD_REQUEST:  # a redirect, or a web page
            raise ExportError(
                f"the response does not come from an OTLP receiver ({status})",
                f"Set {env.OTEL_EXPORTER_MLFLOW_ENDPOINT} to the URL of an OTLP/HTTP "
                "receiver; redirects are not followed",
            )
        cause, advice = _CAUSES_AND_ADVICE.get(
            status, ("the request failed", _LOG_ADVICE)
        )
        raise ExportError(
            f"{cause} ({status})", advice, retry_after=retry_after_seconds(response)
        )

    def close(self) -> None:
        self._otlp.close()

    def after_fork(self) -> None:
        self._connect()
