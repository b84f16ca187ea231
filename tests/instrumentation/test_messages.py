from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from inline_snapshot import snapshot
from openai.types.chat import ChatCompletionMessage

from opentelemetry.instrumentation.deepseek._messages import (
    input_messages,
    tool_definitions,
)

from .conftest import SAMPLES


def test_tool_turn_keeps_order_reasoning_and_ids() -> None:
    request = json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes())

    assert input_messages(request["messages"]) == snapshot(
        [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "Weather in Hangzhou and Beijing?"}
                ],
            },
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "reasoning",
                        "content": "The user wants the weather in two cities. "
                        "I should call the tool once per city.",
                    },
                    {
                        "type": "tool_call",
                        "id": "call_00_9V0vrf86Pc9aelHCJMZqnJBo",
                        "name": "get_weather",
                        "arguments": {"location": "Hangzhou"},
                    },
                    {
                        "type": "tool_call",
                        "id": "call_01_Qm2cT7yXk4LwZ0bR8sNvHdEa",
                        "name": "get_weather",
                        "arguments": {"location": "Beijing"},
                    },
                ],
            },
            {
                "role": "tool",
                "parts": [
                    {
                        "type": "tool_call_response",
                        "id": "call_00_9V0vrf86Pc9aelHCJMZqnJBo",
                        "response": "24C",
                    }
                ],
            },
            {
                "role": "tool",
                "parts": [
                    {
                        "type": "tool_call_response",
                        "id": "call_01_Qm2cT7yXk4LwZ0bR8sNvHdEa",
                        "response": "18C",
                    }
                ],
            },
        ]
    )
    assert tool_definitions(request["tools"]) == snapshot(
        [
            {
                "type": "function",
                "name": "get_weather",
                "description": "Get weather of a location",
                "parameters": {
                    "type": "object",
                    "properties": {"location": {"type": "string"}},
                    "required": ["location"],
                },
            }
        ]
    )


def test_sdk_message_is_converted_like_its_json() -> None:
    body = json.loads((SAMPLES / "chat_tool_calls_parallel.json").read_bytes())
    message = body["choices"][0]["message"]

    assert input_messages([ChatCompletionMessage.model_validate(message)]) == (
        input_messages([message])
    )
    assert [part["type"] for part in input_messages([message])[0]["parts"]] == [
        "reasoning",
        "tool_call",
        "tool_call",
    ]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
            {
                "type": "blob",
                "modality": "image",
                "mime_type": "image/png",
                "content": b"\x89PN",
            },
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        ),
        (
            {"type": "file", "file": {"file_id": "file-api-1"}},
            {"type": "file", "modality": "document", "file_id": "file-api-1"},
        ),
        (
            {"type": "file", "file": {"file_data": "data:text/plain,a%20b"}},
            {
                "type": "blob",
                "modality": "document",
                "mime_type": "text/plain",
                "content": b"a b",
            },
        ),
        (
            {"type": "text", "text": "What is this?"},
            {"type": "text", "content": "What is this?"},
        ),
        (
            {"type": "hologram", "of": 1},
            {"type": "text", "content": '{"type": "hologram", "of": 1}'},
        ),
        ({"type": "image_url"}, {"type": "text", "content": '{"type": "image_url"}'}),
        ({"type": "file"}, {"type": "text", "content": '{"type": "file"}'}),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}},
            {
                "type": "text",
                "content": '{"type": "image_url", '
                '"image_url": {"url": "data:image/png;base64,?"}}',
            },
        ),
    ],
)
def test_content_parts_keep_their_type(content: Any, part: Any) -> None:
    assert input_messages([{"role": "user", "content": [content]}]) == [
        {"role": "user", "parts": [part]}
    ]


@pytest.mark.parametrize("content", [None, "", []])
def test_empty_content_has_no_parts(content: object) -> None:
    assert input_messages([{"role": "assistant", "content": content}]) == [
        {"role": "assistant", "parts": []}
    ]


def test_arguments_without_valid_json_stay_text() -> None:
    (message,) = input_messages(
        [
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "1", "function": {"name": "f", "arguments": '{"cut'}},
                    SimpleNamespace(id=None, function=None),
                ],
            }
        ]
    )
    assert message["parts"] == [
        {"type": "tool_call", "id": "1", "name": "f", "arguments": '{"cut'},
        {"type": "tool_call", "name": ""},
    ]


def test_server_side_tool_keeps_its_type() -> None:
    search = {"type": "deepseek_web_search", "name": "deepseek_web_search"}
    assert tool_definitions([search]) == [search]


@pytest.mark.parametrize("value", [None, "text", b"bytes", 1, iter([{}])])
def test_value_other_than_a_list_has_no_messages(value: object) -> None:
    assert input_messages(value) == []


def test_name_of_a_message_is_recorded() -> None:
    assert input_messages([{"role": "user", "name": "ada", "content": "Hi"}]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}], "name": "ada"}
    ]


class RaisingDict(dict[str, Any]):
    def get(self, *_: Any) -> Any:
        raise RuntimeError("an error message")


@pytest.mark.internal_error
def test_unreadable_message_becomes_a_placeholder(
    caplog: pytest.LogCaptureFixture,
) -> None:
    valid = {"role": "user", "content": "Hi"}
    assert input_messages([valid, RaisingDict(), valid]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
        {"role": "unknown", "parts": [{"type": "text", "content": "[unreadable]"}]},
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
    ]
    assert "reading a message failed with" in caplog.text
    assert "an error message" not in caplog.text


@pytest.mark.parametrize(
    ("arguments", "recorded"),
    [
        ("[" * 100_000, "[" * 100_000),
        ('{"a": NaN, "b": 1}', '{"a": NaN, "b": 1}'),
        (b"{}", b"{}"),
        (f'{{"n": {2**70}}}', {"n": 2**70}),
    ],
)
def test_odd_arguments_are_recorded_as_far_as_possible(
    arguments: Any, recorded: Any
) -> None:
    call = {"id": "1", "function": {"name": "f", "arguments": arguments}}
    (message,) = input_messages([{"role": "assistant", "tool_calls": [call]}])
    assert message["parts"][0]["arguments"] == recorded


def test_circular_reference_is_cut() -> None:
    item: dict[str, Any] = {"type": "odd"}
    item["self"] = item
    (message,) = input_messages([{"role": "user", "content": [item]}])
    assert message["parts"] == [{"type": "text", "content": '{"type": "odd"}'}]
