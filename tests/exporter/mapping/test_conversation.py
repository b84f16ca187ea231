"""Messages of a model call become inputs and outputs in OpenAI's format."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow import mlflow_attributes
from opentelemetry.exporter.mlflow._mapping import UNPARSED

from .chat_span import (
    CHAT_ATTRIBUTES,
    INPUT_MESSAGES,
    OUTPUT_MESSAGES,
    UNMAPPED_ATTRIBUTES,
    text_message,
    to_json,
)


def test_chat_span_gets_inputs_and_outputs():
    mapped = mlflow_attributes(CHAT_ATTRIBUTES)
    for name in ("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.chat.tools"):
        mapped[name] = json.loads(mapped[name])
    assert mapped == UNMAPPED_ATTRIBUTES | {
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


def test_argument_is_unchanged():
    attributes = dict(CHAT_ATTRIBUTES)
    mlflow_attributes(attributes)
    assert attributes == CHAT_ATTRIBUTES


def test_span_without_content_gets_no_inputs_and_outputs():
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    assert mlflow_attributes(attributes) == {
        **attributes,
        "mlflow.spanType": "CHAT_MODEL",
    }
    assert mlflow_attributes(None) == {}


def test_existing_mlflow_attributes_are_kept():
    existing = {
        "mlflow.spanType": "PARSER",
        "mlflow.spanInputs": '"in"',
        "mlflow.spanOutputs": '"out"',
        "mlflow.chat.tools": "[]",
    }
    assert mlflow_attributes(CHAT_ATTRIBUTES | existing) == CHAT_ATTRIBUTES | existing


def test_existing_message_format_is_kept():
    attributes = {
        "mlflow.message.format": "langchain",
        "gen_ai.output.messages": OUTPUT_MESSAGES,
    }
    assert mlflow_attributes(attributes)["mlflow.message.format"] == "langchain"


@pytest.mark.parametrize("operation", ["invoke_agent", "text_completion", "chat"])
def test_messages_are_mapped_for_all_operations(operation):
    mapped = mlflow_attributes(
        {"gen_ai.operation.name": operation, "gen_ai.input.messages": INPUT_MESSAGES}
    )
    assert json.loads(mapped["mlflow.spanInputs"]) == {
        "messages": [{"role": "user", "content": "Weather?"}]
    }


def test_nan_is_left_out_of_the_inputs():
    mapped = mlflow_attributes(
        {
            "gen_ai.input.messages": INPUT_MESSAGES,
            "gen_ai.request.temperature": float("nan"),
        }
    )
    assert "temperature" not in json.loads(mapped["mlflow.spanInputs"])


def test_messages_that_are_not_serialized_are_mapped():
    mapped = mlflow_attributes({"gen_ai.input.messages": (text_message("user", "hi"),)})
    assert json.loads(mapped["mlflow.spanInputs"])["messages"] == [
        {"role": "user", "content": "hi"}
    ]


INVALID_VALUES = [
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
@pytest.mark.parametrize("value", INVALID_VALUES, ids=range(len(INVALID_VALUES)))
def test_invalid_messages_are_kept_and_marked(name, value):
    assert mlflow_attributes({name: value}) == {name: value, UNPARSED: (name,)}


def test_invalid_instructions_prevent_the_mapping_of_messages():
    attributes = {
        "gen_ai.system_instructions": "{",
        "gen_ai.input.messages": INPUT_MESSAGES,
    }
    assert mlflow_attributes(attributes) == attributes | {
        UNPARSED: ("gen_ai.system_instructions", "gen_ai.input.messages")
    }


def test_audio_becomes_input_audio():
    blob = {"type": "blob", "modality": "audio", "mime_type": "audio/wav"}
    messages = [{"role": "user", "parts": [{**blob, "content": "UklGRg=="}]}]
    mapped = mlflow_attributes({"gen_ai.input.messages": to_json(messages)})
    assert json.loads(mapped["mlflow.spanInputs"])["messages"][0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    ]
