"""A local store (sqlite:///, postgresql://, mysql://, mssql://), in this process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from opentelemetry.exporter.mlflow._config import strip_uri_secrets
from opentelemetry.exporter.mlflow._destinations._error_messages import refusal
from opentelemetry.exporter.mlflow._destinations._experiment import (
    Found,
    found_or_created,
)
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from mlflow.tracing.client import TracingClient
    from opentelemetry.exporter.mlflow._destinations._experiment import Experiment


class Store:
    """See `Destination`. Raises ImportError if there is nothing to open it with."""

    wants_whole_traces = False

    def __init__(self, uri: str, experiment: Experiment) -> None:
        _check_installed()
        # MLflow imports it, and it cannot be imported any more when the interpreter
        # ends: that is when a short program exports.
        import_module("concurrent.futures.thread")
        self.address = strip_uri_secrets(uri)
        self._uri = uri
        self._experiment = experiment
        self._lock = threading.Lock()
        self._client: TracingClient | None = None

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        client, experiment = self._opened()
        with self._failures(of_spans=True):
            client.log_spans(experiment, _entities(spans))

    def _opened(self) -> tuple[TracingClient, str]:
        with self._lock, self._failures(of_spans=False):
            if self._client is None:
                # Not in MLflow's public reference. Its server, too, calls this method
                # of the store, which fills in tokens, cost, session and previews.
                from mlflow.tracing.client import TracingClient

                self._client = TracingClient(self._uri)
            if self._experiment.id is None:
                found = found_or_created(self._experiment.name, Experiments(self._uri))
                self._experiment = self._experiment._replace(id=found)
            return self._client, str(self._experiment.id)

    @contextmanager
    def _failures(self, *, of_spans: bool) -> Generator[None]:
        """MLflow's exceptions as its server would answer them."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except ExportError:
            raise
        except MlflowException as error:
            raise refusal(
                int(error.get_http_status_code()),  # type: ignore[no-untyped-call]
                error.error_code,
                self._experiment.shown,
                of_spans=of_spans,
            ) from error
        except Exception as error:
            raise ExportError(
                f"it fails ({type(error).__name__})",
                "Check that MLFLOW_TRACKING_URI names a database this process may "
                "write to, and that its driver is installed",
                is_divisible=of_spans,
            ) from error

    def close(self) -> None:
        """Nothing waits here."""

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        if self._client is not None:
            # Connections to a database must not be used on both sides of a fork.
            # https://docs.sqlalchemy.org/en/20/core/pooling.html#using-connection-pools-with-multiprocessing-or-os-fork
            cast("Any", self._client).store.engine.dispose(close=False)


class Experiments:
    """The experiments of a store; see `Catalogue`."""

    def __init__(self, uri: str) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient(uri)

    def find(self, name: str) -> Found | None:
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            return None
        return Found(experiment.experiment_id, experiment.lifecycle_stage == "deleted")

    def create(self, name: str) -> str | None:
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.create_experiment(name))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return None


def _entities(spans: Sequence[ReadableSpan]) -> list[Any]:
    """Spans as MLflow's server makes them of a request."""
    from mlflow.entities import Span

    return [
        # MLflow's docstring calls it internal, for receiving spans by OTLP: so it is
        # the one way on which a span is in the store what it is through the server.
        Span.from_otel_proto(span, resource=of_resource.resource)
        for of_resource in encode_spans(spans).resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def _check_installed() -> None:
    """Without importing MLflow, which takes seconds."""
    try:
        metadata.version("mlflow-skinny")
        complete = find_spec("sqlalchemy") is not None
    except metadata.PackageNotFoundError:
        complete = False
    if not complete:
        raise ImportError(
            "A local MLflow store needs the full package: pip install mlflow. "
            "(mlflow-tracing alone cannot open one.) A server needs neither: "
            "set MLFLOW_TRACKING_URI to its address, such as http://localhost:5000"
        )
