"""Messages in span events. test_message_events_in_mlflow.py has those of libraries."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import Event

from opentelemetry.exporter.mlflow import mlflow_attributes
from opentelemetry.exporter.mlflow._mapping._message_events import with_event_messages


def event(suffix, **attributes):
    return Event(
        f"gen_ai.{suffix}",
        {name.replace("__", "."): value for name, value in attributes.items()},
    )


def messages_and_choices(*events):
    """The messages and choices that are sent to MLflow."""
    mapped = mlflow_attributes(with_event_messages({}, events))
    inputs = json.loads(mapped.get("mlflow.spanInputs", "{}"))
    outputs = json.loads(mapped.get("mlflow.spanOutputs", "{}"))
    return inputs.get("messages"), outputs.get("choices")


QUESTION = event("user.message", content="Weather?")
ANSWER = event("choice", content="21 °C", finish_reason="stop")


@pytest.mark.parametrize(
    "choice",
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
def test_all_forms_of_a_choice_are_read(choice):
    message = {"role": "assistant", "content": "21 °C"}
    assert messages_and_choices(QUESTION, choice) == (
        [{"role": "user", "content": "Weather?"}],
        [{"index": 0, "message": message, "finish_reason": "stop"}],
    )


def test_body_that_is_not_json_is_text():
    message = event("user.message", gen_ai__event__content="[Weather?")
    assert messages_and_choices(message) == (
        [{"role": "user", "content": "[Weather?"}],
        None,
    )


def test_all_parts_of_a_message_are_read():
    tool_call = {
        "id": "c",
        "type": "function",
        "function": {"name": "w", "arguments": "{}"},
    }
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    reasoning = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    tool_use = {"toolUseId": "d", "name": "w", "input": {"city": "Paris"}}
    tool_result = [{"json": {"degrees": 21}}]
    messages, _ = messages_and_choices(
        event("user.message", content=[{"text": "This?"}, image, {"page": 1}]),
        event(
            "assistant.message", content=[reasoning], tool_calls=json.dumps([tool_call])
        ),
        event("tool.message", content="21 °C", id="c"),
        event("assistant.message", tool_calls=[tool_call, "text"]),
        event("assistant.message", content=[{"toolUse": tool_use}]),
        event("tool.message", gen_ai__event__content='{"content": "1", "id": "c"}'),
        event(
            "tool.message",
            content=[{"toolResult": {"toolUseId": "d", "content": tool_result}}],
        ),
    )
    assert messages == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "This?"},
                image,
                {"type": "text", "text": '{"page": 1}'},
            ],
        },
        {
            "role": "assistant",
            "content": "",
            "reasoning": "Hm.",
            "tool_calls": [tool_call],
        },
        {"role": "tool", "tool_call_id": "c", "content": "21 °C"},
        {
            "role": "assistant",
            "content": "text",
            "tool_calls": [tool_call],
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


def test_tool_span_gets_arguments_and_result():
    attributes = {"gen_ai.operation.name": "execute_tool"}
    events = (
        event("tool.message", content='{"city": "Paris"}'),
        event("choice", message='{"degrees": 21}'),
        event("user.message", content="of another event"),
    )
    mapped = mlflow_attributes(with_event_messages(attributes, events))
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
def test_span_attributes_take_precedence_over_events(attributes):
    assert with_event_messages(attributes, [QUESTION, ANSWER]) == attributes


@pytest.mark.parametrize("operation", ["chat", "execute_tool"])
def test_events_without_content_add_no_message(operation):
    attributes = {"gen_ai.operation.name": operation}
    events = [
        event("user.message", gen_ai__system="az.ai.inference"),
        event("tool.message", id="c"),
        event("choice", finish_reason="stop"),
    ]
    assert with_event_messages(attributes, events) == attributes


def test_attributes_are_unchanged_without_message_events():
    attributes = {"a": 1}
    assert with_event_messages(attributes, [Event("exception")]) is attributes
    assert with_event_messages(None, []) is None


def test_attributes_are_unchanged_if_a_message_is_invalid():
    attributes = {"a": 1}
    invalid = event("user.message", content=b"\xff")
    assert with_event_messages(attributes, [invalid]) is attributes


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(("content", "text", "function", "name", "toolUse", "json")),
            inner,
            max_size=2,
        )
    ),
    max_leaves=6,
)


@given(
    st.sampled_from(("user.message", "tool.message", "choice")),
    st.dictionaries(
        st.sampled_from(("content", "message", "tool_calls", "gen_ai.event.content")),
        JSON_VALUES | JSON_VALUES.map(json.dumps),
    ),
    st.sampled_from(("chat", "execute_tool")),
)
def test_events_with_any_body_never_raise(suffix, body, operation):
    attributes = {"gen_ai.operation.name": operation}
    mapped = mlflow_attributes(
        with_event_messages(attributes, [Event(f"gen_ai.{suffix}", body)])
    )
    assert "opentelemetry.exporter.mlflow.unparsed" not in mapped


def test_first_of_several_events_counts():
    """Strands Agents adds a second event with the result of a cycle as its input."""
    name = "client.inference.operation.details"
    events = [event(name, gen_ai__input__messages=f'["{number}"]') for number in (1, 2)]
    assert with_event_messages(None, events) == {"gen_ai.input.messages": '["1"]'}
