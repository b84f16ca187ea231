"""Traces in tables of Unity Catalog, which an experiment of Databricks is linked to.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/export/uc_table.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._destinations._error_messages import BECAUSE_OF_SPANS
from opentelemetry.exporter.mlflow._destinations._http import MlflowSession
from opentelemetry.exporter.mlflow._destinations._otlp import Otlp
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.exporter.mlflow._trace_info._trace_data import find_root, trace_spans
from opentelemetry.exporter.mlflow._trace_info._trace_info import TraceInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._databricks._workspace import (
        Workspace,
    )

_LINK = "mlflow.experiment.databricksTraceDestinationPath"
_SPANS = "mlflow.experiment.databricksTraceSpanStorageTable"


class Tables(NamedTuple):
    """`prefix` is `catalog.schema.prefix`; `spans` the full name of that table."""

    prefix: str
    spans: str

    @classmethod
    def linked(cls, tags: Mapping[str, str]) -> Tables | None:
        """By the tags of an experiment, as `mlflow.entities.Experiment` reads them.

        A path of two parts is an older link, which counts there only if the
        application says so.
        """
        prefix = tags.get(_LINK, "")
        if len(prefix.split(".")) != 3:  # noqa: PLR2004  # catalog, schema, prefix
            return None
        return cls(prefix, tags.get(_SPANS) or f"{prefix}_otel_spans")

    @property
    def location(self) -> dict[str, Any]:
        catalog, schema, prefix = self.prefix.split(".")
        return {
            "type": "UC_TABLE_PREFIX",
            "uc_table_prefix": {
                "catalog_name": catalog,
                "schema_name": schema,
                "table_prefix": prefix,
                "spans_table_name": self.spans,
            },
        }


class TableTraces:
    def __init__(self, workspace: Workspace, tables: Tables, timeout: float) -> None:
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
            # Whether it takes that is written nowhere.
            compresses_spans=False,
        )
        self._otlp = Otlp(self._endpoint, self._session, self._timeout)

    def close(self) -> None:
        self._otlp.close()

    def send(self, trace_id: str, spans: Sequence[ReadableSpan]) -> None:
        """The row goes with the root."""
        whole = trace_spans(spans, f"trace:/{self._tables.prefix}/{trace_id}")
        self._session.own_headers = {
            **self._workspace.headers(),
            "X-Databricks-UC-Table-Name": self._tables.spans,
        }
        answer = self._otlp.refused(
            [replace_span(node.span, attributes=node.values) for node in whole]
        )
        if answer is not None:  # one that refuses is false by itself
            raise self._refusal(answer.status_code)
        if root := find_root(whole):
            trace_info = TraceInfo.of(whole, root)
            row = trace_info.to_json(self._tables.location, "4")
            self._workspace.ask(
                "POST",
                f"/api/4.0/mlflow/traces/{self._tables.prefix}/{trace_id}/info",
                body={"trace_id": trace_id, **row},
            )

    def _refusal(self, status: int) -> ExportError:
        return ExportError(
            f"the table {self._tables.spans} does not take them ({status})",
            "Check that the user has USE CATALOG, USE SCHEMA, and both MODIFY and "
            "SELECT on the table",
            is_divisible=status in BECAUSE_OF_SPANS,
        )
