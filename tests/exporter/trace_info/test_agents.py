"""Agents show the first question and the last answer beneath them."""

from __future__ import annotations

import pytest

from .model_calls import (
    encode_inputs,
    encode_messages,
    encode_outputs,
    get_attributes,
    record_chat,
)


def test_an_agent_as_root_keeps_its_type_and_shows_the_conversation(translator, spans):
    agent_attributes = {"gen_ai.operation.name": "invoke_agent"}
    with spans.tracer.start_as_current_span("agent", attributes=agent_attributes):
        record_chat(spans, "q", "a")
    attributes = get_attributes(translator.translate(spans.take()), "agent")
    assert attributes["mlflow.spanType"] == "AGENT"
    assert attributes["mlflow.spanInputs"] == encode_inputs("q")


def start_agent(spans, name="invoke_agent a", **attributes):
    return spans.tracer.start_as_current_span(
        name, attributes={"gen_ai.operation.name": "invoke_agent", **attributes}
    )


@pytest.mark.parametrize("batch_size", [1, 9])
def test_an_agent_within_a_trace_shows_the_conversation_beneath_it(
    translator, spans, batch_size
):
    with spans.tracer.start_as_current_span("POST /ask"):
        record_chat(spans, "Before?", "Yes.")
        with start_agent(spans), spans.tracer.start_as_current_span("step"):
            record_chat(spans, "First?", "One.")
            with start_agent(spans, "invoke_agent b"):
                record_chat(spans, "Second?", "Two.")
        record_chat(spans, "After?", "Three.")
    finished_spans = spans.take()
    translated = []
    for start in range(0, len(finished_spans), batch_size):
        batch = finished_spans[start : start + batch_size]
        translated += translator.translate(batch)
    for name, question, answer in (
        ("invoke_agent b", "Second?", "Two."),
        ("invoke_agent a", "First?", "Two."),
        ("POST /ask", "Before?", "Three."),
    ):
        attributes = get_attributes(translated, name)
        assert attributes["mlflow.spanInputs"] == encode_inputs(question)
        assert attributes["mlflow.spanOutputs"] == encode_outputs(answer)
    assert get_attributes(translated, "step") == {}
    assert not translator._summaries


def test_inputs_of_an_agent_within_a_trace_are_not_replaced(translator, spans):
    inputs = {"gen_ai.input.messages": encode_messages("user", "Mine?")}
    with spans.tracer.start_as_current_span("POST /ask"), start_agent(spans, **inputs):
        record_chat(spans, "q", "a")
    attributes = get_attributes(translator.translate(spans.take()), "invoke_agent a")
    assert attributes["mlflow.spanInputs"] == encode_inputs("Mine?")
    assert attributes["mlflow.spanOutputs"] == encode_outputs("a")
