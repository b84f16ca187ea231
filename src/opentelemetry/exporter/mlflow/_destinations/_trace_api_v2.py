"""The trace API of MLflow 3.1, which chooses the trace id, and has no previews.

https://github.com/mlflow/mlflow/blob/v3.1.4/mlflow/tracing/export/mlflow_v2.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

_OTEL_TRACE_ID_TAG: Final = "opentelemetry.trace_id"
_MAX_METADATA_LENGTH: Final = 250


class TraceApiV2(Protocol):
    """Times are in milliseconds since the epoch."""

    def start_trace_v2(
        self,
        *,
        experiment_id: str,
        timestamp_ms: int,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> Mapping[str, Any]:
        """Return `trace_id` and `tags` of the new trace."""
        ...

    def end_trace_v2(
        self,
        trace_id: str,
        *,
        timestamp_ms: int,
        status: str,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> None: ...


def start_trace_v2(api: TraceApiV2, trace_info: Mapping[str, Any]) -> Mapping[str, Any]:
    """Store the TraceInfo of an ended trace; return `trace_id` and `tags` in the store.

    A tag has the trace id of OpenTelemetry.
    """
    start, duration = Timestamp(), Duration()
    start.FromJsonString(trace_info["request_time"])
    duration.FromJsonString(trace_info["execution_duration"])
    metadata = {
        **trace_info["trace_metadata"],
        # The list of traces shows these two values.
        "mlflow.traceInputs": _cut(trace_info.get("request_preview")),
        "mlflow.traceOutputs": _cut(trace_info.get("response_preview")),
    }
    stored = api.start_trace_v2(
        experiment_id=trace_info["trace_location"]["mlflow_experiment"][
            "experiment_id"
        ],
        timestamp_ms=start.ToMilliseconds(),
        metadata=metadata,
        tags={**trace_info["tags"], _OTEL_TRACE_ID_TAG: trace_info["trace_id"]},
    )
    api.end_trace_v2(
        stored["trace_id"],
        timestamp_ms=start.ToMilliseconds() + duration.ToMilliseconds(),
        status=trace_info["state"],
        metadata=metadata,
        tags=stored["tags"],
    )
    return stored


def _cut(text: str | None) -> str:
    return (text or "")[:_MAX_METADATA_LENGTH]
