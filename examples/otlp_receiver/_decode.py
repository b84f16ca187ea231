"""Decodes OTLP protobuf messages into dataclasses."""

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

STATUS_CODES = ("UNSET", "OK", "ERROR")
SPAN_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


@dataclass(frozen=True)
class Span:
    """A span with ids in lower-case hex and times in nanoseconds since the epoch.

    `parent_id` is empty for a root span.
    """

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
    """A metric with its data points.

    Each item of `points` is a pair of the attributes and the value of a data point. The
    value of a histogram is its sum and its count.
    """

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


def decode_spans(body: bytes) -> Iterator[Span]:
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield Span(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=SPAN_KINDS[span.kind],
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    status=STATUS_CODES[span.status.code],
                    status_message=span.status.message,
                    attributes=_attributes(span.attributes),
                    events=[(e.name, _attributes(e.attributes)) for e in span.events],
                    resource=resource,
                    scope=scope_spans.scope.name,
                )


def decode_metrics(body: bytes) -> Iterator[Metric]:
    for resource_metrics in ExportMetricsServiceRequest.FromString(
        body
    ).resource_metrics:
        resource = _attributes(resource_metrics.resource.attributes)
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                data = getattr(metric, metric.WhichOneof("data") or "gauge")
                yield Metric(
                    name=metric.name,
                    unit=metric.unit,
                    points=[
                        (_attributes(point.attributes), _point_value(point))
                        for point in data.data_points
                    ],
                    resource=resource,
                    scope=scope_metrics.scope.name,
                )


def decode_log_records(body: bytes) -> Iterator[LogRecord]:
    for resource_logs in ExportLogsServiceRequest.FromString(body).resource_logs:
        resource = _attributes(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                yield LogRecord(
                    event_name=record.event_name,
                    body=_value(record.body),
                    attributes=_attributes(record.attributes),
                    severity=record.severity_text,
                    time_ns=record.time_unix_nano or record.observed_time_unix_nano,
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                    resource=resource,
                    scope=scope_logs.scope.name,
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
        case scalar_field:
            return getattr(value, scalar_field)


def _point_value(point: Any) -> Any:
    if hasattr(point, "as_double"):
        return getattr(point, point.WhichOneof("value") or "as_double")
    return {"sum": point.sum, "count": point.count}
