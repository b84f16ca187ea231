"""OTLP's protobuf messages as plain objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

STATUS = ("UNSET", "OK", "ERROR")
KIND = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


@dataclass(frozen=True)
class Span:
    """Ids are lower-case hex; `parent_id` is empty for a root; times in nanoseconds."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    start_ns: int
    end_ns: int
    status: str
    status_message: str
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    resource: dict[str, Any]
    scope: str

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True)
class Metric:
    """`points`: the attributes of each point, and its value (of a histogram, its sum
    and count)."""

    name: str
    unit: str
    points: list[tuple[dict[str, Any], Any]]
    resource: dict[str, Any]
    scope: str


@dataclass(frozen=True)
class LogRecord:
    event_name: str
    body: Any
    attributes: dict[str, Any]
    severity: str
    time_ns: int
    trace_id: str
    span_id: str
    resource: dict[str, Any]
    scope: str


def spans(body: bytes) -> Iterator[Span]:
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                yield Span(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=KIND[span.kind],
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    status=STATUS[span.status.code],
                    status_message=span.status.message,
                    attributes=_attributes(span.attributes),
                    events=[(e.name, _attributes(e.attributes)) for e in span.events],
                    resource=resource,
                    scope=scoped.scope.name,
                )


def metrics(body: bytes) -> Iterator[Metric]:
    for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_metrics:
            for metric in scoped.metrics:
                data = getattr(metric, metric.WhichOneof("data") or "gauge")
                yield Metric(
                    name=metric.name,
                    unit=metric.unit,
                    points=[
                        (_attributes(point.attributes), _point(point))
                        for point in data.data_points
                    ],
                    resource=resource,
                    scope=scoped.scope.name,
                )


def logs(body: bytes) -> Iterator[LogRecord]:
    for group in ExportLogsServiceRequest.FromString(body).resource_logs:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_logs:
            for record in scoped.log_records:
                yield LogRecord(
                    event_name=record.event_name,
                    body=_value(record.body),
                    attributes=_attributes(record.attributes),
                    severity=record.severity_text,
                    time_ns=record.time_unix_nano or record.observed_time_unix_nano,
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                    resource=resource,
                    scope=scoped.scope.name,
                )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case None:
            return None
        case plain:
            return getattr(value, plain)


def _point(point: Any) -> Any:
    if hasattr(point, "as_double"):
        return getattr(point, point.WhichOneof("value") or "as_double")
    return {"sum": point.sum, "count": point.count}
