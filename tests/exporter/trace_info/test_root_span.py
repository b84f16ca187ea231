"""The root of a trace: its type, name, session and remote parent."""

from __future__ import annotations

import json

import pytest
from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, Status, StatusCode

from opentelemetry import trace
from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator

from .model_calls import REMOTE_PARENT, encode_inputs, encode_outputs, record_chat


@pytest.mark.parametrize("name", ["openinference.span.kind", "traceloop.span.kind"])
def test_span_type_of_another_convention_is_not_replaced(translator, spans, name):
    (translated,) = translator.translate([spans.make("root", {name: "agent"})])
    assert "mlflow.spanType" not in translated.attributes


def test_trace_name_of_the_application_is_not_replaced(translator, spans):
    attributes = {"mlflow.traceTag.mlflow.traceName": "mine"}
    (translated,) = translator.translate([spans.make("x" * 5000, attributes)])
    assert translated.attributes["mlflow.traceTag.mlflow.traceName"] == "mine"
    (translated,) = translator.translate([spans.make("x" * 5000)])
    assert translated.attributes["mlflow.traceTag.mlflow.traceName"] == "x" * 4096


def test_all_spans_get_the_session_of_the_root(translator, spans):
    with spans.tracer.start_as_current_span(
        "root", attributes={"gen_ai.conversation.id": "root's"}
    ):
        record_chat(spans, **{"gen_ai.conversation.id": "chat's"})
    trace_with_session = spans.take()
    with spans.tracer.start_as_current_span("without"):
        record_chat(spans, **{"gen_ai.conversation.id": "chat's"})
    translated = translator.translate(trace_with_session + spans.take())
    assert [span.attributes.get("session.id") for span in translated] == [
        "root's",
        "root's",
        "chat's",
        None,
    ]


def record_local_root(spans):
    context = trace.set_span_in_context(NonRecordingSpan(REMOTE_PARENT))
    with spans.tracer.start_as_current_span("handler", context=context):
        record_chat(spans, "q", "a")


def test_a_local_root_with_a_remote_parent_is_promoted(translator, spans):
    record_local_root(spans)
    chat_span, root = translator.translate(spans.take())
    assert root.parent is None
    assert root.context.trace_id == REMOTE_PARENT.trace_id
    assert root.attributes["mlflow.spanInputs"] == encode_inputs("q")
    assert chat_span.parent == root.context


def test_a_remote_parent_is_not_removed_if_promotion_is_disabled(spans):
    record_local_root(spans)
    finished_spans = spans.take()
    _, root = BatchTranslator(promote_remote_root=False).translate(finished_spans)
    assert root.parent == REMOTE_PARENT
    assert finished_spans[1].attributes == {}
    # The inputs and outputs are the service's. The caller sets the trace name.
    assert root.attributes == {
        "mlflow.spanType": "CHAIN",
        "mlflow.spanInputs": encode_inputs("q"),
        "mlflow.spanOutputs": encode_outputs("a"),
    }


def test_a_trace_may_have_two_roots_and_late_children(translator, spans):
    record_local_root(spans)
    chat_one, root_one = spans.take()
    record_local_root(spans)
    chat_two, root_two = spans.take()
    assert len(translator.translate([root_one, chat_one, root_two])) == 3
    late_chat, repeated_root = translator.translate([chat_two, root_two])
    assert late_chat.attributes["mlflow.spanType"] == "CHAT_MODEL"
    assert repeated_root.attributes["mlflow.spanInputs"] == encode_inputs("q")


def test_translation_changes_only_the_attributes(translator, spans):
    link = Link(REMOTE_PARENT, {"l": 1})
    with spans.tracer.start_as_current_span(
        "root", kind=SpanKind.SERVER, links=[link], attributes={"a": (1, 2)}
    ) as span:
        span.record_exception(ValueError("no"), {"x": 1})
        span.set_status(Status(StatusCode.ERROR, "why"))
    (original,) = spans.take()
    original_attributes = dict(original.attributes)
    (translated,) = translator.translate([original])
    translated_json = json.loads(translated.to_json())
    original_json = json.loads(original.to_json())
    translated_items = translated_json.pop("attributes").items()
    assert translated_items > original_json.pop("attributes").items()
    assert translated_json == original_json
    assert (translated.kind, translated.instrumentation_scope) == (
        original.kind,
        original.instrumentation_scope,
    )
    assert original.attributes == original_attributes


def test_a_span_without_a_context_is_translated(translator):
    from opentelemetry.sdk.trace import ReadableSpan

    (translated,) = translator.translate([ReadableSpan("bare")])
    assert translated.name == "bare"
