"""The root of a trace: its type, its name, its session, and its parent elsewhere."""

from __future__ import annotations

import json

import pytest
from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, Status, StatusCode

from opentelemetry import trace
from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator

from .calls import REMOTE, answered, asked, chat


@pytest.mark.parametrize("name", ["openinference.span.kind", "traceloop.span.kind"])
def test_a_type_in_another_convention_is_left_to_mlflow(roots, spans, name):
    (mapped,) = roots.translate([spans.make("root", {name: "agent"})])
    assert "mlflow.spanType" not in mapped.attributes


def test_a_name_given_by_the_application_stays(roots, spans):
    name = {"mlflow.traceTag.mlflow.traceName": "mine"}
    (mapped,) = roots.translate([spans.make("x" * 5000, name)])
    assert mapped.attributes["mlflow.traceTag.mlflow.traceName"] == "mine"
    (mapped,) = roots.translate([spans.make("x" * 5000)])
    assert mapped.attributes["mlflow.traceTag.mlflow.traceName"] == "x" * 4096


def test_the_session_of_the_root_is_that_of_the_whole_trace(roots, spans):
    with spans.tracer.start_as_current_span(
        "root", attributes={"gen_ai.conversation.id": "root's"}
    ):
        chat(spans, **{"gen_ai.conversation.id": "chat's"})
    other = spans.take()
    with spans.tracer.start_as_current_span("without"):
        chat(spans, **{"gen_ai.conversation.id": "chat's"})
    mapped = roots.translate(other + spans.take())
    assert [span.attributes.get("session.id") for span in mapped] == [
        "root's",
        "root's",
        "chat's",
        None,
    ]


def remotely(spans):
    context = trace.set_span_in_context(NonRecordingSpan(REMOTE))
    with spans.tracer.start_as_current_span("handler", context=context):
        chat(spans, "q", "a")


def test_a_root_with_a_remote_parent_is_promoted(roots, spans):
    remotely(spans)
    child, root = roots.translate(spans.take())
    assert root.parent is None
    assert root.context.trace_id == REMOTE.trace_id
    assert root.attributes["mlflow.spanInputs"] == asked("q")
    assert child.parent == root.context


def test_a_remote_parent_stays_when_that_is_asked_for(spans):
    remotely(spans)
    ended = spans.take()
    _, root = BatchTranslator(promote_remote_root=False).translate(ended)
    assert root.parent == REMOTE
    assert ended[1].attributes == {}
    # What the service was asked, and answered; the name is the caller's.
    assert root.attributes == {
        "mlflow.spanType": "CHAIN",
        "mlflow.spanInputs": asked("q"),
        "mlflow.spanOutputs": answered("a"),
    }


def test_two_roots_and_late_children_in_one_trace_are_fine(roots, spans):
    remotely(spans)
    chat_one, root_one = spans.take()
    remotely(spans)
    chat_two, root_two = spans.take()
    assert len(roots.translate([root_one, chat_one, root_two])) == 3
    late, again = roots.translate([chat_two, root_two])
    assert late.attributes["mlflow.spanType"] == "CHAT_MODEL"
    assert again.attributes["mlflow.spanInputs"] == asked("q")


def test_a_copy_differs_in_its_attributes_alone(roots, spans):
    link = Link(REMOTE, {"l": 1})
    with spans.tracer.start_as_current_span(
        "root", kind=SpanKind.SERVER, links=[link], attributes={"a": (1, 2)}
    ) as span:
        span.record_exception(ValueError("no"), {"x": 1})
        span.set_status(Status(StatusCode.ERROR, "why"))
    (before,) = spans.take()
    attributes = dict(before.attributes)
    (copy,) = roots.translate([before])
    mine, theirs = json.loads(copy.to_json()), json.loads(before.to_json())
    assert mine.pop("attributes").items() > theirs.pop("attributes").items()
    assert mine == theirs
    assert (copy.kind, copy.instrumentation_scope) == (
        before.kind,
        before.instrumentation_scope,
    )
    assert before.attributes == attributes


def test_a_span_without_identity_is_no_accident(roots):
    from opentelemetry.sdk.trace import ReadableSpan

    (mapped,) = roots.translate([ReadableSpan("bare")])
    assert mapped.name == "bare"
