"""TraceInfo and TraceData in a local store, by the code of the installed MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from google.protobuf.json_format import MessageToDict, ParseDict

from opentelemetry.exporter.mlflow._destinations._artifacts import (
    ARTIFACT_LOCATION,
    read_from_storage,
    write_to_storage,
)
from opentelemetry.exporter.mlflow._destinations._trace_api_v2 import start_trace_v2
from opentelemetry.exporter.mlflow._destinations._trace_artifacts import NO_PARENT

if TYPE_CHECKING:
    from collections.abc import Mapping


class LocalTraceStore:
    """Implements `TraceStore` and `TraceApiV2`.

    `store` is MLflow's store. Its methods differ from version to version. The bridge
    patches those of MLflow's `TracingClient`, which calls the store.
    """

    max_preview_length = 1_000  # of the column in the database
    root_parent_id = NO_PARENT

    def __init__(self, store: Any) -> None:
        self._store = store

    def read_trace_info(self, trace_id: str) -> Mapping[str, Any] | None:
        from mlflow.exceptions import MlflowException

        try:
            stored: Any = self._store.get_trace_info(trace_id)
            trace_info: Any = MessageToDict(
                stored.to_proto(), preserving_proto_field_name=True
            )
        except (AttributeError, MlflowException):  # also in version 3.1
            return None
        return cast("dict[str, Any]", trace_info)

    def start_trace(self, trace_info: Mapping[str, Any]) -> Mapping[str, Any]:
        if hasattr(self._store, "end_trace"):  # version 3.1
            return start_trace_v2(self, trace_info)
        from mlflow.entities import TraceInfo
        from mlflow.protos.service_pb2 import TraceInfoV3

        proto = ParseDict(dict(trace_info), TraceInfoV3(), ignore_unknown_fields=True)
        stored = self._store.start_trace(TraceInfo.from_proto(proto))
        return {"trace_id": stored.trace_id, "tags": dict(stored.tags)}

    def write_trace_data(self, trace_info: Mapping[str, Any], content: bytes) -> None:
        write_to_storage(trace_info["tags"][ARTIFACT_LOCATION], content)

    def read_trace_data(self, trace_info: Mapping[str, Any]) -> bytes | None:
        return read_from_storage(trace_info["tags"][ARTIFACT_LOCATION])

    def start_trace_v2(
        self,
        *,
        experiment_id: str,
        timestamp_ms: int,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> Mapping[str, Any]:
        stored = self._store.start_trace(
            experiment_id, timestamp_ms, dict(metadata), dict(tags)
        )
        return {"trace_id": stored.request_id, "tags": dict(stored.tags)}

    def end_trace_v2(
        self,
        trace_id: str,
        *,
        timestamp_ms: int,
        status: str,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> None:
        from mlflow.entities.trace_status import TraceStatus

        self._store.end_trace(
            trace_id, timestamp_ms, TraceStatus(status), dict(metadata), dict(tags)
        )
