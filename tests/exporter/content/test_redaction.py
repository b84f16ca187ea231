"""The redaction function sees all content. If it fails, content is withheld."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from opentelemetry.trace import Link, Status, StatusCode

from opentelemetry.exporter.mlflow import MlflowSpanExporter, SpanContent

from .two_exporters import (
    HOOK_VARIABLE,
    SECRET,
    call_model,
    make_exporters,
    sent_bytes,
    sent_span_names,
)

REDACT_VARIABLE = "OTEL_EXPORTER_MLFLOW_REDACT"


def redact_json(value):
    if isinstance(value, str):
        return value.replace(SECRET, "···")
    if isinstance(value, dict):
        return {redact_json(name): redact_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_json(item) for item in value]
    return value


def redact(content):
    return SpanContent(*map(redact_json, content))


def raise_error(content):
    content.attributes.clear()
    raise ValueError(SECRET)


def forget_to_return(content):
    content.attributes.clear()


def return_attributes(content):
    return content.attributes


def return_tuple(content):
    return tuple(content)


def filter_attributes_by_name(attributes):
    """A function for a dictionary of attributes."""
    return {name: value for name, value in attributes.items() if "messages" not in name}


def return_invalid_events(content):
    return content._replace(events=[{"text": SECRET}])


def return_no_attributes(content):
    return content._replace(attributes=None)


@pytest.fixture(autouse=True)
def content_for_mlflow(monkeypatch):
    monkeypatch.setenv(HOOK_VARIABLE, "mlflow")


@pytest.fixture(params=["argument", "path", "variable"])
def make_redacting_exporters(request, monkeypatch, fake_server):
    """Passes the function in each of the three possible ways."""
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


def make_trace(exporters):
    """Make a trace with the secret in every place that reaches MLflow."""
    tracer = exporters.provider.get_tracer("t")
    linked = tracer.start_span("work")
    with tracer.start_as_current_span(
        f"ask {SECRET}",
        links=[Link(linked.get_span_context(), {"text": SECRET})],
        attributes={"input.value": SECRET, SECRET: [SECRET, "b"]},
    ) as root:
        call_model(exporters)
        root.add_event(f"note {SECRET}", {"text": SECRET})
        root.record_exception(ValueError(SECRET))
        root.set_status(Status(StatusCode.ERROR, f"ValueError: {SECRET}"))


def test_redaction_changes_all_content(make_redacting_exporters, fake_server):
    exporters = make_redacting_exporters(redact)
    make_trace(exporters)
    body = sent_bytes(fake_server)
    assert SECRET.encode() not in body
    assert sent_span_names(fake_server) == ["chat m", "ask ···"]
    for part in (" system", " thought", " answer", " argument", " tool"):
        assert f"···{part}".encode() in body
    assert "ValueError: ···".encode() in body
    assert "note ···".encode() in body
    # Other exporters receive the original spans.
    assert SECRET.encode() in exporters.bytes_of_other


def test_function_gets_parsed_content_once_for_each_span(fake_server):
    contents = []

    def collect(content):
        contents.append(content)
        return content

    exporters = make_exporters(fake_server.uri, redact=collect)
    call_model(exporters, "Rain?")
    exporters.provider.shutdown()
    (content,) = contents
    assert content.name == "chat m"
    assert [message["content"] for message in content.inputs["messages"]] == [
        "Rain? system",
        "Rain?",
    ]
    (choice,) = content.outputs["choices"]
    assert choice["message"]["content"] == "Rain? answer"
    (tool,) = content.attributes["mlflow.chat.tools"]
    assert tool["function"]["name"] == "look"
    assert "gen_ai.input.messages" not in content.attributes
    # The same content is sent.
    (request,) = fake_server.requests
    attributes = request.string_attributes("chat m")
    assert json.loads(attributes["mlflow.spanInputs"]) == content.inputs
    assert json.loads(attributes["mlflow.chat.tools"]) == [tool]


@pytest.mark.parametrize(
    ("inputs", "attribute"),
    [(None, None), ("text", '"text"'), ({"a": [1]}, '{"a": [1]}')],
)
def test_returned_inputs_are_the_inputs(fake_server, inputs, attribute):
    exporters = make_exporters(
        fake_server.uri, redact=lambda content: content._replace(inputs=inputs)
    )
    call_model(exporters)
    exporters.provider.shutdown()
    (request,) = fake_server.requests
    attributes = request.string_attributes("chat m")
    assert attributes.get("mlflow.spanInputs") == attribute


@pytest.mark.parametrize(
    ("function", "failure"),
    [
        (raise_error, "raised ValueError"),
        (forget_to_return, "returned NoneType instead of SpanContent"),
        (return_attributes, "returned dict instead of SpanContent"),
        (return_tuple, "returned tuple instead of SpanContent"),
        (filter_attributes_by_name, "raised AttributeError"),
        (return_invalid_events, "returned invalid values"),
        (return_no_attributes, "returned invalid values"),
    ],
)
def test_content_is_withheld_if_redaction_fails(
    make_redacting_exporters, fake_server, caplog, function, failure
):
    exporters = make_redacting_exporters(function)
    make_trace(exporters)
    body = sent_bytes(fake_server)
    assert SECRET.encode() not in body
    assert sent_span_names(fake_server) == ["withheld", "withheld"]
    assert b"CHAT_MODEL" in body
    assert f"the redaction function {failure}".encode() in body
    (record,) = caplog.records
    assert SECRET not in record.getMessage()
    assert f"The redaction function {failure}. Message content is withheld" in (
        record.getMessage()
    )
    assert exporters.mlflow._translator._translator._redaction.withhold.failures == 2


def test_documented_function_redacts_email_addresses(fake_server):
    page = Path(__file__).parents[3] / "docs" / "mlflow.md"
    section = page.read_text("utf-8").partition("## Redaction")[2]
    program = section.partition("```python\n")[2].partition("```")[0]
    namespace = {}
    exec(program, namespace)  # the documentation of this project
    exporters = make_exporters(fake_server.uri, redact=namespace["redact"])
    call_model(exporters, "Write to ada.lovelace@example.co.uk")
    exporters.provider.shutdown()
    body = sent_bytes(fake_server)
    assert b"ada.lovelace" not in body
    assert b"Write to [email] answer" in body


@pytest.mark.parametrize(
    "path",
    ["missing:function", "json", "json:", "json:missing", "json:__name__", ":dumps"],
)
def test_unknown_redaction_function_raises(monkeypatch, path):
    monkeypatch.setenv(REDACT_VARIABLE, path)
    with pytest.raises(ValueError, match=f"{REDACT_VARIABLE} must be the import path"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
