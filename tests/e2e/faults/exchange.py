"""A request and its response, as the proxy records them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from functools import cached_property

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)


@dataclass
class Reply:
    """A response, of MLflow or of a fault."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass
class Exchange:
    """A request and what became of it. `start` and `end` are times of time.time.

    `elapsed` is the time since the program started to send.
    `outcome` is the status that the client was sent, or the name of a fault.
    `is_stored` is whether MLflow accepted the request, whether or not the client knows.
    """

    start: float
    elapsed: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    outcome: str = ""
    retry_after: str | None = None
    is_stored: bool = False
    end: float = 0.0

    @cached_property
    def content(self) -> bytes:
        is_gzip = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.body) if is_gzip else self.body

    @cached_property
    def span_ends(self) -> dict[bytes, float]:
        """The spans of the export: their ids, with the time.time of their ends."""
        request = ExportTraceServiceRequest.FromString(self.content)
        return {
            span.span_id: span.end_time_unix_nano / 1e9
            for resource_spans in request.resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        }

    @property
    def log_record_count(self) -> int:
        request = ExportLogsServiceRequest.FromString(self.content)
        return sum(
            len(scope_logs.log_records)
            for resource_logs in request.resource_logs
            for scope_logs in resource_logs.scope_logs
        )

    @cached_property
    def span_ids(self) -> frozenset[bytes]:
        return frozenset(self.span_ends)
