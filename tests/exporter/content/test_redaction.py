"""Redaction: it sees all that leaves, and where it fails content is withheld."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.trace import Status, StatusCode

from opentelemetry.exporter.mlflow import MlflowSpanExporter

from .conversation import HOOK, SECRET, both_to, sent, spans_sent, talk

REDACT = "OTEL_EXPORTER_MLFLOW_REDACT"


def redacted(attributes):
    return {
        name: value.replace(SECRET, "···") if isinstance(value, str) else value
        for name, value in attributes.items()
    }


def failing(attributes):
    attributes.clear()
    raise ValueError(SECRET)


def no_dict(attributes):
    return list(attributes)


@pytest.fixture(params=["argument", "path", "variable"])
def redacting(request, monkeypatch, wire):
    """Makes an exporter that redacts, in each of the three ways to say so."""
    monkeypatch.setenv(HOOK, "mlflow")
    module = type(sys)("redaction_of_the_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def made(function):
        module.function = function
        path = f"{module.__name__}:function"
        match request.param:
            case "argument":
                more = {"redact": function}
            case "path":
                more = {"redact": path}
            case _:
                monkeypatch.setenv(REDACT, path)
                more = {}
        both = both_to(wire.uri, **more)
        request.addfinalizer(both.provider.shutdown)
        return both

    return made


def test_redaction_sees_all_that_leaves(redacting, wire):
    both = redacting(redacted)
    tracer = both.provider.get_tracer("t")
    with tracer.start_as_current_span("work") as root:
        talk(both)
        root.add_event("note", {"text": SECRET})
        root.record_exception(ValueError(SECRET))
        root.set_status(Status(StatusCode.ERROR, f"ValueError: {SECRET}"))
    body = sent(wire)
    assert SECRET.encode() not in body
    for what in (" system", " thought", " answer", " argument", " tool"):
        assert f"···{what}".encode() in body
    assert "ValueError: ···".encode() in body
    # Of the others nothing is taken.
    assert SECRET.encode() in both.seen_by_others


@pytest.mark.parametrize("function", [failing, no_dict])
def test_where_redaction_fails_content_is_withheld(redacting, wire, caplog, function):
    both = redacting(function)
    with both.provider.get_tracer("t").start_as_current_span("work") as root:
        talk(both)
        talk(both)
        root.add_event(SECRET[:3], {"text": SECRET})
        root.set_status(Status(StatusCode.ERROR, SECRET))
    body = sent(wire)
    assert SECRET.encode() not in body
    assert spans_sent(wire) == ["chat m", "chat m", "work"]
    assert b"CHAT_MODEL" in body
    assert b"the redaction raised" in body
    (record,) = caplog.records
    assert SECRET not in record.getMessage()
    assert "content is withheld" in record.getMessage()
    assert both.mlflow._translator._translator._redaction.failures > 2


@pytest.mark.parametrize(
    "path", ["gone:function", "json", "json:", "json:gone", "json:__name__", ":dumps"]
)
def test_a_redaction_that_is_not_there_is_refused(monkeypatch, path):
    monkeypatch.setenv(REDACT, path)
    with pytest.raises(ValueError, match=f"{REDACT} takes a function"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
