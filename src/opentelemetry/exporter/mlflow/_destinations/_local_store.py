"""A local store: a database that MLflow's own code opens in this process.

Its tracking URI starts with sqlite:, postgresql:, mysql: or mssql:.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from importlib import import_module, metadata
from importlib.util import find_spec
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from opentelemetry.exporter.mlflow._config import strip_uri_secrets
from opentelemetry.exporter.mlflow._destinations._error_messages import (
    export_error_from_response,
)
from opentelemetry.exporter.mlflow._destinations._experiment import (
    ExistingExperiment,
    find_or_create_experiment,
)
from opentelemetry.exporter.mlflow._destinations._local_trace_store import (
    LocalTraceStore,
)
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._destinations._server_version import (
    UNKNOWN_FEATURES,
    features_of,
)
from opentelemetry.exporter.mlflow._destinations._trace_artifacts import (
    TraceArtifactWriter,
)
from opentelemetry.exporter.mlflow._missing_package import MissingPackageError
from opentelemetry.exporter.mlflow._trace_info._server_spans import (
    server_spans,
    trace_info_updates,
)
from opentelemetry.exporter.mlflow._trace_info._trace_data import by_trace
from opentelemetry.exporter.mlflow._trace_info._trace_settings import EXPERIMENT_ID

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from mlflow.tracing.client import TracingClient
    from opentelemetry.exporter.mlflow._destinations._experiment import Experiment


class LocalStoreDestination:
    """A local store. Implements `Destination`.

    Raises ImportError if the full `mlflow` package is not installed.
    """

    def __init__(self, uri: str, experiment: Experiment) -> None:
        _check_mlflow_installed()
        # MLflow imports this module. The import fails while the interpreter exits,
        # which is when a short program exports.
        import_module("concurrent.futures.thread")
        self.address = strip_uri_secrets(uri)
        self._uri = uri
        self._experiment = experiment
        self._lock = threading.RLock()
        self._client: TracingClient | None = None
        # The code of a server of the same version stores the spans.
        self._features = (
            features_of(metadata.version("mlflow-skinny")) or UNKNOWN_FEATURES
        )
        self._artifact_writers: dict[str, TraceArtifactWriter] = {}

    @property
    def wants_whole_traces(self) -> bool:
        return not self._features.completes_traces

    def describe(self) -> str:
        return f"version {self._features.version}"

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        client, experiment_id = self._open()
        experiment_id = str(
            (spans[0].attributes or {}).get(EXPERIMENT_ID, experiment_id)
        )
        with self._translated_errors(is_span_request=True):
            if self._features.stores_spans:
                self._store_spans(client, experiment_id, spans)
            else:
                self._write_artifacts(client, experiment_id, spans)

    def _store_spans(
        self, client: Any, experiment_id: str, spans: Sequence[ReadableSpan]
    ) -> None:
        # Before 3.12, all spans of a call must be of one trace.
        for spans_of_trace in by_trace(spans).values():
            client.store.log_spans(
                experiment_id,
                _mlflow_spans(server_spans(spans_of_trace, completes_traces=False)),
            )
        for trace_info in trace_info_updates(
            spans, experiment_id, completes_traces=self._features.completes_traces
        ):
            LocalTraceStore(client.store).start_trace(trace_info)

    def _write_artifacts(
        self, client: Any, experiment_id: str, spans: Sequence[ReadableSpan]
    ) -> None:
        with self._lock:
            if experiment_id not in self._artifact_writers:
                self._artifact_writers[experiment_id] = TraceArtifactWriter(
                    LocalTraceStore(client.store), experiment_id
                )
            writer = self._artifact_writers[experiment_id]
        for trace_id, spans_of_trace in by_trace(spans).items():
            writer.write(trace_id, spans_of_trace)

    def _open(self) -> tuple[TracingClient, str]:
        with self._lock, self._translated_errors(is_span_request=False):
            if self._client is None:
                # This class is not in MLflow's public reference. It has the store of
                # the URI, whose methods MLflow's server calls for OTLP requests.
                from mlflow.tracing.client import TracingClient

                self._client = TracingClient(self._uri)
            if self._experiment.id is None:
                experiment_id = find_or_create_experiment(
                    self._experiment.name, LocalExperimentStore(self._uri)
                )
                self._experiment = self._experiment._replace(id=experiment_id)
            return self._client, str(self._experiment.id)

    @contextmanager
    def _translated_errors(self, *, is_span_request: bool) -> Generator[None]:
        """Raise ExportError, with the text for the same error of an MLflow server."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except ExportError:
            raise
        except MlflowException as error:
            raise export_error_from_response(
                int(error.get_http_status_code()),  # type: ignore[no-untyped-call]
                error.error_code,
                self._experiment.label,
                is_span_request=is_span_request,
            ) from error
        except Exception as error:
            raise ExportError(
                f"the store failed ({type(error).__name__})",
                "Check that MLFLOW_TRACKING_URI is the URL of a database that this "
                "process may write to, and that the database's driver is installed",
                is_divisible=is_span_request,
            ) from error

    def close(self) -> None:
        """Do nothing: there are no retries to abort."""

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        if self._client is not None:
            # Parent and child must not use the same connections to a database.
            # https://docs.sqlalchemy.org/en/20/core/pooling.html#using-connection-pools-with-multiprocessing-or-os-fork
            cast("Any", self._client).store.engine.dispose(close=False)


class LocalExperimentStore:
    """The experiments of a local store. Implements `ExperimentStore`."""

    def __init__(self, uri: str) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient(uri)

    def find_experiment(self, name: str) -> ExistingExperiment | None:
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            return None
        return ExistingExperiment(
            experiment.experiment_id, experiment.lifecycle_stage == "deleted"
        )

    def create_experiment(self, name: str) -> str | None:
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.create_experiment(name))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return None


def _mlflow_spans(spans: Sequence[ReadableSpan]) -> list[Any]:
    """Convert spans as MLflow's server converts those of an OTLP request."""
    from mlflow.entities import Span

    # MLflow's docstring calls this method internal, for spans received over OTLP. It is
    # the only way to store the same span that the server would store.
    convert: Any = Span.from_otel_proto
    # Before 3.14, the attributes of the resource are tags in TraceInfo only.
    takes_resource = "resource" in signature(convert).parameters
    return [
        convert(span, resource=resource_spans.resource)
        if takes_resource
        else convert(span)
        for resource_spans in encode_spans(spans).resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


def _check_mlflow_installed() -> None:
    """Raise MissingPackageError if not. Importing MLflow would take seconds."""
    try:
        metadata.version("mlflow-skinny")
        is_installed = find_spec("sqlalchemy") is not None
    except metadata.PackageNotFoundError:
        is_installed = False
    if not is_installed:
        raise MissingPackageError(
            "A local MLflow store requires the full mlflow package",
            "pip install mlflow (mlflow-tracing cannot open a store). To export to a "
            "server, which requires neither, set MLFLOW_TRACKING_URI to its URL, for "
            "example http://localhost:5000",
        )
