"""What a model call says is inputs and outputs in MLflow, in OpenAI's words."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow import mlflow_attributes
from opentelemetry.exporter.mlflow._mapping import UNPARSED

from .conversation import ANSWER, CHAT, KEPT, QUESTION, dumped, said


def test_a_chat_span_is_a_conversation():
    mapped = mlflow_attributes(CHAT)
    for name in ("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.chat.tools"):
        mapped[name] = json.loads(mapped[name])
    assert mapped == KEPT | {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.spanInputs": {
            "model": "deepseek-chat",
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Weather?"},
            ],
            "max_tokens": 256,
            "reasoning_effort": "high",
            "stop": ["END"],
            "stream": True,
            "temperature": 0.2,
        },
        "mlflow.message.format": "openai",
        "mlflow.spanOutputs": {
            "id": "r-1",
            "model": "deepseek-v4-flash",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "21 °C"},
                    "finish_reason": "insufficient_system_resource",
                }
            ],
        },
        "mlflow.chat.tools": [{"type": "function", "function": {"name": "weather"}}],
    }


def test_what_is_given_does_not_change():
    given = dict(CHAT)
    mlflow_attributes(given)
    assert given == CHAT


def test_without_content_there_are_no_inputs_and_outputs():
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    assert mlflow_attributes(attributes) == {
        **attributes,
        "mlflow.spanType": "CHAT_MODEL",
    }
    assert mlflow_attributes(None) == {}


def test_what_mlflow_knows_already_goes_before_ours():
    own = {
        "mlflow.spanType": "PARSER",
        "mlflow.spanInputs": '"in"',
        "mlflow.spanOutputs": '"out"',
        "mlflow.chat.tools": "[]",
    }
    assert mlflow_attributes(CHAT | own) == CHAT | own


def test_the_format_of_foreign_inputs_stays():
    attributes = {
        "mlflow.message.format": "langchain",
        "gen_ai.output.messages": ANSWER,
    }
    assert mlflow_attributes(attributes)["mlflow.message.format"] == "langchain"


@pytest.mark.parametrize("operation", ["invoke_agent", "text_completion", "chat"])
def test_messages_are_messages_whatever_the_operation(operation):
    mapped = mlflow_attributes(
        {"gen_ai.operation.name": operation, "gen_ai.input.messages": QUESTION}
    )
    assert json.loads(mapped["mlflow.spanInputs"]) == {
        "messages": [{"role": "user", "content": "Weather?"}]
    }


def test_a_number_that_json_does_not_know_is_left_out_of_the_inputs():
    mapped = mlflow_attributes(
        {"gen_ai.input.messages": QUESTION, "gen_ai.request.temperature": float("nan")}
    )
    assert "temperature" not in json.loads(mapped["mlflow.spanInputs"])


def test_structured_messages_are_read_as_well():
    mapped = mlflow_attributes({"gen_ai.input.messages": (said("user", "hi"),)})
    assert json.loads(mapped["mlflow.spanInputs"])["messages"] == [
        {"role": "user", "content": "hi"}
    ]


BROKEN = [
    "{",
    "",
    "text",
    "1",
    '"text"',
    "{}",
    "[1]",
    '[{"parts": 1}]',
    "[" * 100_000,
    "\ud800",
    7,
    True,
    b"bytes",
    ({"parts": [{"type": "tool_call", "arguments": b"bytes"}]},),
]


@pytest.mark.parametrize("name", ["gen_ai.input.messages", "gen_ai.output.messages"])
@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_message_attribute_stays_as_it_is(name, broken):
    assert mlflow_attributes({name: broken}) == {name: broken, UNPARSED: (name,)}


def test_broken_instructions_keep_the_messages_from_being_moved():
    attributes = {
        "gen_ai.system_instructions": "{",
        "gen_ai.input.messages": QUESTION,
    }
    assert mlflow_attributes(attributes) == attributes | {
        UNPARSED: ("gen_ai.system_instructions", "gen_ai.input.messages")
    }


def test_sound_is_a_sound():
    blob = {"type": "blob", "modality": "audio", "mime_type": "audio/wav"}
    messages = [{"role": "user", "parts": [{**blob, "content": "UklGRg=="}]}]
    mapped = mlflow_attributes({"gen_ai.input.messages": dumped(messages)})
    assert json.loads(mapped["mlflow.spanInputs"])["messages"][0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    ]
