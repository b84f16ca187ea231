"""The redaction function sees all content. If it fails, content is withheld."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.trace import Status, StatusCode

from opentelemetry.exporter.mlflow import MlflowSpanExporter

from .two_exporters import (
    HOOK_VARIABLE,
    SECRET,
    call_model,
    make_exporters,
    sent_bytes,
    sent_span_names,
)

REDACT_VARIABLE = "OTEL_EXPORTER_MLFLOW_REDACT"


def redact(attributes):
    return {
        name: value.replace(SECRET, "···") if isinstance(value, str) else value
        for name, value in attributes.items()
    }


def clear_and_raise(attributes):
    attributes.clear()
    raise ValueError(SECRET)


def return_list(attributes):
    return list(attributes)


@pytest.fixture(params=["argument", "path", "variable"])
def make_redacting_exporters(request, monkeypatch, fake_server):
    """Passes the function in each of the three possible ways."""
    monkeypatch.setenv(HOOK_VARIABLE, "mlflow")
    module = type(sys)("redaction_under_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def make(function):
        module.function = function
        path = f"{module.__name__}:function"
        match request.param:
            case "argument":
                arguments = {"redact": function}
            case "path":
                arguments = {"redact": path}
            case _:
                monkeypatch.setenv(REDACT_VARIABLE, path)
                arguments = {}
        exporters = make_exporters(fake_server.uri, **arguments)
        request.addfinalizer(exporters.provider.shutdown)
        return exporters

    return make


def test_redaction_changes_all_content(make_redacting_exporters, fake_server):
    exporters = make_redacting_exporters(redact)
    tracer = exporters.provider.get_tracer("t")
    with tracer.start_as_current_span("work") as root:
        call_model(exporters)
        root.add_event("note", {"text": SECRET})
        root.record_exception(ValueError(SECRET))
        root.set_status(Status(StatusCode.ERROR, f"ValueError: {SECRET}"))
    body = sent_bytes(fake_server)
    assert SECRET.encode() not in body
    for part in (" system", " thought", " answer", " argument", " tool"):
        assert f"···{part}".encode() in body
    assert "ValueError: ···".encode() in body
    # Other exporters receive the original spans.
    assert SECRET.encode() in exporters.bytes_of_other


@pytest.mark.parametrize("function", [clear_and_raise, return_list])
def test_content_is_withheld_if_redaction_fails(
    make_redacting_exporters, fake_server, caplog, function
):
    exporters = make_redacting_exporters(function)
    with exporters.provider.get_tracer("t").start_as_current_span("work") as root:
        call_model(exporters)
        call_model(exporters)
        root.add_event(SECRET[:3], {"text": SECRET})
        root.set_status(Status(StatusCode.ERROR, SECRET))
    body = sent_bytes(fake_server)
    assert SECRET.encode() not in body
    assert sent_span_names(fake_server) == ["chat m", "chat m", "work"]
    assert b"CHAT_MODEL" in body
    assert b"the redaction function raised" in body
    (record,) = caplog.records
    assert SECRET not in record.getMessage()
    assert "content is withheld" in record.getMessage()
    assert exporters.mlflow._translator._translator._redaction.failures > 2


@pytest.mark.parametrize(
    "path",
    ["missing:function", "json", "json:", "json:missing", "json:__name__", ":dumps"],
)
def test_unknown_redaction_function_raises(monkeypatch, path):
    monkeypatch.setenv(REDACT_VARIABLE, path)
    with pytest.raises(ValueError, match=f"{REDACT_VARIABLE} must be the import path"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
