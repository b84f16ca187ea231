"""Traces in a Databricks experiment: a row for the list, and a blob with the spans.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/export/mlflow_v3.py
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._destinations._databricks._signed_url import (
    Credential,
    SignedBlob,
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

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._databricks._workspace import (
        Workspace,
    )

# How many traces are remembered as listed, each by its id.
_MOST_TRACES = 10_000


class ExperimentTraces:
    def __init__(
        self, workspace: Workspace, experiment_id: str, timeout: float
    ) -> None:
        self._workspace = workspace
        self._experiment_id = experiment_id
        self._timeout = timeout
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._listed: OrderedDict[str, None] = OrderedDict()

    def close(self) -> None:
        """Nothing waits here for long."""

    def send(self, trace_id: str, spans: Sequence[ReadableSpan]) -> None:
        """Spans of a trace that is listed already are added to it."""
        name = f"tr-{trace_id}"
        whole = trace_spans(spans, name)
        with self._lock:
            is_late = name in self._listed
        before: list[dict[str, Any]] = []
        if is_late:
            before = self._stored(name)
        else:
            root = find_root(whole)
            trace_info = TraceInfo.of(whole, root or whole[0])
            row = {"trace_id": name, **trace_info.to_json(self._location, "3")}
            if root is None:
                row["state"] = "IN_PROGRESS"
            self._workspace.ask(
                "POST", "/api/3.0/mlflow/traces", body={"trace": {"trace_info": row}}
            )
            self._remember(name)
        now = [span_to_json(span) for span in whole]
        ids = {span["span_id"] for span in now}
        kept = [span for span in before if span.get("span_id") not in ids]
        content = dump_json({"spans": [*kept, *now]}).encode("utf-8", "replace")
        self._blob(name, "upload").put(content)

    @property
    def _location(self) -> dict[str, Any]:
        return {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": self._experiment_id},
        }

    def _remember(self, name: str) -> None:
        with self._lock:
            self._listed[name] = None
            if len(self._listed) > _MOST_TRACES:
                self._listed.popitem(last=False)

    def _stored(self, name: str) -> list[dict[str, Any]]:
        content = self._blob(name, "download").content()
        return json.loads(content)["spans"] if content else []

    def _blob(self, name: str, what: str) -> SignedBlob:
        path = f"/api/2.0/mlflow/traces/{name}/credentials-for-data-{what}"
        return SignedBlob(
            Credential.of(self._workspace.ask("GET", path)), self._timeout
        )
