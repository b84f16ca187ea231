"""The root of a trace: its type, its name, its session, and its parent elsewhere."""

from __future__ import annotations

import json

import pytest
from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, Status, StatusCode

from opentelemetry import trace
from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator

from .model_calls import REMOTE, chat, chat_inputs, chat_outputs


@pytest.mark.parametrize("name", ["openinference.span.kind", "traceloop.span.kind"])
def test_span_type_of_another_convention_is_not_replaced(translator, spans, name):
    (translated,) = translator.translate([spans.make("root", {name: "agent"})])
    assert "mlflow.spanType" not in translated.attributes


def test_trace_name_of_the_application_is_kept(translator, spans):
    name = {"mlflow.traceTag.mlflow.traceName": "mine"}
    (translated,) = translator.translate([spans.make("x" * 5000, name)])
    assert translated.attributes["mlflow.traceTag.mlflow.traceName"] == "mine"
    (translated,) = translator.translate([spans.make("x" * 5000)])
    assert translated.attributes["mlflow.traceTag.mlflow.traceName"] == "x" * 4096


def test_all_spans_get_the_session_of_the_root(translator, spans):
    with spans.tracer.start_as_current_span(
        "root", attributes={"gen_ai.conversation.id": "root's"}
    ):
        chat(spans, **{"gen_ai.conversation.id": "chat's"})
    other = spans.take()
    with spans.tracer.start_as_current_span("without"):
        chat(spans, **{"gen_ai.conversation.id": "chat's"})
    translated = translator.translate(other + spans.take())
    assert [span.attributes.get("session.id") for span in translated] == [
        "root's",
        "root's",
        "chat's",
        None,
    ]


def remote_child(spans):
    context = trace.set_span_in_context(NonRecordingSpan(REMOTE))
    with spans.tracer.start_as_current_span("handler", context=context):
        chat(spans, "q", "a")


def test_a_local_root_with_a_remote_parent_is_promoted(translator, spans):
    remote_child(spans)
    child, root = translator.translate(spans.take())
    assert root.parent is None
    assert root.context.trace_id == REMOTE.trace_id
    assert root.attributes["mlflow.spanInputs"] == chat_inputs("q")
    assert child.parent == root.context


def test_a_remote_parent_is_kept_if_promotion_is_disabled(spans):
    remote_child(spans)
    ended = spans.take()
    _, root = BatchTranslator(promote_remote_root=False).translate(ended)
    assert root.parent == REMOTE
    assert ended[1].attributes == {}
    # What the service was asked, and answered; the name is the caller's.
    assert root.attributes == {
        "mlflow.spanType": "CHAIN",
        "mlflow.spanInputs": chat_inputs("q"),
        "mlflow.spanOutputs": chat_outputs("a"),
    }


def test_two_roots_and_late_children_in_one_trace(translator, spans):
    remote_child(spans)
    chat_one, root_one = spans.take()
    remote_child(spans)
    chat_two, root_two = spans.take()
    assert len(translator.translate([root_one, chat_one, root_two])) == 3
    late, again = translator.translate([chat_two, root_two])
    assert late.attributes["mlflow.spanType"] == "CHAT_MODEL"
    assert again.attributes["mlflow.spanInputs"] == chat_inputs("q")


def test_a_translated_span_differs_in_its_attributes_only(translator, spans):
    link = Link(REMOTE, {"l": 1})
    with spans.tracer.start_as_current_span(
        "root", kind=SpanKind.SERVER, links=[link], attributes={"a": (1, 2)}
    ) as span:
        span.record_exception(ValueError("no"), {"x": 1})
        span.set_status(Status(StatusCode.ERROR, "why"))
    (before,) = spans.take()
    attributes = dict(before.attributes)
    (copy,) = translator.translate([before])
    mine, user_value = json.loads(copy.to_json()), json.loads(before.to_json())
    assert mine.pop("attributes").items() > user_value.pop("attributes").items()
    assert mine == user_value
    assert (copy.kind, copy.instrumentation_scope) == (
        before.kind,
        before.instrumentation_scope,
    )
    assert before.attributes == attributes


def test_a_span_without_a_context_is_translated(translator):
    from opentelemetry.sdk.trace import ReadableSpan

    (translated,) = translator.translate([ReadableSpan("bare")])
    assert translated.name == "bare"
