"""Traces of an MLflow server: TraceInfo by REST, and TraceData as an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.mlflow._destinations._artifacts import (
    ARTIFACT_LOCATION,
    TraceArtifacts,
)
from opentelemetry.exporter.mlflow._destinations._trace_api_v2 import start_trace_v2
from opentelemetry.exporter.mlflow._destinations._trace_artifacts import NO_PARENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.exporter.mlflow._destinations._rest_api import MlflowRestApi

_SPANS_LOCATION: Final = "mlflow.trace.spansLocation"


class OtlpRequiredError(Exception):
    """The server stores the spans of this trace itself, and receives them over OTLP."""


class ServerTraceStore:
    """Implements `TraceStore`."""

    max_preview_length = 1_000  # of the column in the server's database
    root_parent_id = NO_PARENT

    def __init__(self, api: MlflowRestApi) -> None:
        self._api = api
        self._artifacts = TraceArtifacts(api)

    def read_trace_info(self, trace_id: str) -> Mapping[str, Any] | None:
        return self._api.read_trace_info(trace_id)

    def start_trace(self, trace_info: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises OtlpRequiredError, too."""
        stored = self._api.start_trace(trace_info)
        if stored is None:
            return start_trace_v2(self._api, trace_info)
        if stored.get("tags", {}).get(_SPANS_LOCATION) == "TRACKING_STORE":
            raise OtlpRequiredError
        return stored

    def write_trace_data(self, trace_info: Mapping[str, Any], content: bytes) -> None:
        self._artifacts.write(trace_info["tags"][ARTIFACT_LOCATION], content)

    def read_trace_data(self, trace_info: Mapping[str, Any]) -> bytes | None:
        return self._artifacts.read(trace_info["tags"][ARTIFACT_LOCATION])
