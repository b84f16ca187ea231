"""Root spans of traces with attributes of other conventions."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator


def get_root_inputs_and_outputs(spans, attributes, *, root_attributes=None):
    tracer = spans.tracer
    with (
        tracer.start_as_current_span("POST /ask", attributes=root_attributes),
        tracer.start_as_current_span("call", attributes=attributes),
    ):
        pass
    translated = BatchTranslator(promote_remote_root=True).translate(spans.take())
    (root,) = [span for span in translated if span.name == "POST /ask"]
    return tuple(
        None if (value := root.attributes.get(name)) is None else json.loads(value)
        for name in ("mlflow.spanInputs", "mlflow.spanOutputs")
    )


def make_request(*messages):
    return {
        "messages": [{"role": role, "content": content} for role, content in messages]
    }


def make_response(content):
    return {"choices": [{"message": {"role": "assistant", "content": content}}]}


OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.content": "Rain?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "No.",
}
OPENINFERENCE_PARTS = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": "Rain?",
    "llm.output_messages.0.message.contents.0.message_content.text": "No.",
}
TRACELOOP = {
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": "Rain?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "No.",
}


@pytest.mark.parametrize("attributes", [OPENINFERENCE, OPENINFERENCE_PARTS, TRACELOOP])
def test_a_root_shows_question_and_answer_of_indexed_messages(spans, attributes):
    assert get_root_inputs_and_outputs(spans, attributes) == (
        make_request(("user", "Rain?")),
        make_response("No."),
    )


@pytest.mark.parametrize(
    "attributes",
    [
        {"llm.input_messages.0.message.role": "system"},
        {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": 7},
        {"gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "Rain?"},
    ],
)
def test_indexed_messages_without_text_leave_the_root_empty(spans, attributes):
    assert get_root_inputs_and_outputs(spans, attributes) == (None, None)


CHAT_ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "Rain?"}]}]
    ),
}


def test_an_agent_with_only_instructions_shows_the_question_of_its_call(spans):
    agent_attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.system_instructions": json.dumps(
            [{"type": "text", "content": "Be brief."}]
        ),
    }
    inputs, outputs = get_root_inputs_and_outputs(
        spans, CHAT_ATTRIBUTES, root_attributes=agent_attributes
    )
    assert inputs == make_request(("system", "Be brief."), ("user", "Rain?"))
    assert outputs is None


@pytest.mark.parametrize(
    "inputs",
    [
        '{"messages": [{"role": "user", "content": "Sun?"}]}',
        '{"messages": [{"role": "assistant", "content": "Yes."}]}',
        '{"messages": []}',
        '{"city": "Paris"}',
        "no JSON",
    ],
)
def test_inputs_with_more_than_instructions_are_not_replaced(spans, inputs):
    tracer = spans.tracer
    with (
        tracer.start_as_current_span("job", attributes={"mlflow.spanInputs": inputs}),
        tracer.start_as_current_span("call", attributes=CHAT_ATTRIBUTES),
    ):
        pass
    *_, root = BatchTranslator(promote_remote_root=True).translate(spans.take())
    assert root.attributes["mlflow.spanInputs"] == inputs
