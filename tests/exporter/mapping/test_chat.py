"""Messages and tools of the conventions, converted to those of OpenAI's API."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow._mapping._chat import (
    UnknownShapeError,
    chat_choices,
    chat_messages,
    message_text,
    system_messages,
)
from opentelemetry.exporter.mlflow._mapping._tools import chat_tools


def text_part(content):
    return {"type": "text", "content": content}


def test_messages_with_reasoning_and_tool_calls():
    assert chat_messages(
        [
            {"role": "user", "parts": [text_part("Weather in Paris?")]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "I need the tool."},
                    {"type": "reasoning", "content": "For Paris."},
                    text_part("Let me look."),
                    {
                        "type": "tool_call",
                        "id": "c1",
                        "name": "weather",
                        "arguments": {"city": "Zürich"},
                    },
                    {"type": "tool_call", "id": "c2", "name": "time"},
                ],
            },
            {
                "role": "tool",
                "parts": [
                    {"type": "tool_call_response", "id": "c1", "response": {"t": 21}},
                    {"type": "tool_call_response", "id": "c2", "result": "noon"},
                ],
            },
        ]
    ) == snapshot(
        [
            {"role": "user", "content": "Weather in Paris?"},
            {
                "role": "assistant",
                "content": "Let me look.",
                "reasoning": """\
I need the tool.
For Paris.\
""",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {
                            "name": "weather",
                            "arguments": '{"city": "Zürich"}',
                        },
                    },
                    {
                        "id": "c2",
                        "type": "function",
                        "function": {"name": "time", "arguments": "{}"},
                    },
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": '{"t": 21}'},
            {"role": "tool", "tool_call_id": "c2", "content": "noon"},
        ]
    )


def test_arguments_that_are_not_json_stay_unchanged():
    (message,) = chat_messages(
        [
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "name": "f", "arguments": '{"a": '}],
            }
        ]
    )
    assert message["tool_calls"][0] == {
        "id": "",
        "type": "function",
        "function": {"name": "f", "arguments": '{"a": '},
    }


def test_tool_result_comes_before_text_of_the_same_message():
    assert chat_messages(
        [
            {
                "role": "user",
                "parts": [
                    text_part("And tomorrow?"),
                    {"type": "tool_call_response", "id": "c1", "response": None},
                ],
            }
        ]
    ) == [
        {"role": "tool", "tool_call_id": "c1", "content": ""},
        {"role": "user", "content": "And tomorrow?"},
    ]


@pytest.mark.parametrize(
    ("role", "chat_message"),
    [
        ("developer", {"role": "system"}),
        ("function", {"role": "tool"}),
        ("model", {"role": "assistant"}),
        ("critic", {"role": "user", "name": "critic"}),
        (None, {"role": "user"}),
        ({}, {"role": "user"}),
    ],
)
def test_unknown_role_becomes_a_known_role(role, chat_message):
    assert chat_messages([{"role": role, "parts": [text_part("x")]}]) == [
        {**chat_message, "content": "x"}
    ]


def test_name_of_a_participant_is_kept():
    assert chat_messages([{"role": "user", "name": "ann", "parts": []}]) == [
        {"role": "user", "content": "", "name": "ann"}
    ]


def test_images_become_data_urls_or_links():
    assert chat_messages(
        [
            {
                "role": "user",
                "parts": [
                    text_part("What is this?"),
                    {
                        "type": "blob",
                        "modality": "image",
                        "mime_type": "image/jpeg",
                        "content": "aGk=",
                    },
                    {"type": "blob", "modality": "image", "content": "aGk="},
                    {"type": "uri", "modality": "image", "uri": "https://x/y.png"},
                ],
            }
        ]
    ) == snapshot(
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/jpeg;base64,aGk="},
                    },
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64,aGk="},
                    },
                    {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                ],
            }
        ]
    )


def test_part_unknown_to_openai_becomes_json_text():
    part = {"type": "file", "modality": "document", "file_id": "f-1"}
    assert chat_messages(
        [{"role": "user", "parts": [part, text_part("Sum it up")]}]
    ) == [
        {
            "role": "user",
            "content": '{"type": "file", "modality": "document", "file_id": "f-1"}\n'
            "Sum it up",
        }
    ]


def test_instructions_become_one_system_message():
    assert system_messages([text_part("Be kind."), text_part("Be brief.")]) == [
        {"role": "system", "content": "Be kind.\nBe brief."}
    ]
    assert system_messages([]) == []


def test_each_output_message_becomes_a_choice():
    assert chat_choices(
        [
            {"role": "assistant", "finish_reason": "stop", "parts": [text_part("a")]},
            {"role": "critic", "parts": [text_part("b")]},
        ]
    ) == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "a"},
            "finish_reason": "stop",
        },
        {
            "index": 1,
            "message": {"role": "assistant", "content": "b", "name": "critic"},
            "finish_reason": None,
        },
    ]


def test_tool_definitions_become_nested():
    nested = {"type": "function", "function": {"name": "f"}, "strict": True}
    assert chat_tools(
        [
            {"type": "function", "name": "f", "parameters": {"type": "object"}},
            {"type": "web_search", "name": "g"},
            nested,
        ]
    ) == [
        {
            "type": "function",
            "function": {"name": "f", "parameters": {"type": "object"}},
        },
        {"type": "function", "function": {"type": "web_search", "name": "g"}},
        nested,
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        1,
        {},
        ["text"],
        [None],
        [{"parts": "text"}],
        # Content outside of parts would be lost.
        [{"role": "user", "content": "text"}],
    ],
)
def test_value_of_unknown_shape_raises(value):
    with pytest.raises(UnknownShapeError):
        chat_messages(value)
    with pytest.raises(UnknownShapeError):
        chat_choices(value)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "a"}, "a"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}, "a"),
        ({"content": None}, ""),
        ({}, ""),
        (None, ""),
        ("a", ""),
    ],
)
def test_text_of_a_chat_message(message, text):
    assert message_text(message) == text


@pytest.mark.parametrize("part_type", ["reasoning", "thinking"])
def test_both_types_of_reasoning_parts_are_read(part_type):
    parts = [
        {"type": part_type, "content": "Hm."},
        {"type": "text", "content": "No."},
    ]
    assert chat_messages([{"role": "assistant", "parts": parts}]) == [
        {"role": "assistant", "content": "No.", "reasoning": "Hm."}
    ]
