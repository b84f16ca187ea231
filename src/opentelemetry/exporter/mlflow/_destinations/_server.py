"""An MLflow server, which receives traces in the way that its version requires."""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.mlflow._config import strip_uri_secrets
from opentelemetry.exporter.mlflow._destinations._connection import connection_settings
from opentelemetry.exporter.mlflow._destinations._experiment import (
    find_or_create_experiment,
)
from opentelemetry.exporter.mlflow._destinations._http import MlflowSession
from opentelemetry.exporter.mlflow._destinations._otlp import OtlpClient
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._destinations._rest_api import MlflowRestApi
from opentelemetry.exporter.mlflow._destinations._server_trace_store import (
    OtlpRequiredError,
    ServerTraceStore,
)
from opentelemetry.exporter.mlflow._destinations._server_version import (
    ServerVersionReader,
)
from opentelemetry.exporter.mlflow._destinations._trace_artifacts import (
    TraceArtifactWriter,
)
from opentelemetry.exporter.mlflow._trace_info._server_spans import (
    run_header,
    server_spans,
    trace_info_updates,
)
from opentelemetry.exporter.mlflow._trace_info._trace_data import by_trace
from opentelemetry.exporter.mlflow._trace_info._trace_settings import EXPERIMENT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests
    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._experiment import Experiment

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# An older server does not have the path; the store of a newer one may not be able to
# store spans.
_NO_OTLP_STATUSES: Final = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_IMPLEMENTED,
)


class MlflowServerDestination:
    """An MLflow server. Implements `Destination`."""

    def __init__(self, uri: str, experiment: Experiment, timeout: float) -> None:
        self.address = strip_uri_secrets(uri).rstrip("/")
        self._experiment = experiment
        self._timeout = timeout
        self._settings = connection_settings(uri)
        self._connect()

    def _connect(self) -> None:
        self._lock = threading.RLock()
        # OTLPSpanExporter before 1.45 sets its Content-Type on its session. MLflow
        # would reject requests with JSON that have this Content-Type.
        self._session = MlflowSession(*self._settings)
        self._otlp_session = MlflowSession(*self._settings)
        self._otlp = OtlpClient(
            f"{self.address}/v1/traces", self._otlp_session, self._timeout
        )
        # A session of its own: a session expects responses as fast as those before.
        self._version_session = MlflowSession(*self._settings)
        self._version = ServerVersionReader(
            self._version_session, self.address, self._timeout
        )
        self._api = MlflowRestApi(
            self._session,
            self.address,
            self._timeout,
            self._experiment.label,
            lambda: self._version.read().version,
        )
        self._artifact_writers: dict[str, TraceArtifactWriter] = {}
        self._has_logged_rejection = False

    @property
    def wants_whole_traces(self) -> bool:
        return not self._version.read().completes_traces

    def describe(self) -> str:
        return self._version.describe()

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        attributes = spans[0].attributes or {}
        experiment_id = str(attributes.get(EXPERIMENT_ID) or self._experiment_id())
        features = self._version.read()
        if not features.stores_spans:
            try:
                self._write_artifacts(spans, experiment_id)
            except OtlpRequiredError:
                # A newer server: behind the same load balancer, or after an upgrade.
                self._version.set_stores_spans(stores_spans=True)
                features = self._version.read()
            else:
                return
        response = self._otlp.send(
            server_spans(spans, completes_traces=features.completes_traces),
            {"x-mlflow-experiment-id": experiment_id, **run_header(spans)},
        )
        if response is not None:  # An error response is false as a boolean.
            self._write_artifacts_if_required(spans, experiment_id, response)
            return
        for trace_info in trace_info_updates(
            spans, experiment_id, completes_traces=features.completes_traces
        ):
            self._write_trace_info(trace_info)

    def _write_artifacts_if_required(
        self,
        spans: Sequence[ReadableSpan],
        experiment_id: str,
        response: requests.Response,
    ) -> None:
        """Raises ExportError if `response` does not say that there is no OTLP."""
        error = self._api.export_error(response, is_span_request=True)
        if response.status_code not in _NO_OTLP_STATUSES:
            raise error
        try:
            self._write_artifacts(spans, experiment_id)
        except OtlpRequiredError:
            raise error from None
        self._version.set_stores_spans(stores_spans=False)

    def _write_artifacts(
        self, spans: Sequence[ReadableSpan], experiment_id: str
    ) -> None:
        with self._lock:
            if experiment_id not in self._artifact_writers:
                self._artifact_writers[experiment_id] = TraceArtifactWriter(
                    ServerTraceStore(self._api), experiment_id
                )
            writer = self._artifact_writers[experiment_id]
        for trace_id, spans_of_trace in by_trace(spans).items():
            writer.write(trace_id, spans_of_trace)

    def _write_trace_info(self, trace_info: Mapping[str, Any]) -> None:
        try:
            try:
                self._api.start_trace(trace_info)
            except ExportError as error:
                if not error.is_divisible:
                    raise
                self._api.start_trace(self._with_stored_entries(trace_info))
        except ExportError as error:
            if not error.is_divisible or error.is_temporary:
                raise
            # The spans are stored. The next try would fail, too.
            self._log_rejected_trace_info(error)

    def _with_stored_entries(self, trace_info: Mapping[str, Any]) -> dict[str, Any]:
        """Some versions fail if an entry of the stored TraceInfo is missing.

        Another process, or MLflow's client, may have written it.
        """
        stored = self._api.read_trace_info(trace_info["trace_id"]) or {}
        return {
            **trace_info,
            **{
                name: {**stored.get(name, {}), **trace_info[name]}
                for name in ("tags", "trace_metadata")
            },
        }

    def _log_rejected_trace_info(self, error: ExportError) -> None:
        with self._lock:
            is_first = not self._has_logged_rejection
            self._has_logged_rejection = True
        if is_first:
            _logger.warning(
                "MLflow at %s has the spans of a trace, but rejects its TraceInfo: %s. "
                "Name, previews or totals of the trace are missing. This is logged "
                "once.",
                self.address,
                error.cause,
            )

    def _experiment_id(self) -> str:
        with self._lock:
            if self._experiment.id is None:
                experiment_id = find_or_create_experiment(
                    self._experiment.name, self._api
                )
                self._experiment = self._experiment._replace(id=experiment_id)
            return str(self._experiment.id)

    def read_trace_info(self, trace_id: int) -> Mapping[str, Any] | None:
        return self._api.read_trace_info(f"tr-{trace_id:032x}")

    def close(self) -> None:
        self._otlp.close()
        self._session.close()
        self._version_session.close()

    def after_fork(self) -> None:
        self._connect()
