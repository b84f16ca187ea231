"""Agents, at the root and within a trace, borrow from what is beneath them."""

from __future__ import annotations

import pytest

from .calls import answered, asked, attributes_of, chat, written


def test_an_agent_at_the_root_stays_one_and_borrows_what_it_lacks(roots, spans):
    agent = {"gen_ai.operation.name": "invoke_agent"}
    with spans.tracer.start_as_current_span("agent", attributes=agent):
        chat(spans, "q", "a")
    mapped = attributes_of(roots.translate(spans.take()), "agent")
    assert mapped["mlflow.spanType"] == "AGENT"
    assert mapped["mlflow.spanInputs"] == asked("q")


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
        mapped += roots.translate(ended[first : first + size])
    for name, question, answer in (
        ("invoke_agent b", "Second?", "Two."),
        ("invoke_agent a", "First?", "Two."),
        ("POST /ask", "Before?", "Three."),
    ):
        attributes = attributes_of(mapped, name)
        assert attributes["mlflow.spanInputs"] == asked(question)
        assert attributes["mlflow.spanOutputs"] == answered(answer)
    assert attributes_of(mapped, "step") == {}
    assert not roots._summaries


def test_what_an_agent_within_a_trace_says_of_itself_stays(roots, spans):
    own = {"gen_ai.input.messages": written("user", "Mine?")}
    with spans.tracer.start_as_current_span("POST /ask"), agent(spans, **own):
        chat(spans, "q", "a")
    attributes = attributes_of(roots.translate(spans.take()), "invoke_agent a")
    assert attributes["mlflow.spanInputs"] == asked("Mine?")
    assert attributes["mlflow.spanOutputs"] == answered("a")
