"""Traces whose spans are in a file: TraceInfo in a list, and TraceData as an artifact.

MLflow servers before 3.6, stores that cannot store spans, and the experiments of a
Databricks workspace have traces of this form. The file is written as a whole: spans
that end after it was written, or that another service has written, are added to what it
contains.

https://github.com/mlflow/mlflow/blob/v3.5.1/mlflow/tracing/export/mlflow_v3.py
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry.exporter.mlflow._trace_info._shared_trace import join_trace_infos
from opentelemetry.exporter.mlflow._trace_info._trace_data import (
    dump_json,
    find_root,
    span_to_json,
    trace_spans,
)
from opentelemetry.exporter.mlflow._trace_info._trace_info import (
    TraceInfo,
    experiment_location,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._trace_info._trace_data import TraceSpan

Json = Mapping[str, Any]

# What clients before MLflow 3.5 wrote for a root; newer ones write null. The page of
# MLflow 3.2 decodes null as the id of a span, and does not show the trace.
# https://github.com/mlflow/mlflow/blob/v3.2.0/mlflow/server/js/src/shared/web-shared/model-trace-explorer/ModelTraceExplorer.utils.tsx
NO_PARENT: Final = ""
# The number of written traces whose TraceInfo is kept.
_MAX_TRACES: Final = 10_000


class TraceStore(Protocol):
    """Stores traces. The methods raise ExportError."""

    @property
    def max_preview_length(self) -> int: ...

    @property
    def root_parent_id(self) -> str | None:
        """The `parent_span_id` of a root."""
        ...

    def read_trace_info(self, trace_id: str) -> Json | None:
        """Return None if there is no such trace."""
        ...

    def start_trace(self, trace_info: Json) -> Json:
        """Store `trace_info`, and return it with what the store adds to it."""
        ...

    def write_trace_data(self, trace_info: Json, content: bytes) -> None: ...

    def read_trace_data(self, trace_info: Json) -> bytes | None:
        """Return None if there is no file."""
        ...


class TraceArtifactWriter:
    """Writes traces to one experiment of a store."""

    def __init__(self, store: TraceStore, experiment_id: str) -> None:
        self._store = store
        self._experiment_id = experiment_id
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._written_traces: OrderedDict[str, Json] = OrderedDict()

    def close(self) -> None:
        """Do nothing: the connections belong to the store."""

    def write(self, trace_id: str, spans: Sequence[ReadableSpan]) -> None:
        """Write a trace, or add spans to a trace that has been written before.

        `trace_id`: 32 hexadecimal digits.
        """
        mlflow_trace_id = f"tr-{trace_id}"
        new_spans = trace_spans(spans, mlflow_trace_id)
        with self._lock:
            trace_info = self._written_traces.get(mlflow_trace_id)
        if trace_info is None:
            trace_info, stored_spans = self._start(mlflow_trace_id, new_spans)
            self._remember(mlflow_trace_id, trace_info)
        else:
            stored_spans = self._read_spans(trace_info)
        if trace_info["trace_id"] != mlflow_trace_id:  # the store has chosen another id
            new_spans = trace_spans(spans, trace_info["trace_id"])
        content = {"spans": self._all_spans(stored_spans, new_spans)}
        self._store.write_trace_data(
            trace_info, dump_json(content).encode("utf-8", "replace")
        )

    def _start(
        self, mlflow_trace_id: str, spans: Sequence[TraceSpan]
    ) -> tuple[Json, list[dict[str, Any]]]:
        """Write the TraceInfo, and return it with the spans that are stored already.

        Another service may have stored them, or this one in a former process.
        """
        root = find_root(spans)
        trace_info = TraceInfo.of(spans, root or spans[0]).to_json(
            experiment_location(self._experiment_id),
            "3",
            self._store.max_preview_length,
        )
        if root is None:
            trace_info["state"] = "IN_PROGRESS"
        stored_info = self._store.read_trace_info(mlflow_trace_id)
        stored_spans = self._read_spans(stored_info) if stored_info else []
        if stored_info and stored_spans:
            # What is stored may have another form. Then the new one replaces it.
            with suppress(KeyError, TypeError, ValueError):
                trace_info = join_trace_infos(
                    stored_info, trace_info, self._all_spans(stored_spans, spans)
                )
        return self._store.start_trace(
            {**trace_info, "trace_id": mlflow_trace_id}
        ), stored_spans

    def _all_spans(
        self, stored_spans: Sequence[dict[str, Any]], new_spans: Sequence[TraceSpan]
    ) -> list[dict[str, Any]]:
        root_parent_id = self._store.root_parent_id
        new_json = [span_to_json(span, root_parent_id) for span in new_spans]
        new_ids = {span["span_id"] for span in new_json}
        return [
            *(span for span in stored_spans if span.get("span_id") not in new_ids),
            *new_json,
        ]

    def _remember(self, mlflow_trace_id: str, trace_info: Json) -> None:
        with self._lock:
            self._written_traces[mlflow_trace_id] = trace_info
            if len(self._written_traces) > _MAX_TRACES:
                self._written_traces.popitem(last=False)

    def _read_spans(self, trace_info: Json) -> list[dict[str, Any]]:
        content = self._store.read_trace_data(trace_info)
        # A file of another form is written again.
        with suppress(KeyError, TypeError, ValueError):
            return [*json.loads(content or "null")["spans"]]
        return []
