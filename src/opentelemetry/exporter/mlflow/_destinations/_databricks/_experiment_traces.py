"""Traces in a Databricks experiment: TraceInfo in a list, and TraceData in a file.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/export/mlflow_v3.py
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._destinations._databricks._signed_url import (
    Credential,
    SignedUrl,
)
from opentelemetry.exporter.mlflow._trace_info._trace_data import (
    dump_json,
    find_root,
    span_to_json,
    trace_spans,
)
from opentelemetry.exporter.mlflow._trace_info._trace_info import TraceInfo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._databricks._workspace import (
        WorkspaceClient,
    )

# The number of written traces whose ids are remembered.
_MAX_TRACES = 10_000


class ExperimentTraceWriter:
    """Writes traces to one experiment."""

    def __init__(
        self, workspace: WorkspaceClient, experiment_id: str, timeout: float
    ) -> None:
        self._workspace = workspace
        self._experiment_id = experiment_id
        self._timeout = timeout
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._written_traces: OrderedDict[str, None] = OrderedDict()

    def close(self) -> None:
        """Do nothing: retries end after some seconds."""

    def write(self, trace_id: str, spans: Sequence[ReadableSpan]) -> None:
        """Write a trace, or add spans to a trace that has been written before."""
        mlflow_trace_id = f"tr-{trace_id}"
        new_spans = trace_spans(spans, mlflow_trace_id)
        with self._lock:
            is_written = mlflow_trace_id in self._written_traces
        stored_spans: list[dict[str, Any]] = []
        if is_written:
            stored_spans = self._read_spans(mlflow_trace_id)
        else:
            root = find_root(new_spans)
            trace_info = {
                "trace_id": mlflow_trace_id,
                **TraceInfo.of(new_spans, root or new_spans[0]).to_json(
                    self._location, "3"
                ),
            }
            if root is None:
                trace_info["state"] = "IN_PROGRESS"
            self._workspace.request(
                "POST",
                "/api/3.0/mlflow/traces",
                body={"trace": {"trace_info": trace_info}},
            )
            self._remember(mlflow_trace_id)
        new_json = [span_to_json(span) for span in new_spans]
        new_ids = {span["span_id"] for span in new_json}
        all_json = [
            *(span for span in stored_spans if span.get("span_id") not in new_ids),
            *new_json,
        ]
        content = dump_json({"spans": all_json}).encode("utf-8", "replace")
        self._signed_url(mlflow_trace_id, "upload").upload(content)

    @property
    def _location(self) -> dict[str, Any]:
        return {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": self._experiment_id},
        }

    def _remember(self, mlflow_trace_id: str) -> None:
        with self._lock:
            self._written_traces[mlflow_trace_id] = None
            if len(self._written_traces) > _MAX_TRACES:
                self._written_traces.popitem(last=False)

    def _read_spans(self, mlflow_trace_id: str) -> list[dict[str, Any]]:
        content = self._signed_url(mlflow_trace_id, "download").download()
        return json.loads(content)["spans"] if content else []

    def _signed_url(
        self, mlflow_trace_id: str, operation: Literal["upload", "download"]
    ) -> SignedUrl:
        response = self._workspace.request(
            "GET",
            f"/api/2.0/mlflow/traces/{mlflow_trace_id}/credentials-for-data-{operation}",
        )
        return SignedUrl(Credential.from_response(response), self._timeout)
