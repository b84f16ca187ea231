"""TraceInfo in a local store of MLflow 3.1, which has another trace API."""

from __future__ import annotations

from types import SimpleNamespace

from opentelemetry.exporter.mlflow._destinations._local_trace_store import (
    LocalTraceStore,
)


class StoreOf31:
    """The methods of the store of MLflow 3.1 that the exporter calls.

    https://github.com/mlflow/mlflow/blob/v3.1.4/mlflow/store/tracking/abstract_store.py
    """

    def __init__(self):
        self.calls = []

    def start_trace(self, experiment_id, timestamp_ms, request_metadata, tags):
        self.calls.append((experiment_id, timestamp_ms, request_metadata, tags))
        tags = {**tags, "mlflow.artifactLocation": "file:///traces/1"}
        return SimpleNamespace(request_id="1", tags=tags)

    def end_trace(self, request_id, timestamp_ms, status, request_metadata, tags):
        self.calls.append(
            (request_id, timestamp_ms, status.value, request_metadata, tags)
        )


def test_the_store_chooses_the_trace_id():
    store = StoreOf31()
    stored = LocalTraceStore(store).start_trace(
        {
            "trace_id": "tr-7",
            "trace_location": {"mlflow_experiment": {"experiment_id": "3"}},
            "request_time": "1970-01-01T00:00:01Z",
            "execution_duration": "0.250s",
            "state": "ERROR",
            "request_preview": "What?" + "x" * 300,
            "trace_metadata": {"mlflow.trace.session": "s-1"},
            "tags": {"mlflow.traceName": "agent"},
        }
    )
    metadata = {
        "mlflow.trace.session": "s-1",
        "mlflow.traceInputs": "What?" + "x" * 245,
        "mlflow.traceOutputs": "",
    }
    tags = {"mlflow.traceName": "agent", "opentelemetry.trace_id": "tr-7"}
    location = {"mlflow.artifactLocation": "file:///traces/1"}
    assert stored == {"trace_id": "1", "tags": tags | location}
    assert store.calls == [
        ("3", 1_000, metadata, tags),
        ("1", 1_250, "ERROR", metadata, tags | location),
    ]
