"""Traces in the Unity Catalog tables that a Databricks experiment is linked to.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/export/uc_table.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._trace_info._trace_data import find_root, trace_spans
from opentelemetry.exporter.mlflow._trace_info._trace_info import TraceInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._databricks._workspace import (
        WorkspaceClient,
    )

_PREFIX_TAG = "mlflow.experiment.databricksTraceDestinationPath"
_SPANS_TABLE_TAG = "mlflow.experiment.databricksTraceSpanStorageTable"


class TraceTables(NamedTuple):
    """The tables with the spans and the trace infos of an experiment.

    `prefix` is `catalog.schema.table_prefix`. `spans` is the full name of the table
    with the spans.
    """

    prefix: str
    spans: str

    @classmethod
    def from_experiment_tags(cls, tags: Mapping[str, str]) -> TraceTables | None:
        """Read the tags as `mlflow.entities.Experiment` does; None if there is no link.

        A path of two parts is an older kind of link. MLflow's client ignores it unless
        the application selects it.
        """
        prefix = tags.get(_PREFIX_TAG, "")
        if len(prefix.split(".")) != 3:  # noqa: PLR2004  # catalog, schema, table prefix
            return None
        return cls(prefix, tags.get(_SPANS_TABLE_TAG) or f"{prefix}_otel_spans")

    @property
    def location(self) -> dict[str, Any]:
        """The location of a trace, as TraceInfo has it."""
        catalog, schema, table_prefix = self.prefix.split(".")
        return {
            "type": "UC_TABLE_PREFIX",
            "uc_table_prefix": {
                "catalog_name": catalog,
                "schema_name": schema,
                "table_prefix": table_prefix,
                "spans_table_name": self.spans,
            },
        }


class TableTraceWriter:
    """Writes traces to the tables of one experiment."""

    def __init__(
        self, workspace: WorkspaceClient, tables: TraceTables, timeout: float
    ) -> None:
        self._workspace = workspace
        self._tables = tables
        self._timeout = timeout
        self._endpoint = f"{workspace.host}/api/2.0/otel/v1/traces"
        self.after_fork()

    def after_fork(self) -> None:
        self._session = MlflowSession(
            {},
            verify=True,
            cert=None,
            # It is not documented whether Databricks accepts compressed spans.
            compresses_spans=False,
        )
        self._otlp = OtlpClient(self._endpoint, self._session, self._timeout)

    def close(self) -> None:
        self._otlp.close()

    def write(self, trace_id: str, spans: Sequence[ReadableSpan]) -> None:
        """Write the spans, and TraceInfo if the root is one of them."""
        spans_of_trace = trace_spans(spans, f"trace:/{self._tables.prefix}/{trace_id}")
        self._session.extra_headers = {
            **self._workspace.headers(),
            "X-Databricks-UC-Table-Name": self._tables.spans,
        }
        response = self._otlp.send(
            [
                replace_span(trace_span.span, attributes=trace_span.values)
                for trace_span in spans_of_trace
            ]
        )
        if response is not None:  # An error response is false as a boolean.
            error = self._export_error(response.status_code)
            error.retry_after = retry_after_seconds(response)
            raise error
        if root := find_root(spans_of_trace):
            trace_info = TraceInfo.of(spans_of_trace, root)
            self._workspace.request(
                "POST",
                f"/api/4.0/mlflow/traces/{self._tables.prefix}/{trace_id}/info",
                body={
                    "trace_id": trace_id,
                    **trace_info.to_json(self._tables.location, "4"),
                },
            )

    def _export_error(self, status: int) -> ExportError:
        return ExportError(
            f"the table {self._tables.spans} rejects the spans ({status})",
            "Check that the user has USE CATALOG, USE SCHEMA, and both MODIFY and "
            "SELECT on the table",
            is_divisible=status in SPAN_ERROR_STATUSES,
            is_temporary=status in TEMPORARY_ERROR_STATUSES,
        )
