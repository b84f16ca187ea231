"""Warnings about MLflow versions that lack a private name the bridge needs."""

from __future__ import annotations

import logging
import sys
import types

from opentelemetry.exporter.mlflow import MlflowInstrumentor
from opentelemetry.exporter.mlflow._mlflow_bridge import _exit_flush
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge

from .traced_application import start_mlflow_root

LINKED_TRACES_WARNING = (
    "Spans of @mlflow.trace beneath an application span stay in separate, linked "
    "traces: this MLflow version is not supported (3.16 to 3.17 are)."
)


def test_an_unsupported_tracing_provider_is_logged_once(exporter, caplog):
    with caplog.at_level(logging.WARNING):
        bridge._patch_provider(types.ModuleType("mlflow.tracing.provider"))
    (record,) = caplog.records
    assert record.getMessage() == (
        "Spans of @mlflow.trace stay in separate traces: this MLflow version is not "
        "supported (3.16 to 3.17 are): module 'mlflow.tracing.provider' has no "
        "attribute 'get_bridged_tracer_provider'. Other spans are exported as before."
    )


def test_failed_parenting_is_logged_once_and_adds_links(
    application, mlflow_tracer, caplog, monkeypatch
):
    module_name = "mlflow.tracing.trace_manager"
    monkeypatch.setitem(sys.modules, module_name, types.ModuleType(module_name))
    # The bridge also needs this module, which another test may have imported.
    monkeypatch.delitem(sys.modules, "mlflow.tracing.provider", raising=False)

    def start_span():
        return start_mlflow_root(mlflow_tracer)

    with application.tracer.start_as_current_span("POST /ask"):
        for _ in range(2):
            bridge._on_start_span(start_span, None, (), {}).end()
    assert [record.getMessage() for record in caplog.records] == [LINKED_TRACES_WARNING]
    assert application.spans["agent"].parent is None
    assert len(application.spans["agent"].links) == 1


def test_an_unsupported_tracing_client_can_be_imported(caplog):
    bridge._patch_client(types.ModuleType("mlflow.tracing.client"))
    assert [record.getMessage() for record in caplog.records] == [LINKED_TRACES_WARNING]


class UnsupportedClient:
    """Its spans are not instances of MLflow's span class."""

    tracking_uri = "http://localhost"

    def log_spans(self, location, spans, *, new_option=None):
        return location, spans, new_option

    def _upload_trace_data(self, trace_info, trace_data):
        return trace_info, trace_data


def test_an_unsupported_tracing_client_writes_its_spans(exporter, caplog):
    MlflowInstrumentor().instrument()
    module = types.ModuleType("mlflow.tracing.client")
    module.TracingClient = UnsupportedClient
    bridge._patch_client(module)
    client = UnsupportedClient()
    client.tracking_uri = exporter._destination.address
    assert client.log_spans("7", spans=["a span"], new_option=1) == ("7", ["a span"], 1)
    bridge._has_parenting_failed = False
    assert client._upload_trace_data("info", "data") == ("info", "data")
    assert {record.getMessage() for record in caplog.records} == {LINKED_TRACES_WARNING}


def test_an_unsupported_mlflow_exporter_is_logged(caplog):
    _exit_flush.start_mlflow_export_threads(types.ModuleType("mlflow.tracing.provider"))
    (record,) = caplog.records
    assert record.getMessage() == (
        "What mlflow.update_current_trace sets may be lost if the program ends right "
        "after its last trace: this MLflow version is not supported (3.16 to 3.17 "
        "are). Call mlflow.flush_trace_async_logging() at the end."
    )
