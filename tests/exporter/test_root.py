from __future__ import annotations

import json

import pytest
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from opentelemetry import trace
from opentelemetry.exporter.mlflow._mapping import UNREAD
from opentelemetry.exporter.mlflow._root import _MOST_TRACES, Roots

REMOTE = SpanContext(0x1234, 0x5678, is_remote=True, trace_flags=TraceFlags(1))


@pytest.fixture
def roots():
    return Roots(promote_remote=True)


def written(role, content):
    parts = [{"type": "text", "content": content}] if content else []
    return json.dumps([{"role": role, "parts": parts}])


def chat(spans, question="", answer="", **more):
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    if question:
        attributes["gen_ai.input.messages"] = written("user", question)
    if answer is not None:
        attributes["gen_ai.output.messages"] = written("assistant", answer)
    with spans.tracer.start_as_current_span("chat m", attributes=attributes | more):
        pass


def attributes_of(mapped, name):
    (found,) = [span for span in mapped if span.name == name]
    return dict(found.attributes)


def asked(question):
    return json.dumps({"messages": [{"role": "user", "content": question}]})


def answered(answer):
    message = {"role": "assistant", "content": answer}
    return json.dumps({"choices": [{"message": message}]})


def test_the_root_shows_the_first_question_and_the_last_answer(roots, spans):
    with spans.tracer.start_as_current_span("POST /ask", attributes={"http": 1}):
        chat(spans, "What is it?", None)
        chat(spans, "And now?", "Twenty-one.")
        chat(spans, "Any tool?", "")
    assert attributes_of(roots.mapped(spans.take()), "POST /ask") == {
        "http": 1,
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "POST /ask",
        "mlflow.spanInputs": asked("What is it?"),
        "mlflow.spanOutputs": answered("Twenty-one."),
    }


@pytest.mark.parametrize("size", [1, 2, 3])
def test_it_does_not_matter_which_spans_come_together(roots, spans, size):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q", "a")
        chat(spans, "r", "b")
    ended = spans.take()
    mapped = []
    for start in range(0, len(ended), size):
        part = ended[start : start + size]
        mapped += roots.mapped(part)
    assert [span.name for span in mapped] == ["chat m", "chat m", "root"]
    assert mapped[-1].attributes["mlflow.spanInputs"] == asked("q")
    assert mapped[-1].attributes["mlflow.spanOutputs"] == answered("b")


def test_time_says_what_is_first_and_last_not_the_order_of_arrival(roots, spans):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q", "a")
        chat(spans, "r", "b")
    first, second, root = spans.take()
    *_, mapped = roots.mapped([second, first, root])
    assert mapped.attributes["mlflow.spanInputs"] == asked("q")
    assert mapped.attributes["mlflow.spanOutputs"] == answered("b")


def test_a_root_that_is_the_model_call_speaks_for_itself(roots, spans):
    chat(spans, "q", "a")
    (mapped,) = roots.mapped(spans.take())
    assert json.loads(mapped.attributes["mlflow.spanInputs"])["model"] == "m"
    assert mapped.attributes["mlflow.spanType"] == "CHAT_MODEL"
    assert mapped.attributes["mlflow.traceTag.mlflow.traceName"] == "chat m"


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        ({"input.value": "q0", "output.value": "a0"}, {}),
        ({"mlflow.spanInputs": '"q0"', "mlflow.spanOutputs": '"a0"'}, {}),
        (
            {"gen_ai.input.messages": "{", "gen_ai.output.messages": "{"},
            {UNREAD: ("gen_ai.input.messages", "gen_ai.output.messages")},
        ),
        (
            {"traceloop.entity.input": "q0"},
            {"mlflow.spanOutputs": answered("a")},
        ),
        (
            {"input.value": ""},
            {"mlflow.spanInputs": asked("q"), "mlflow.spanOutputs": answered("a")},
        ),
    ],
)
def test_what_a_root_says_of_itself_stays(roots, spans, own, kept):
    with spans.tracer.start_as_current_span("root", attributes=own):
        chat(spans, "q", "a")
    assert attributes_of(roots.mapped(spans.take()), "root") == {
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "root",
        **own,
        **kept,
    }


def test_an_agent_at_the_root_stays_one_and_borrows_what_it_lacks(roots, spans):
    agent = {"gen_ai.operation.name": "invoke_agent"}
    with spans.tracer.start_as_current_span("agent", attributes=agent):
        chat(spans, "q", "a")
    mapped = attributes_of(roots.mapped(spans.take()), "agent")
    assert mapped["mlflow.spanType"] == "AGENT"
    assert mapped["mlflow.spanInputs"] == asked("q")


@pytest.mark.parametrize("name", ["openinference.span.kind", "traceloop.span.kind"])
def test_a_type_in_another_convention_is_left_to_mlflow(roots, spans, name):
    (mapped,) = roots.mapped([spans.made("root", {name: "agent"})])
    assert "mlflow.spanType" not in mapped.attributes


def test_a_name_given_by_the_application_stays(roots, spans):
    name = {"mlflow.traceTag.mlflow.traceName": "mine"}
    (mapped,) = roots.mapped([spans.made("x" * 5000, name)])
    assert mapped.attributes["mlflow.traceTag.mlflow.traceName"] == "mine"
    (mapped,) = roots.mapped([spans.made("x" * 5000)])
    assert mapped.attributes["mlflow.traceTag.mlflow.traceName"] == "x" * 4096


def test_only_model_calls_are_borrowed_from(roots, spans):
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "mlflow.spanInputs": asked("tool"),
    }
    with (
        spans.tracer.start_as_current_span("root"),
        spans.tracer.start_as_current_span("tool", attributes=tool),
    ):
        pass
    assert "mlflow.spanInputs" not in attributes_of(roots.mapped(spans.take()), "root")


@pytest.mark.parametrize(
    "inputs",
    [
        "{",
        "[]",
        '{"messages": 1}',
        '{"messages": [1, {"role": "system", "content": "x"}]}',
        7,
    ],
)
def test_inputs_of_another_shape_are_no_question(roots, spans, inputs):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, **{"mlflow.spanInputs": inputs, "mlflow.spanOutputs": inputs})
    root = attributes_of(roots.mapped(spans.take()), "root")
    assert "mlflow.spanInputs" not in root
    assert "mlflow.spanOutputs" not in root


def test_the_text_of_an_image_question_is_borrowed_without_the_image(roots, spans):
    parts = [
        {"type": "blob", "modality": "image", "content": "aGk="},
        {"type": "text", "content": "What is it?"},
    ]
    messages = json.dumps([{"role": "user", "parts": parts}])
    with spans.tracer.start_as_current_span("root"):
        chat(spans, **{"gen_ai.input.messages": messages})
    root = attributes_of(roots.mapped(spans.take()), "root")
    assert root["mlflow.spanInputs"] == asked("What is it?")


def test_a_borrowed_text_is_bounded(roots, spans):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q" * 20_000, "a" * 20_000)
    root = attributes_of(roots.mapped(spans.take()), "root")
    assert root["mlflow.spanInputs"] == asked("q" * 10_000)
    assert root["mlflow.spanOutputs"] == answered("a" * 10_000)


def test_the_session_of_the_root_is_that_of_the_whole_trace(roots, spans):
    with spans.tracer.start_as_current_span(
        "root", attributes={"gen_ai.conversation.id": "root's"}
    ):
        chat(spans, **{"gen_ai.conversation.id": "chat's"})
    other = spans.take()
    with spans.tracer.start_as_current_span("without"):
        chat(spans, **{"gen_ai.conversation.id": "chat's"})
    mapped = roots.mapped(other + spans.take())
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
    child, root = roots.mapped(spans.take())
    assert root.parent is None
    assert root.context.trace_id == REMOTE.trace_id
    assert root.attributes["mlflow.spanInputs"] == asked("q")
    assert child.parent == root.context


def test_a_remote_parent_stays_when_that_is_asked_for(spans):
    remotely(spans)
    ended = spans.take()
    _, root = Roots(promote_remote=False).mapped(ended)
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
    assert len(roots.mapped([root_one, chat_one, root_two])) == 3
    late, again = roots.mapped([chat_two, root_two])
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
    (copy,) = roots.mapped([before])
    mine, theirs = json.loads(copy.to_json()), json.loads(before.to_json())
    assert mine.pop("attributes").items() > theirs.pop("attributes").items()
    assert mine == theirs
    assert (copy.kind, copy.instrumentation_scope) == (
        before.kind,
        before.instrumentation_scope,
    )
    assert before.attributes == attributes


def agent(spans, name="invoke_agent a", **more):
    attributes = {"gen_ai.operation.name": "invoke_agent", **more}
    return spans.tracer.start_as_current_span(name, attributes=attributes)


@pytest.mark.parametrize("size", [1, 9])
def test_an_agent_within_a_trace_borrows_from_what_is_beneath_it(roots, spans, size):
    with spans.tracer.start_as_current_span("POST /ask"):
        chat(spans, "Before?", "Yes.")
        with agent(spans), spans.tracer.start_as_current_span("step"):
            chat(spans, "First?", "One.")
            with agent(spans, "invoke_agent b"):
                chat(spans, "Second?", "Two.")
        chat(spans, "After?", "Three.")
    ended = spans.take()
    mapped = []
    for first in range(0, len(ended), size):
        mapped += roots.mapped(ended[first : first + size])
    for name, question, answer in (
        ("invoke_agent b", "Second?", "Two."),
        ("invoke_agent a", "First?", "Two."),
        ("POST /ask", "Before?", "Three."),
    ):
        attributes = attributes_of(mapped, name)
        assert attributes["mlflow.spanInputs"] == asked(question)
        assert attributes["mlflow.spanOutputs"] == answered(answer)
    assert attributes_of(mapped, "step") == {}
    assert not roots._kept


def test_what_an_agent_within_a_trace_says_of_itself_stays(roots, spans):
    own = {"gen_ai.input.messages": written("user", "Mine?")}
    with spans.tracer.start_as_current_span("POST /ask"), agent(spans, **own):
        chat(spans, "q", "a")
    attributes = attributes_of(roots.mapped(spans.take()), "invoke_agent a")
    assert attributes["mlflow.spanInputs"] == asked("Mine?")
    assert attributes["mlflow.spanOutputs"] == answered("a")


def test_traces_without_an_end_do_not_pile_up(roots, spans):
    def trace(number):
        with spans.tracer.start_as_current_span(f"root {number}"):
            chat(spans, f"q {number}", "a")
        child, root = spans.take()
        roots.mapped([child])
        return child, root

    def has_question(root):
        (mapped,) = roots.mapped([root])
        return "mlflow.spanInputs" in mapped.attributes

    used, forgotten, *_, kept = [trace(number) for number in range(_MOST_TRACES)]
    roots.mapped([used[0]])
    trace("one more")
    assert has_question(used[1])
    assert not has_question(forgotten[1])
    assert has_question(kept[1])


def test_a_span_without_identity_is_no_accident(roots):
    from opentelemetry.sdk.trace import ReadableSpan

    (mapped,) = roots.mapped([ReadableSpan("bare")])
    assert mapped.name == "bare"
