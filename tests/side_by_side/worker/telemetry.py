"""The providers of the worker, and what they have recorded."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from opentelemetry import metrics, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan


@contextmanager
def _application_span() -> Iterator[str]:
    tracer = trace.get_tracer("application")
    with tracer.start_as_current_span("application") as span:
        yield format(span.get_span_context().span_id, "016x")


class Telemetry:
    """`spans` are those that another place than this process has stored."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] | None = None
        self.span_exporter = InMemorySpanExporter()
        self.metric_reader = InMemoryMetricReader()
        self.application_span = _application_span
        self.tracer_provider = TracerProvider()
        self._logs = InMemoryLogRecordExporter()

    def set_global_providers(self, *, has_span_exporter: bool = True) -> dict[str, Any]:
        """Returns the providers that instrumentations take as arguments."""
        if has_span_exporter:
            self.tracer_provider.add_span_processor(
                SimpleSpanProcessor(self.span_exporter)
            )
        trace.set_tracer_provider(self.tracer_provider)
        meter_provider = MeterProvider([self.metric_reader])
        metrics.set_meter_provider(meter_provider)
        logger_provider = LoggerProvider()
        logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        set_logger_provider(logger_provider)
        return {
            "tracer_provider": self.tracer_provider,
            "meter_provider": meter_provider,
        }

    def record(self) -> dict[str, Any]:
        finished = self.span_exporter.get_finished_spans()
        spans = [_span(s) for s in finished] if self.spans is None else self.spans
        return {
            "spans": [span for span in spans if span["name"] != "application"],
            "logs": [
                {
                    "time_ns": log.log_record.timestamp
                    or log.log_record.observed_timestamp,
                    "body": _plain(log.log_record.body),
                    "attributes": _plain(dict(log.log_record.attributes or {})),
                }
                for log in self._logs.get_finished_logs()
            ],
            "metrics": self._metrics(),
        }

    def _metrics(self) -> list[dict[str, Any]]:
        data = self.metric_reader.get_metrics_data()
        return [
            {"name": metric.name, "attributes": _plain(dict(point.attributes or {}))}
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]


def _span(span: ReadableSpan) -> dict[str, Any]:
    scope = span.instrumentation_scope
    return {
        "name": span.name,
        "scope": scope.name if scope else "",
        "kind": span.kind.name,
        "span_id": format(span.context.span_id, "016x"),
        "parent_id": format(span.parent.span_id, "016x") if span.parent else None,
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "status": span.status.status_code.name,
        "description": span.status.description,
        "attributes": _plain(dict(span.attributes or {})),
        "events": [
            {
                "name": event.name,
                "time_ns": event.timestamp,
                "attributes": _plain(dict(event.attributes or {})),
            }
            for event in span.events
        ],
    }


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))
