"""An OTLP/HTTP receiver, such as a collector's, that hands spans on to MLflow."""

from __future__ import annotations

import logging
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opentelemetry.util.re import parse_env_headers

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._config import read_setting, strip_uri_secrets
from opentelemetry.exporter.mlflow._destinations._http import MlflowSession
from opentelemetry.exporter.mlflow._destinations._otlp import Otlp, Variables
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._config import Setting

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_PATH: Final = "/v1/traces"
_CREDENTIALS: Final = (
    "it wants other credentials",
    f"Check {env.OTEL_EXPORTER_MLFLOW_HEADERS}",
)
_OVERLOADED: Final = "it has too much to do", "Its own log says why"
_MEANINGS: Final[dict[int, tuple[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: _CREDENTIALS,
    HTTPStatus.FORBIDDEN: _CREDENTIALS,
    HTTPStatus.NOT_FOUND: (
        "it takes no traces there",
        f"Set {env.OTEL_EXPORTER_MLFLOW_ENDPOINT} to a receiver of traces",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: _OVERLOADED,
    HTTPStatus.SERVICE_UNAVAILABLE: _OVERLOADED,
}


class Collector:
    """See `Destination`. What becomes of the spans after it, it counts itself."""

    wants_whole_traces = False

    def __init__(self, endpoint: Setting, timeout: float) -> None:
        """Raises ValueError, with the name of the variable."""
        self.address = strip_uri_secrets(endpoint.value or "").rstrip("/")
        self._named_by = endpoint.name
        self._timeout = timeout
        self._headers = parse_env_headers(
            read_setting(None, "", env.OTEL_EXPORTER_MLFLOW_HEADERS).value or "",
            liberal=True,
        )
        self._certificate = read_setting(None, "", env.OTEL_EXPORTER_MLFLOW_CERTIFICATE)
        if self._certificate.value and not Path(self._certificate.value).exists():
            raise ValueError(
                f"{self._certificate.name} takes the path of a PEM file; no file is "
                f"{self._certificate.value}"
            )
        self._has_told = False
        self._connect()

    def _connect(self) -> None:
        self._otlp = Otlp(
            self.address.removesuffix(_PATH) + _PATH,
            MlflowSession(self._headers, self._certificate.value or True, None),
            self._timeout,
            Variables(
                env.OTEL_EXPORTER_MLFLOW_ENDPOINT, env.OTEL_EXPORTER_MLFLOW_CERTIFICATE
            ),
        )

    def is_at(self, tracking_uri: str) -> bool:  # noqa: ARG002  # as `DestinationResolver` has it
        """Where it sends to is not known here: it may be."""
        return True

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        if not self._has_told:
            self._has_told = True
            _logger.info(
                "Spans go to MLflow by way of %s (%s), which chooses the experiment",
                self.address,
                self._named_by,
            )
        answer = self._otlp.refused(spans)
        if answer is None:
            return
        status = answer.status_code
        if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            raise ExportError(
                f"it refuses some of them ({status})",
                "Its own log has the reason; the others of the batch go without them",
                is_divisible=True,
            )
        if status < HTTPStatus.BAD_REQUEST:  # a redirection, or a web page
            raise ExportError(
                f"the address leads elsewhere ({status})",
                f"Set {env.OTEL_EXPORTER_MLFLOW_ENDPOINT} to an OTLP/HTTP receiver; "
                "redirections are not followed",
            )
        meaning, advice = _MEANINGS.get(status, ("it fails", "Its own log says why"))
        raise ExportError(f"{meaning} ({status})", advice)

    def close(self) -> None:
        self._otlp.close()

    def after_fork(self) -> None:
        self._connect()
