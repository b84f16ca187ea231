"""Functions of `mlflow.tracing.configure(span_processors=…)`."""

from __future__ import annotations

import json
import sys

import pytest
from mlflow.entities import Link, LiveSpan, SpanEvent
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry.exporter.mlflow import MlflowSpanExporter

MESSAGES = json.dumps(
    [{"role": "user", "parts": [{"type": "text", "content": "a secret"}]}]
)
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": MESSAGES,
    "gen_ai.request.model": "deepseek-chat",
    "number": 7,
    "text": "7",
    "list": ("a", "b"),
}


def sent_span(application):
    (request,) = application.fake_server.requests[-1:]
    (span,) = request.spans
    return span


def attributes(span):
    return {
        a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes
    }


def test_function_gets_a_live_span_in_the_form_of_mlflow(application, configure):
    seen = {}

    def read(span):
        seen.update(
            live=isinstance(span, LiveSpan),
            name=span.name,
            type=span.span_type,
            inputs=span.inputs,
            outputs=span.outputs,
            trace_id=span.trace_id,
            parent_id=span.parent_id,
            text=span.get_attribute("text"),
            number=span.attributes["number"],
            model=span.get_attribute("gen_ai.request.model"),
            time=span.start_time_ns,
            events=span.events,
            status=str(span.status.status_code),
        )

    configure(read)
    span = application.call(**CALL)
    assert seen.pop("time") == span.start_time
    assert seen == {
        "live": True,
        "name": "chat",
        "type": "CHAT_MODEL",
        "inputs": {
            "model": "deepseek-chat",
            "messages": [{"role": "user", "content": "a secret"}],
        },
        "outputs": None,
        "trace_id": f"tr-{span.context.trace_id:032x}",
        "parent_id": None,
        "text": "7",
        "number": 7,
        "model": "deepseek-chat",
        "events": [],
        "status": "SpanStatusCode.UNSET",
    }


def test_attributes_that_a_function_does_not_change_stay(application, configure):
    call = CALL | {"bytes": b"\xff", "mlflow.traceRequestId": '"tr-1"'}
    application.call(**call)
    before = attributes(sent_span(application))
    configure(lambda _: None)
    application.call(**call)
    assert attributes(sent_span(application)) == before


def test_function_changes_what_is_sent(application, configure):
    def change(span):
        span.set_inputs({"messages": "[redacted]"})
        span.set_outputs("data:image/png;base64,aGVsbG8=")
        span.set_attributes({"text": "new", "number": 8, "gone": None})
        span.set_attribute("nested", {"a": [1]})
        span.set_span_type("LLM")
        span.add_event(SpanEvent("checked"))
        span.set_status("OK")
        span._span.update_name("renamed")
        span._span.set_attributes({"raw": 1})

    configure(change)
    application.call(**CALL)
    span = sent_span(application)
    values = attributes(span)
    assert "secret" not in str(span)
    assert (span.name, [event.name for event in span.events]) == (
        "renamed",
        ["checked"],
    )
    assert values["mlflow.spanInputs"] == '{"messages": "[redacted]"}'
    assert values["mlflow.spanOutputs"] == '"data:image/png;base64,aGVsbG8="'
    assert (values["text"], values["number"], values["nested"]) == (
        "new",
        8,
        '{"a": [1]}',
    )
    assert (values["mlflow.spanType"], values["raw"]) == ("LLM", 1)
    assert "gone" not in values


def test_function_that_adds_a_link_has_no_effect(application, configure):
    configure(
        lambda span: span.add_link(Link(trace_id=span.trace_id, span_id="1" * 16))
    )
    application.call(**CALL)
    span = sent_span(application)
    assert list(span.links) == []
    assert "a secret" in attributes(span)["mlflow.spanInputs"]


def test_functions_run_in_their_order(application, configure):
    configure(
        lambda span: span.set_attribute("a", "1"),
        lambda span: span.set_attribute("b", span.get_attribute("a") + "2"),
    )
    application.call()
    assert attributes(sent_span(application))["b"] == "12"


@pytest.mark.parametrize(
    "name", ["mlflow.entities.span", "a function that raises RecursionError"]
)
def test_content_is_withheld_if_the_function_cannot_run(
    application, configure, monkeypatch, name, caplog
):
    def fail(span):
        raise RecursionError(span.inputs)

    configure(fail)
    if name in sys.modules:
        monkeypatch.delitem(sys.modules, name)
    application.call(**CALL)
    span = sent_span(application)
    assert "secret" not in str(span)
    assert span.name == "withheld"
    assert "secret" not in caplog.text


def test_messages_in_events_are_processed_as_inputs(application, configure):
    configure(lambda span: span.set_inputs("[redacted]"))
    span = application.tracer.start_span(
        "chat", attributes={"gen_ai.operation.name": "chat"}
    )
    span.add_event("gen_ai.user.message", {"content": "a secret"})
    span.add_event("kept")
    span.end()
    sent = sent_span(application)
    assert "secret" not in str(sent)
    assert [event.name for event in sent.events] == ["kept"]


@pytest.mark.parametrize("value", ['{"q": "a secret"}', "a secret"])
def test_content_of_other_conventions_is_processed_as_inputs(
    application, configure, value
):
    def change(span):
        assert "secret" in str(span.inputs)
        span.set_inputs("[redacted]")

    configure(change)
    application.tracer.start_span("a", attributes={"input.value": value}).end()
    assert "secret" not in str(sent_span(application))


def test_functions_that_hold_at_the_end_of_the_span_process_it(
    fake_server, application, configure
):
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, experiment_id=1)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    with configure(lambda span: span.set_inputs("[redacted]")):
        provider.get_tracer("a").start_span("a", attributes=CALL).end()
    provider.shutdown()
    assert "secret" not in str(sent_span(application))


@pytest.mark.usefixtures("application")
def test_function_runs_before_the_one_of_the_exporter(fake_server, configure):
    exporter = MlflowSpanExporter(
        tracking_uri=fake_server.uri,
        experiment_id=1,
        redact=lambda content: content._replace(name=str(content.inputs)),
    )
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    configure(lambda span: span.set_inputs("[redacted]"))
    provider.get_tracer("a").start_span("a", attributes=CALL).end()
    provider.shutdown()
    assert fake_server.requests[-1].span_names == ["[redacted]"]
