from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessage
from opentelemetry.util.genai.types import (
    BlobPart,
    FilePart,
    FunctionToolDefinition,
    GenericToolDefinition,
    InputMessage,
    ReasoningPart,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
    UriPart,
)

from opentelemetry.instrumentation.deepseek._messages import (
    input_messages,
    tool_definitions,
)

from .conftest import SAMPLES


def test_a_tool_turn_keeps_its_order_reasoning_and_ids() -> None:
    request = json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes())

    assert input_messages(request["messages"]) == [
        InputMessage("user", [TextPart("Weather in Hangzhou and Beijing?")]),
        InputMessage(
            "assistant",
            [
                ReasoningPart(
                    "The user wants the weather in two cities. "
                    "I should call the tool once per city."
                ),
                ToolCallRequestPart(
                    {"location": "Hangzhou"},
                    "get_weather",
                    "call_00_9V0vrf86Pc9aelHCJMZqnJBo",
                ),
                ToolCallRequestPart(
                    {"location": "Beijing"},
                    "get_weather",
                    "call_01_Qm2cT7yXk4LwZ0bR8sNvHdEa",
                ),
            ],
        ),
        InputMessage(
            "tool", [ToolCallResponsePart("24C", "call_00_9V0vrf86Pc9aelHCJMZqnJBo")]
        ),
        InputMessage(
            "tool", [ToolCallResponsePart("18C", "call_01_Qm2cT7yXk4LwZ0bR8sNvHdEa")]
        ),
    ]
    assert tool_definitions(request["tools"]) == [
        FunctionToolDefinition(
            "get_weather",
            "Get weather of a location",
            {
                "type": "object",
                "properties": {"location": {"type": "string"}},
                "required": ["location"],
            },
        )
    ]


def test_the_sdks_own_message_may_be_sent_back() -> None:
    answer = json.loads((SAMPLES / "chat_tool_calls_parallel.json").read_bytes())
    raw = answer["choices"][0]["message"]

    assert input_messages([ChatCompletionMessage.model_validate(raw)]) == (
        input_messages([raw])
    )
    assert [type(part) for part in input_messages([raw])[0].parts] == [
        ReasoningPart,
        ToolCallRequestPart,
        ToolCallRequestPart,
    ]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
            [BlobPart("image/png", "image", b"\x89PN"[:3] + b"")],
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            [UriPart(None, "image", "https://example.com/a.png")],
        ),
        (
            {"type": "file", "file": {"file_id": "file-api-1"}},
            [FilePart(None, "document", "file-api-1")],
        ),
        (
            {"type": "file", "file": {"file_data": "data:text/plain,a%20b"}},
            [BlobPart("text/plain", "document", b"a b")],
        ),
        ({"type": "text", "text": "What is this?"}, [TextPart("What is this?")]),
        ({"type": "hologram", "of": 1}, [TextPart('{"type":"hologram","of":1}')]),
        ({"type": "image_url"}, [TextPart('{"type":"image_url"}')]),
        ({"type": "file"}, [TextPart('{"type":"file"}')]),
    ],
)
def test_parts_of_a_content_keep_their_kind(content: Any, parts: Any) -> None:
    assert input_messages([{"role": "user", "content": [content]}]) == [
        InputMessage("user", parts)
    ]


@pytest.mark.parametrize("content", [None, "", []])
def test_no_words_are_no_part(content: object) -> None:
    assert input_messages([{"role": "assistant", "content": content}]) == [
        InputMessage("assistant", [])
    ]


def test_arguments_that_are_no_json_are_kept_as_they_are() -> None:
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
    assert message.parts == [
        ToolCallRequestPart('{"cut', "f", "1"),
        ToolCallRequestPart(None, "", None),
    ]


def test_a_tool_that_deepseek_runs_itself_keeps_its_kind() -> None:
    search = {"type": "deepseek_web_search", "name": "deepseek_web_search"}
    assert tool_definitions([search]) == [
        GenericToolDefinition("deepseek_web_search", "deepseek_web_search")
    ]


@pytest.mark.parametrize("value", [None, "text", b"bytes", 1, iter([{}])])
def test_what_is_no_list_has_no_messages(value: object) -> None:
    assert input_messages(value) == []


def test_a_name_is_kept() -> None:
    assert input_messages([{"role": "user", "name": "ada", "content": "Hi"}]) == [
        InputMessage("user", [TextPart("Hi")], "ada")
    ]
