"""Blocks of Anthropic's format become parts of the GenAI conventions."""

from __future__ import annotations

from typing import Any

import pytest

from opentelemetry.instrumentation.deepseek._anthropic_messages import (
    answer_message,
    messages_request_content,
)


def user_parts(*blocks: Any) -> list[Any]:
    content = messages_request_content(
        {"messages": [{"role": "user", "content": blocks}]}
    )
    (message,) = content.input_messages
    return message["parts"]


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "x"}, {"type": "text", "content": "x"}),
        (
            {
                "type": "image",
                "source": {
                    "type": "base64",
                    "media_type": "image/png",
                    "data": "AAAA",
                },
            },
            {
                "type": "blob",
                "mime_type": "image/png",
                "modality": "image",
                "content": b"\0\0\0",
            },
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
            {"type": "uri", "modality": "image", "uri": "https://x/y.png"},
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "file-api-1"}},
            {"type": "file", "modality": "document", "file_id": "file-api-1"},
        ),
        (
            {"type": "document", "source": {"type": "text", "data": "plain"}},
            {"type": "text", "content": "plain"},
        ),
        (
            {"type": "document", "source": {"type": "content"}},
            {
                "type": "text",
                "content": '{"type": "document", "source": {"type": "content"}}',
            },
        ),
        (
            {"type": "search_result", "title": "t"},
            {"type": "text", "content": '{"type": "search_result", "title": "t"}'},
        ),
    ],
)
def test_block_becomes_part(block: Any, part: Any) -> None:
    assert user_parts(block) == [part]


def test_results_of_tools_are_messages_of_the_role_tool() -> None:
    content = messages_request_content(
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "1", "content": "a"},
                        {
                            "type": "tool_result",
                            "tool_use_id": "2",
                            "content": [{"type": "text", "text": "b"}],
                            "is_error": True,
                        },
                        {"type": "text", "text": "go on"},
                    ],
                }
            ]
        }
    )
    assert content.input_messages == [
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "1", "response": "a"},
                {
                    "type": "tool_call_response",
                    "id": "2",
                    "response": [{"type": "text", "text": "b"}],
                },
            ],
        },
        {"role": "user", "parts": [{"type": "text", "content": "go on"}]},
    ]


def test_message_without_content_stays() -> None:
    content = messages_request_content({"messages": [{"role": "user", "content": []}]})
    assert content.input_messages == [{"role": "user", "parts": []}]


def test_server_tools_are_parts_of_the_answer() -> None:
    message = answer_message(
        [
            {
                "type": "server_tool_use",
                "id": "srv_1",
                "name": "web_search",
                "input": {"query": "x"},
            },
            {
                "type": "web_search_tool_result",
                "tool_use_id": "srv_1",
                "content": [{"type": "web_search_result", "url": "https://x"}],
            },
        ],
        "stop",
    )
    assert message["parts"] == [
        {
            "type": "server_tool_call",
            "id": "srv_1",
            "name": "web_search",
            "server_tool_call": {"type": "web_search", "input": {"query": "x"}},
        },
        {
            "type": "server_tool_call_response",
            "id": "srv_1",
            "server_tool_call_response": {
                "type": "web_search_tool_result",
                "content": [{"type": "web_search_result", "url": "https://x"}],
            },
        },
    ]


def test_think_tags_of_gateways_are_reasoning() -> None:
    text = {"type": "text", "text": "<think>hm</think>\n\nThree."}
    assert answer_message([text], "stop")["parts"] == [
        {"type": "reasoning", "content": "hm"},
        {"type": "text", "content": "Three."},
    ]


def test_system_and_tools() -> None:
    content = messages_request_content(
        {
            "system": [
                {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
            ],
            "tools": [
                {"name": "f", "input_schema": {"type": "object"}},
                {"type": "deepseek_web_search", "name": "deepseek_web_search"},
            ],
        }
    )
    assert content.system_instructions == [{"type": "text", "content": "a"}]
    assert content.tool_definitions == [
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
        {"type": "deepseek_web_search", "name": "deepseek_web_search"},
    ]
