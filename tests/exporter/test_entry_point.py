"""The exporter that OpenTelemetry's configurator creates."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._entry_point import ConfiguredSpanExporter

from .programs import run


def test_valid_settings_give_an_exporter(fake_server, monkeypatch, spans):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", fake_server.uri)
    exporter = ConfiguredSpanExporter()
    assert exporter.export([spans.make("s")]) is SpanExportResult.SUCCESS
    assert exporter.force_flush()
    exporter.shutdown()
    assert exporter.dropped_spans == 0
    assert [request.span_names for request in fake_server.requests] == [["s"]]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MLFLOW_TRACKING_URI", "localhost:5000"),
        ("MLFLOW_TRACKING_SERVER_CERT_PATH", "missing.pem"),
        ("MLFLOW_TRACKING_INSECURE_TLS", "perhaps"),
        ("OTEL_EXPORTER_MLFLOW_ENDPOINT", "localhost:4319"),
        ("OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT", "perhaps"),
    ],
)
def test_invalid_setting_is_logged_in_one_line_and_spans_are_counted(
    caplog, monkeypatch, spans, variable, value
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://127.0.0.1:9")
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=variable) as raised:
        MlflowSpanExporter()
    exporter = ConfiguredSpanExporter()
    assert exporter.export([spans.make(), spans.make()]) is SpanExportResult.FAILURE
    assert exporter.force_flush()
    exporter.shutdown()
    assert exporter.dropped_spans == 2
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is None
    assert str(raised.value) in record.getMessage()


def test_unexpected_error_has_its_type_in_the_log_line(caplog, monkeypatch):
    def fail(*_):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("opentelemetry.exporter.mlflow._exporter.TraceBuffer", fail)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert ConfiguredSpanExporter().dropped_spans == 0
    assert "RuntimeError: two lines" in caplog.text


def test_missing_extra_is_logged_with_the_command_that_installs_it():
    program = """
import logging, sys
# An import of it raises ModuleNotFoundError.
sys.modules["google.protobuf.message"] = None
logging.basicConfig(format="%(message)s", stream=sys.stdout)
from opentelemetry.exporter.mlflow._entry_point import ConfiguredSpanExporter
print(ConfiguredSpanExporter().dropped_spans)
"""
    line, dropped_spans = run(program).splitlines()
    assert line.startswith("Nothing is exported to MLflow: ")
    assert "pip install 'opentelemetry-instrumentation-deepseek[mlflow]'" in line
    assert dropped_spans == "0"
