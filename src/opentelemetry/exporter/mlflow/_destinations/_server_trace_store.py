"""Traces of an MLflow server: TraceInfo by REST, and TraceData as an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from opentelemetry.exporter.mlflow._destinations._artifacts import TraceArtifacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.exporter.mlflow._destinations._rest_api import MlflowRestApi

_LOCATION_TAG: Final = "mlflow.artifactLocation"
_SPANS_LOCATION_TAG: Final = "mlflow.trace.spansLocation"
_OTEL_TRACE_ID_TAG: Final = "opentelemetry.trace_id"
_MAX_METADATA_LENGTH: Final = 250


class OtlpRequiredError(Exception):
    """The server stores the spans of this trace itself, and receives them over OTLP."""


class ServerTraceStore:
    """Implements `TraceStore`."""

    max_preview_length = 1_000  # of the column in the server's database

    def __init__(self, api: MlflowRestApi) -> None:
        self._api = api
        self._artifacts = TraceArtifacts(api)

    def start_trace(self, trace_info: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises OtlpRequiredError, too."""
        stored = self._api.start_trace(trace_info)
        if stored is None:
            return self._start_trace_v2(trace_info)
        if stored.get("tags", {}).get(_SPANS_LOCATION_TAG) == "TRACKING_STORE":
            raise OtlpRequiredError
        return stored

    def write_trace_data(self, trace_info: Mapping[str, Any], content: bytes) -> None:
        self._artifacts.write(trace_info["tags"][_LOCATION_TAG], content)

    def read_trace_data(self, trace_info: Mapping[str, Any]) -> bytes | None:
        return self._artifacts.read(trace_info["tags"][_LOCATION_TAG])

    def _start_trace_v2(self, trace_info: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create a trace on a server of version 3.1, which chooses the trace id.

        A tag has the id of OpenTelemetry.

        https://github.com/mlflow/mlflow/blob/v3.1.4/mlflow/tracing/export/mlflow_v2.py
        """
        start, duration = Timestamp(), Duration()
        start.FromJsonString(trace_info["request_time"])
        duration.FromJsonString(trace_info["execution_duration"])
        metadata = {
            **trace_info["trace_metadata"],
            # The list shows these two values, because this API has no previews.
            "mlflow.traceInputs": _cut(trace_info.get("request_preview")),
            "mlflow.traceOutputs": _cut(trace_info.get("response_preview")),
        }
        location = trace_info["trace_location"]["mlflow_experiment"]
        stored = self._api.start_trace_v2(
            experiment_id=location["experiment_id"],
            timestamp_ms=start.ToMilliseconds(),
            metadata=metadata,
            tags={**trace_info["tags"], _OTEL_TRACE_ID_TAG: trace_info["trace_id"]},
        )
        self._api.end_trace_v2(
            stored["trace_id"],
            timestamp_ms=start.ToMilliseconds() + duration.ToMilliseconds(),
            status=trace_info["state"],
            metadata=metadata,
            tags=stored["tags"],
        )
        return stored


def _cut(text: str | None) -> str:
    return (text or "")[:_MAX_METADATA_LENGTH]
