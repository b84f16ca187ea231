"""Databricks: an experiment of a workspace, or its linked Unity Catalog tables."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._destinations._databricks._experiment_traces import (
    WorkspaceTraceStore,
)
from opentelemetry.exporter.mlflow._destinations._databricks._unity_catalog import (
    TableTraceWriter,
    TraceTables,
)
from opentelemetry.exporter.mlflow._destinations._databricks._workspace import (
    WorkspaceClient,
    WorkspaceError,
)
from opentelemetry.exporter.mlflow._destinations._deadline import (
    DeadlineCaller,
    request_timeout,
)
from opentelemetry.exporter.mlflow._destinations._experiment import (
    ExistingExperiment,
    find_or_create_experiment,
)
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._destinations._trace_artifacts import (
    TraceArtifactWriter,
)
from opentelemetry.exporter.mlflow._trace_info._trace_data import by_trace
from opentelemetry.exporter.mlflow._trace_info._trace_settings import EXPERIMENT_ID
from opentelemetry.exporter.mlflow.environment_variables import (
    MLFLOW_EXPERIMENT_NAME,
    OTEL_EXPORTER_MLFLOW_TIMEOUT,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._resolver import Target

_EXPERIMENTS_PATH = "/api/2.0/mlflow/experiments"
# MLflow's client removes this prefix before it looks up or creates an experiment.
_WORKSPACE_PREFIX = "/Workspace"


class DatabricksDestination:
    """A Databricks workspace. Implements `Destination` and `ExperimentStore`.

    Raises ValueError if the experiment's name is not a path, and ImportError if
    databricks-sdk is not installed.
    """

    # Databricks does not compute TraceInfo from spans, as an MLflow server does.
    wants_whole_traces = True

    def __init__(self, target: Target, timeout: float) -> None:
        experiment = target.experiment
        self.address = str(target.tracking_uri.value)
        name = experiment.name.removeprefix(_WORKSPACE_PREFIX)
        if experiment.id is None and not name.startswith("/"):
            raise ValueError(
                f"{experiment.setting.name} must be the path of an experiment in the "
                f"Databricks workspace, for example /Shared/agents; got {name!r}"
            )
        self._experiment = experiment._replace(name=name)
        self._timeout = timeout
        profile = self.address.partition("://")[2] or None
        self._workspace = WorkspaceClient(profile, timeout)
        self._trace_writers: dict[str, TraceArtifactWriter | TableTraceWriter] = {}
        self._is_closed = False
        self._caller = DeadlineCaller()
        self._lock = threading.RLock()

    def describe(self) -> str:
        return ""

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        # databricks-sdk has timeouts of its own for each of its requests and retries.
        try:
            self._caller.call(
                partial(self._send, spans),
                request_timeout(self._timeout),
                lambda: self._is_closed,
            )
        except TimeoutError as error:
            raise ExportError(
                f"the workspace does not respond within {self._timeout:g} s",
                f"Check DATABRICKS_HOST, or increase {OTEL_EXPORTER_MLFLOW_TIMEOUT}",
            ) from error

    def _send(self, spans: Sequence[ReadableSpan]) -> None:
        with self._lock:
            trace_writer = self._open_trace_writer(
                str((spans[0].attributes or {}).get(EXPERIMENT_ID, ""))
            )
        for trace_id, spans_of_trace in by_trace(spans).items():
            trace_writer.write(trace_id, spans_of_trace)

    def close(self) -> None:
        self._is_closed = True
        for trace_writer in self._trace_writers.values():
            trace_writer.close()

    def after_fork(self) -> None:
        self._caller = DeadlineCaller()
        self._lock = threading.RLock()
        self._workspace.after_fork()
        for trace_writer in self._trace_writers.values():
            trace_writer.after_fork()

    def _open_trace_writer(
        self, experiment_id: str
    ) -> TraceArtifactWriter | TableTraceWriter:
        """`experiment_id` is "" for the experiment of the exporter."""
        if experiment_id not in self._trace_writers:
            actual_id = (
                experiment_id
                or self._experiment.id
                or find_or_create_experiment(self._experiment.name, self)
            )
            tables = TraceTables.from_experiment_tags(self._experiment_tags(actual_id))
            self._trace_writers[experiment_id] = (
                TableTraceWriter(self._workspace, tables, self._timeout)
                if tables
                else TraceArtifactWriter(
                    WorkspaceTraceStore(self._workspace, self._timeout), actual_id
                )
            )
        return self._trace_writers[experiment_id]

    def _experiment_tags(self, experiment_id: str) -> dict[str, str]:
        if experiment_id == "0":
            raise ExportError(
                "a Databricks workspace has no default experiment",
                f"Set {MLFLOW_EXPERIMENT_NAME} to a path in the workspace, for example "
                "/Shared/agents",
            )
        response = self._workspace.request(
            "GET", f"{_EXPERIMENTS_PATH}/get", {"experiment_id": experiment_id}
        )
        tags = response["experiment"].get("tags", ())
        return {tag["key"]: tag["value"] for tag in tags}

    def find_experiment(self, name: str) -> ExistingExperiment | None:
        try:
            response = self._workspace.request(
                "GET", f"{_EXPERIMENTS_PATH}/get-by-name", {"experiment_name": name}
            )
        except WorkspaceError as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        experiment = response["experiment"]
        return ExistingExperiment(
            experiment["experiment_id"], experiment["lifecycle_stage"] == "deleted"
        )

    def create_experiment(self, name: str) -> str | None:
        try:
            response = self._workspace.request(
                "POST", f"{_EXPERIMENTS_PATH}/create", body={"name": name}
            )
        except WorkspaceError as error:
            if error.error_code == "RESOURCE_ALREADY_EXISTS":
                return None
            raise
        return str(response["experiment_id"])
