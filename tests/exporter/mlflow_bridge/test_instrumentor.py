"""When the bridge to MLflow starts, and which environment variables it sets."""

from __future__ import annotations

import os

import pytest
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge

PROPAGATE = "MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT"
OTLP = "MLFLOW_ENABLE_OTLP_EXPORTER"


def test_the_bridge_starts_with_instrumentor_and_exporter_in_either_order(
    monkeypatch, fake_server
):
    for call_before_exporter, call_after_exporter in (
        (MlflowInstrumentor().instrument, lambda: None),
        (lambda: None, MlflowInstrumentor().instrument),
    ):
        call_before_exporter()
        assert PROPAGATE not in os.environ
        exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)
        call_after_exporter()
        assert (os.environ[PROPAGATE], os.environ[OTLP]) == ("true", "false")
        MlflowInstrumentor().uninstrument()
        assert PROPAGATE not in os.environ
        assert OTLP not in os.environ
        exporter.shutdown()
        bridge._exporters.clear()


def test_second_instrument_replaces_the_provider_and_logs_nothing(caplog):
    provider = TracerProvider()
    MlflowInstrumentor().instrument()
    MlflowInstrumentor().instrument(tracer_provider=provider)
    assert bridge.application_provider is provider
    MlflowInstrumentor().instrument()
    assert bridge.application_provider is provider
    assert caplog.messages == []


def test_no_setting_changes_without_an_exporter():
    MlflowInstrumentor().instrument()
    assert [name for name in os.environ if name.startswith("MLFLOW_")] == []


def test_settings_of_the_user_are_kept(monkeypatch, exporter):
    monkeypatch.setenv(PROPAGATE, "false")
    monkeypatch.setenv(OTLP, "true")
    MlflowInstrumentor().instrument()
    MlflowInstrumentor().uninstrument()
    assert (os.environ[PROPAGATE], os.environ[OTLP]) == ("false", "true")


def test_settings_changed_by_the_user_are_not_removed(exporter, monkeypatch):
    MlflowInstrumentor().instrument()
    monkeypatch.setenv(PROPAGATE, "1")
    MlflowInstrumentor().uninstrument()
    assert os.environ[PROPAGATE] == "1"


def test_fluent_spans_are_not_mirrored_after_uninstrument(
    application, mlflow_tracer, fake_server
):
    MlflowInstrumentor().uninstrument()
    mlflow_tracer.start_span("agent").end()
    assert application.spans == {}


@pytest.mark.parametrize(
    ("trace_exporters", "tracking_uri", "is_logged"),
    [
        ("otlp", "http://127.0.0.1:9", True),
        ("otlp", "", False),
        ("", "http://127.0.0.1:9", False),
    ],
)
def test_a_tracking_uri_without_an_exporter_is_logged(
    monkeypatch, caplog, trace_exporters, tracking_uri, is_logged
):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", trace_exporters)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri)
    with caplog.at_level("INFO"):
        MlflowInstrumentor().instrument()
    assert len(caplog.messages) == is_logged
    assert all("Add mlflow to it" in message for message in caplog.messages)


def test_a_tracking_uri_with_an_exporter_is_not_logged(monkeypatch, caplog, exporter):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with caplog.at_level("INFO"):
        MlflowInstrumentor().instrument()
    assert caplog.messages == []
