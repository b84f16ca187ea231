"""Messages on events of a span; test_in_mlflow_events.py has what libraries write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import Event

from opentelemetry.exporter.mlflow import mlflow_attributes
from opentelemetry.exporter.mlflow._mapping._message_events import with_messages


def event(of, **attributes):
    return Event(
        f"gen_ai.{of}",
        {name.replace("__", "."): value for name, value in attributes.items()},
    )


def asked_and_answered(*events, **attributes):
    """The messages of both sides, as MLflow is sent them."""
    mapped = mlflow_attributes(with_messages(attributes, events))
    inputs = json.loads(mapped.get("mlflow.spanInputs", "{}"))
    outputs = json.loads(mapped.get("mlflow.spanOutputs", "{}"))
    return inputs.get("messages"), outputs.get("choices")


QUESTION = event("user.message", content="Weather?")
ANSWER = event("choice", content="21 °C", finish_reason="stop")


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        event("choice", message="21 °C", finish_reason="stop"),
        event("choice", message='{"content": "21 °C"}', finish_reason="stop"),
        event("choice", message={"content": [{"text": "21 °C"}]}, finish_reason="stop"),
        event(
            "choice",
            gen_ai__event__content=json.dumps(
                {"message": {"content": "21 °C"}, "finish_reason": "stop"}
            ),
        ),
    ],
)
def test_question_and_answer_are_seen_however_they_are_written(answer):
    message = {"role": "assistant", "content": "21 °C"}
    assert asked_and_answered(QUESTION, answer) == (
        [{"role": "user", "content": "Weather?"}],
        [{"index": 0, "message": message, "finish_reason": "stop"}],
    )


def test_a_body_that_is_no_json_is_what_was_said():
    said = event("user.message", gen_ai__event__content="[Weather?")
    assert asked_and_answered(said) == (
        [{"role": "user", "content": "[Weather?"}],
        None,
    )


def test_each_part_of_a_message_is_seen():
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": "{}"}}
    picture = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    thought = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    use = {"toolUseId": "d", "name": "w", "input": {"city": "Paris"}}
    table = [{"json": {"degrees": 21}}]
    asked, _ = asked_and_answered(
        event("user.message", content=[{"text": "This?"}, picture, {"page": 1}]),
        event("assistant.message", content=[thought], tool_calls=json.dumps([call])),
        event("tool.message", content="21 °C", id="c"),
        event("assistant.message", tool_calls=[call, "odd"]),
        event("assistant.message", content=[{"toolUse": use}]),
        event("tool.message", gen_ai__event__content='{"content": "1", "id": "c"}'),
        event(
            "tool.message",
            content=[{"toolResult": {"toolUseId": "d", "content": table}}],
        ),
    )
    assert asked == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "This?"},
                picture,
                {"type": "text", "text": '{"page": 1}'},
            ],
        },
        {
            "role": "assistant",
            "content": "",
            "reasoning": "Hm.",
            "tool_calls": [call],
        },
        {"role": "tool", "tool_call_id": "c", "content": "21 °C"},
        {
            "role": "assistant",
            "content": "odd",
            "tool_calls": [call],
        },
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "d",
                    "type": "function",
                    "function": {"name": "w", "arguments": '{"city": "Paris"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "1"},
        {
            "role": "tool",
            "tool_call_id": "d",
            "content": '[{"json": {"degrees": 21}}]',
        },
    ]


def test_a_tools_span_has_arguments_and_result():
    tool = {"gen_ai.operation.name": "execute_tool"}
    events = (
        event("tool.message", content='{"city": "Paris"}'),
        event("choice", message='{"degrees": 21}'),
        event("user.message", content="of another place"),
    )
    mapped = mlflow_attributes(with_messages(tool, events))
    assert (mapped["mlflow.spanInputs"], mapped["mlflow.spanOutputs"]) == (
        '{"city": "Paris"}',
        '{"degrees": 21}',
    )


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.input.messages": "[]", "gen_ai.output.messages": "[]"},
        {"mlflow.spanInputs": "1", "mlflow.spanOutputs": "2"},
    ],
)
def test_what_stands_on_the_span_goes_before_its_events(attributes):
    assert with_messages(attributes, [QUESTION, ANSWER]) == attributes


@pytest.mark.parametrize("operation", ["chat", "execute_tool"])
def test_without_content_there_is_no_message(operation):
    attributes = {"gen_ai.operation.name": operation}
    events = [
        event("user.message", gen_ai__system="az.ai.inference"),
        event("tool.message", id="c"),
        event("choice", finish_reason="stop"),
    ]
    assert with_messages(attributes, events) == attributes


def test_other_events_are_nothing_to_read():
    attributes = {"a": 1}
    assert with_messages(attributes, [Event("exception")]) is attributes
    assert with_messages(None, []) is None


def test_what_cannot_be_read_changes_nothing():
    attributes = {"a": 1}
    unreadable = event("user.message", content=b"\xff")
    assert with_messages(attributes, [unreadable]) is attributes


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda some: (
        st.lists(some, max_size=2)
        | st.dictionaries(
            st.sampled_from(("content", "text", "function", "name", "toolUse", "json")),
            some,
            max_size=2,
        )
    ),
    max_leaves=6,
)


@given(
    st.sampled_from(("user.message", "tool.message", "choice")),
    st.dictionaries(
        st.sampled_from(("content", "message", "tool_calls", "gen_ai.event.content")),
        ANYTHING | ANYTHING.map(json.dumps),
    ),
    st.sampled_from(("chat", "execute_tool")),
)
def test_nothing_written_there_raises(of, body, operation):
    attributes = {"gen_ai.operation.name": operation}
    mapped = mlflow_attributes(with_messages(attributes, [Event(f"gen_ai.{of}", body)]))
    assert "opentelemetry.exporter.mlflow.unparsed" not in mapped


def test_of_the_same_twice_the_first_is_taken():
    """Strands Agents writes a cycle's result as its input, once more."""
    name = "client.inference.operation.details"
    events = [event(name, gen_ai__input__messages=f'["{at}"]') for at in (1, 2)]
    assert with_messages(None, events) == {"gen_ai.input.messages": '["1"]'}
