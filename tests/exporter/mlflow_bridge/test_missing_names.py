"""Warnings about private names of MLflow that the bridge needs and does not find."""

from __future__ import annotations

import logging
import sys
import types

import pytest

from opentelemetry.exporter.mlflow import MlflowInstrumentor
from opentelemetry.exporter.mlflow._mlflow_bridge import _exit_flush
from opentelemetry.exporter.mlflow._mlflow_bridge._autolog_patch import patch_autolog
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge

from .traced_application import start_mlflow_root

REASON = (
    ", because this version of MLflow lacks what the integration of @mlflow.trace uses"
)
SEPARATE_TRACES = f"Spans of @mlflow.trace stay in separate traces{REASON} "
LINKED_TRACES = (
    "Spans of @mlflow.trace beneath an application span stay in separate, linked "
    f"traces{REASON} "
)


def do_nothing(*_args, **_kwargs):
    pass


def create_provider_module(**names):
    """A module with every function that the bridge patches in each version."""
    module = types.ModuleType("mlflow.tracing.provider")
    functions = (
        "set_span_in_context",
        "detach_span_from_context",
        "start_span_in_context",
        "start_detached_span",
        "should_use_otlp_exporter",
    )
    vars(module).update(dict.fromkeys(functions, do_nothing) | names)
    return module


class ProviderWrapper:
    def set(self, provider):
        pass

    def get(self):
        pass


NEW_NAMES = {"_TracerProviderWrapper": ProviderWrapper, "provider": ProviderWrapper()}
OLD_NAMES = {"_MLFLOW_TRACER_PROVIDER": None, "_setup_tracer_provider": do_nothing}


@pytest.mark.parametrize("names", [NEW_NAMES, OLD_NAMES])
def test_a_version_with_the_names_gives_no_warning(exporter, caplog, names):
    bridge._patch_provider(create_provider_module(**names, __version__="99"))
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("set_span_in_context", "no attribute 'set_span_in_context'"),
        ("detach_span_from_context", "no attribute 'detach_span_from_context'"),
        ("start_span_in_context", "no attribute 'start_span_in_context'"),
        ("start_detached_span", "no attribute 'start_detached_span'"),
        ("_TracerProviderWrapper", "neither _TracerProviderWrapper nor _MLFLOW_TR"),
    ],
)
def test_a_missing_name_of_the_provider_is_logged_once(exporter, caplog, missing, text):
    for _ in range(2):
        module = create_provider_module(**NEW_NAMES)
        delattr(module, missing)
        bridge._patch_provider(module)
    (record,) = caplog.records
    assert record.getMessage().startswith(SEPARATE_TRACES)
    assert text in record.getMessage()
    assert record.getMessage().endswith("Other spans are exported as before.")
    assert record.exc_info is None


def test_a_missing_name_of_the_trace_manager_is_logged_once_and_adds_links(
    application, mlflow_tracer, caplog, monkeypatch
):
    module_name = "mlflow.tracing.trace_manager"
    monkeypatch.setitem(sys.modules, module_name, types.ModuleType(module_name))
    monkeypatch.setattr(bridge, "_provider_module", create_provider_module())

    def start_span():
        return start_mlflow_root(mlflow_tracer)

    with application.tracer.start_as_current_span("POST /ask"):
        for _ in range(2):
            bridge._on_start_span(start_span, None, (), {}).end()
    (message,) = caplog.messages
    assert message.startswith(LINKED_TRACES)
    assert "'InMemoryTraceManager'" in message
    assert application.spans["agent"].parent is None
    assert len(application.spans["agent"].links) == 1


def test_a_missing_name_of_the_tracing_client_is_logged(caplog):
    bridge._patch_client(types.ModuleType("mlflow.tracing.client"))
    (message,) = caplog.messages
    assert message.startswith(LINKED_TRACES)
    assert "'TracingClient'" in message


class OtherClient:
    """Its spans and traces are not instances of MLflow's classes."""

    tracking_uri = "http://localhost"

    def log_spans(self, location, spans, *, new_option=None):
        return location, spans, new_option

    def start_trace(self, trace_info):
        return trace_info

    def _upload_trace_data(self, trace_info, trace_data):
        return trace_info, trace_data


def test_a_tracing_client_with_other_spans_writes_them(exporter, caplog):
    MlflowInstrumentor().instrument()
    module = types.ModuleType("mlflow.tracing.client")
    module.TracingClient = OtherClient
    bridge._patch_client(module)
    client = OtherClient()
    client.tracking_uri = exporter._destination.address
    written = ("7", ["a span"], 1)
    for _ in range(2):
        assert client.log_spans("7", ["a span"], new_option=1) == written
        assert client.log_spans("7", spans=["a span"], new_option=1) == written
        bridge._has_parenting_failed = False
    assert client._upload_trace_data("info", "data") == ("info", "data")
    (message,) = caplog.messages
    assert message.startswith(LINKED_TRACES)


def test_a_tracing_client_with_other_traces_writes_them(exporter, caplog, monkeypatch):
    MlflowInstrumentor().instrument()
    module = types.ModuleType("mlflow.tracing.client")
    module.TracingClient = OtherClient
    bridge._patch_client(module)
    monkeypatch.setattr(bridge, "allows_one_writer_only", lambda _: True)
    client = OtherClient()
    client.tracking_uri = exporter._destination.address
    assert client.start_trace("a trace") == "a trace"
    (message,) = caplog.messages
    assert message.startswith(LINKED_TRACES)


def test_a_missing_name_of_autolog_is_logged_once(caplog):
    for _ in range(2):
        patch_autolog(types.ModuleType("mlflow.openai.autolog"), bridge)
    (message,) = caplog.messages
    assert message.startswith(
        f"Calls that mlflow.openai.autolog() records, too, have two spans{REASON} "
    )
    assert "'_start_span'" in message


def test_autolog_has_its_own_span_if_the_call_cannot_be_read(caplog, monkeypatch):
    module = types.ModuleType("mlflow.openai.autolog")
    module._start_span = lambda *args: args
    patch_autolog(module, bridge)
    monkeypatch.setattr(bridge, "current_application_span", lambda: 1 / 0)
    assert module._start_span("resource", {}, None) == ("resource", {}, None)
    (message,) = caplog.messages
    assert "ZeroDivisionError" in message


def test_a_missing_name_of_mlflow_s_exporter_is_logged(caplog):
    with caplog.at_level(logging.WARNING):
        _exit_flush.start_mlflow_export_threads(
            types.ModuleType("mlflow.tracing.provider")
        )
    (message,) = caplog.messages
    assert message == (
        "What mlflow.update_current_trace sets may be lost if the program ends right "
        f"after its last trace{REASON} (AttributeError: module "
        "'mlflow.tracing.provider' has no attribute '_get_trace_exporter'). "
        "Call mlflow.flush_trace_async_logging() at the end."
    )
