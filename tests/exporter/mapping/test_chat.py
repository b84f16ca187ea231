"""The messages and tools of the conventions, as OpenAI writes them."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow._mapping._chat import (
    UnknownShapeError,
    chat_choices,
    chat_messages,
    system_messages,
    text_of,
)
from opentelemetry.exporter.mlflow._mapping._tools import chat_tools


def text(content):
    return {"type": "text", "content": content}


def test_a_turn_with_reasoning_and_tools_is_what_the_view_renders():
    assert chat_messages(
        [
            {"role": "user", "parts": [text("Weather in Paris?")]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "I need the tool."},
                    {"type": "reasoning", "content": "For Paris."},
                    text("Let me look."),
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


def test_arguments_that_did_not_parse_stay_the_text_they_were():
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


def test_a_tool_result_stands_before_what_the_user_says_with_it():
    assert chat_messages(
        [
            {
                "role": "user",
                "parts": [
                    text("And tomorrow?"),
                    {"type": "tool_call_response", "id": "c1", "response": None},
                ],
            }
        ]
    ) == [
        {"role": "tool", "tool_call_id": "c1", "content": ""},
        {"role": "user", "content": "And tomorrow?"},
    ]


@pytest.mark.parametrize(
    ("role", "rendered"),
    [
        ("developer", {"role": "system"}),
        ("function", {"role": "tool"}),
        ("model", {"role": "assistant"}),
        ("critic", {"role": "user", "name": "critic"}),
        (None, {"role": "user"}),
        ({}, {"role": "user"}),
    ],
)
def test_a_role_the_view_does_not_know_becomes_one_it_knows(role, rendered):
    assert chat_messages([{"role": role, "parts": [text("x")]}]) == [
        {**rendered, "content": "x"}
    ]


def test_the_name_of_a_participant_stays():
    assert chat_messages([{"role": "user", "name": "ann", "parts": []}]) == [
        {"role": "user", "content": "", "name": "ann"}
    ]


def test_images_are_data_or_links_between_the_texts():
    assert chat_messages(
        [
            {
                "role": "user",
                "parts": [
                    text("What is this?"),
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


def test_a_part_without_a_counterpart_is_shown_as_it_is_written():
    part = {"type": "file", "modality": "document", "file_id": "f-1"}
    assert chat_messages([{"role": "user", "parts": [part, text("Sum it up")]}]) == [
        {
            "role": "user",
            "content": '{"type": "file", "modality": "document", "file_id": "f-1"}\n'
            "Sum it up",
        }
    ]


def test_instructions_are_one_system_message():
    assert system_messages([text("Be kind."), text("Be brief.")]) == [
        {"role": "system", "content": "Be kind.\nBe brief."}
    ]
    assert system_messages([]) == []


def test_every_output_message_is_a_choice():
    assert chat_choices(
        [
            {"role": "assistant", "finish_reason": "stop", "parts": [text("a")]},
            {"role": "critic", "parts": [text("b")]},
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


def test_tool_definitions_are_nested():
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
    "broken",
    [
        None,
        "text",
        1,
        {},
        ["text"],
        [None],
        [{"parts": "text"}],
        # Not in parts: it would be lost.
        [{"role": "user", "content": "text"}],
    ],
)
def test_what_the_conventions_do_not_know_is_refused(broken):
    with pytest.raises(UnknownShapeError):
        chat_messages(broken)
    with pytest.raises(UnknownShapeError):
        chat_choices(broken)


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ({"content": "a"}, "a"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}, "a"),
        ({"content": None}, ""),
        ({}, ""),
        (None, ""),
        ("a", ""),
    ],
)
def test_what_is_written_in_a_message(message, written):
    assert text_of(message) == written


@pytest.mark.parametrize("part_type", ["reasoning", "thinking"])
def test_reasoning_has_two_names(part_type):
    parts = [
        {"type": part_type, "content": "Hm."},
        {"type": "text", "content": "No."},
    ]
    assert chat_messages([{"role": "assistant", "parts": parts}]) == [
        {"role": "assistant", "content": "No.", "reasoning": "Hm."}
    ]
