"""Databricks: an experiment of a workspace, or the tables that it is linked to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._destinations._databricks._experiment_traces import (
    ExperimentTraces,
)
from opentelemetry.exporter.mlflow._destinations._databricks._unity_catalog import (
    Tables,
    TableTraces,
)
from opentelemetry.exporter.mlflow._destinations._databricks._workspace import (
    RefusedError,
    Workspace,
)
from opentelemetry.exporter.mlflow._destinations._experiment import (
    Found,
    found_or_created,
)
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._trace_info._trace_data import hex_trace_id
from opentelemetry.exporter.mlflow.environment_variables import MLFLOW_EXPERIMENT_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._resolver import Choice

_EXPERIMENTS = "/api/2.0/mlflow/experiments"
# MLflow's client looks experiments up without it, and makes them without it.
_WORKSPACE = "/Workspace"


class Databricks:
    """See `Destination`. Raises ValueError, or ImportError without databricks-sdk."""

    # Nobody else makes rows, sums and previews of the spans.
    wants_whole_traces = True

    def __init__(self, choice: Choice, timeout: float) -> None:
        (uri, _), experiment = choice
        self.address = str(uri)
        name = experiment.name.removeprefix(_WORKSPACE)
        if experiment.id is None and not name.startswith("/"):
            raise ValueError(
                f"{experiment.by.name} takes the path of an experiment in the "
                f"Databricks workspace, such as /Shared/agents, not {name!r}"
            )
        self._experiment = experiment._replace(name=name)
        self._timeout = timeout
        self._workspace = Workspace(self.address.partition("://")[2] or None, timeout)
        self._traces: ExperimentTraces | TableTraces | None = None
        self._lock = threading.Lock()

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        with self._lock:
            traces = self._settled()
        together: dict[str, list[ReadableSpan]] = {}
        for span in spans:
            together.setdefault(hex_trace_id(span), []).append(span)
        for name, whole in together.items():
            traces.send(name, whole)

    def close(self) -> None:
        if self._traces:
            self._traces.close()

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._workspace.after_fork()
        if self._traces:
            self._traces.after_fork()

    def _settled(self) -> ExperimentTraces | TableTraces:
        if self._traces is None:
            number = self._experiment.id or found_or_created(
                self._experiment.name, self
            )
            tables = Tables.linked(self._tags(number))
            self._traces = (
                TableTraces(self._workspace, tables, self._timeout)
                if tables
                else ExperimentTraces(self._workspace, number, self._timeout)
            )
        return self._traces

    def _tags(self, experiment_id: str) -> dict[str, str]:
        if experiment_id == "0":
            raise ExportError(
                "a Databricks workspace has no default experiment",
                f"Set {MLFLOW_EXPERIMENT_NAME} to a path in it, such as /Shared/agents",
            )
        answer = self._workspace.ask(
            "GET", f"{_EXPERIMENTS}/get", {"experiment_id": experiment_id}
        )
        tags = answer["experiment"].get("tags", ())
        return {tag["key"]: tag["value"] for tag in tags}

    def find(self, name: str) -> Found | None:
        """An experiment by name; part of `Catalogue`."""
        try:
            answer = self._workspace.ask(
                "GET", f"{_EXPERIMENTS}/get-by-name", {"experiment_name": name}
            )
        except RefusedError as refusal:
            if refusal.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        found = answer["experiment"]
        return Found(found["experiment_id"], found["lifecycle_stage"] == "deleted")

    def create(self, name: str) -> str | None:
        """A new experiment; part of `Catalogue`."""
        try:
            answer = self._workspace.ask(
                "POST", f"{_EXPERIMENTS}/create", body={"name": name}
            )
        except RefusedError as refusal:
            if refusal.code == "RESOURCE_ALREADY_EXISTS":
                return None
            raise
        return str(answer["experiment_id"])
