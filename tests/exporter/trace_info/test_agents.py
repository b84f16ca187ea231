"""Agents, at the root and within a trace, borrow from what is beneath them."""

from __future__ import annotations

import pytest

from .model_calls import attributes_of, chat, chat_inputs, chat_outputs, message_parts


def test_an_agent_as_root_keeps_its_type_and_shows_the_conversation(translator, spans):
    agent = {"gen_ai.operation.name": "invoke_agent"}
    with spans.tracer.start_as_current_span("agent", attributes=agent):
        chat(spans, "q", "a")
    translated = attributes_of(translator.translate(spans.take()), "agent")
    assert translated["mlflow.spanType"] == "AGENT"
    assert translated["mlflow.spanInputs"] == chat_inputs("q")


def agent(spans, name="invoke_agent a", **more):
    attributes = {"gen_ai.operation.name": "invoke_agent", **more}
    return spans.tracer.start_as_current_span(name, attributes=attributes)


@pytest.mark.parametrize("size", [1, 9])
def test_an_agent_within_a_trace_shows_the_conversation_beneath_it(
    translator, spans, size
):
    with spans.tracer.start_as_current_span("POST /ask"):
        chat(spans, "Before?", "Yes.")
        with agent(spans), spans.tracer.start_as_current_span("step"):
            chat(spans, "First?", "One.")
            with agent(spans, "invoke_agent b"):
                chat(spans, "Second?", "Two.")
        chat(spans, "After?", "Three.")
    ended = spans.take()
    translated = []
    for first in range(0, len(ended), size):
        translated += translator.translate(ended[first : first + size])
    for name, question, answer in (
        ("invoke_agent b", "Second?", "Two."),
        ("invoke_agent a", "First?", "Two."),
        ("POST /ask", "Before?", "Three."),
    ):
        attributes = attributes_of(translated, name)
        assert attributes["mlflow.spanInputs"] == chat_inputs(question)
        assert attributes["mlflow.spanOutputs"] == chat_outputs(answer)
    assert attributes_of(translated, "step") == {}
    assert not translator._summaries


def test_inputs_of_an_agent_within_a_trace_are_kept(translator, spans):
    own = {"gen_ai.input.messages": message_parts("user", "Mine?")}
    with spans.tracer.start_as_current_span("POST /ask"), agent(spans, **own):
        chat(spans, "q", "a")
    attributes = attributes_of(translator.translate(spans.take()), "invoke_agent a")
    assert attributes["mlflow.spanInputs"] == chat_inputs("Mine?")
    assert attributes["mlflow.spanOutputs"] == chat_outputs("a")
