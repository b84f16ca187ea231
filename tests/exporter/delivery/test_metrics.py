"""The exporter's own metrics."""

from __future__ import annotations

import gc

import pytest
from dirty_equals import IsFloat, IsInt, IsPartialDict
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._delivery import _metrics
from tests.exporter.conftest import Response

ENABLED = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
EXPORTED = "otel.sdk.exporter.span.exported"
INFLIGHT = "otel.sdk.exporter.span.inflight"
DURATION = "otel.sdk.exporter.operation.duration"
QUEUE_SIZE = "otel.exporter.mlflow.queue.size"
QUEUE_AGE = "otel.exporter.mlflow.queue.age"


@pytest.fixture
def reader(monkeypatch):
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr(_metrics, "get_meter_provider", lambda: provider)
    monkeypatch.setenv(ENABLED, "true")
    yield reader
    provider.shutdown()


def read(reader):
    """The values of each metric, by their cause, or the count of a histogram."""
    data = reader.get_metrics_data()
    return {
        metric.name: {
            point.attributes.get("error.type", ""): getattr(
                point, "value", getattr(point, "count", None)
            )
            for point in metric.data.data_points
        }
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def test_exports_drops_and_waiting_spans_are_measured(reader, fake_server, spans):
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)
    exporter.export([spans.make(), spans.make()])
    fake_server.respond = lambda _: Response(413)
    exporter.export([spans.make()])
    fake_server.respond = lambda _: Response(503)
    exporter.export([spans.make(), spans.make(), spans.make()])
    rejected, failed = (
        "MLflow rejects some of the spans (413)",
        "the request failed (503)",
    )
    assert read(reader) == {
        EXPORTED: {"": 2, rejected: 1},
        INFLIGHT: {"": 3},
        DURATION: {"": 1, rejected: 1, failed: 1},
        QUEUE_SIZE: {"": IsInt(gt=100)},
        QUEUE_AGE: {"": IsFloat(gt=0)},
    }
    fake_server.respond = lambda _: Response()
    exporter.shutdown()
    assert read(reader) == IsPartialDict(
        {EXPORTED: {"": 5, rejected: 1}, INFLIGHT: {"": 0}, QUEUE_SIZE: {"": 0}}
    )


def test_each_exporter_is_a_component_of_its_own(reader, fake_server, spans):
    exporters = [MlflowSpanExporter(tracking_uri=fake_server.uri) for _ in range(2)]
    for exporter in exporters:
        exporter.export([spans.make()])
    names = [
        point.attributes["otel.component.name"]
        for resource in reader.get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.name == EXPORTED
    ]
    assert len(set(names)) == 2
    assert all(name.startswith("mlflow_span_exporter/") for name in names)
    for exporter in exporters:
        exporter.shutdown()


def test_an_exporter_that_is_gone_is_not_measured(reader, fake_server):
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)
    exporter.shutdown()
    del exporter
    gc.collect()
    assert INFLIGHT not in read(reader)


def test_metrics_are_off_by_default(reader, monkeypatch, fake_server, spans):
    monkeypatch.setenv(ENABLED, "false")
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)
    exporter.export([spans.make()])
    exporter.shutdown()
    assert read(reader) == {}
