"""The Responses API: what is asked and answered becomes messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from examples.simulator import Recorded

from .attributes import said
from .conftest import SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_a_response_cut_half_way_keeps_what_came(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    events = (SAMPLES / "responses_stream.sse").read_bytes().split(b"\n\n")
    function = (
        (
            b'data: {"type":"response.output_item.added","output_index":2,"item":'
            b'{"type":"function_call","call_id":"c1","name":"f","arguments":""}}'
        ),
        (
            b'data: {"type":"response.function_call_arguments.delta","output_index":2,'
            b'"delta":"{}"}'
        ),
    )
    body = b"\n\n".join([*events[:13], *function]) + b"\n\n"
    deepseek.answer_next(
        Recorded(headers={"content-type": "text/event-stream"}, body=body)
    )

    call(of="responses", model="deepseek-flash", input="Say hi.", stream=True)

    assert telemetry.span.attributes["error.type"] == "stream_cut"
    assert said(telemetry, "output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Say hi."},
                {"type": "text", "content": "Hi"},
                {"type": "tool_call", "id": "c1", "name": "f", "arguments": {}},
            ],
            "finish_reason": "error",
        }
    ]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (
            "responses_tool_call.json",
            [
                {"type": "reasoning", "content": "Say hi."},
                {
                    "type": "tool_call",
                    "id": "call_00_jOIPxYeE37C0EzYfZExo9482",
                    "name": "weather",
                    "arguments": {"location": "San Francisco"},
                },
            ],
        ),
        (
            "responses_web_search.json",
            [
                {"type": "reasoning", "content": "Say hi."},
                {
                    "type": "server_tool_call",
                    "id": "call_00_CImoyrAPGN4skyWlDjL45535",
                    "name": "web_search",
                    "server_tool_call": {
                        "type": "web_search",
                        "action": {
                            "type": "search",
                            "queries": [
                                "2026 FIFA World Cup winner",
                                "ws_call_id=call_00_CImoyrAPGN4skyWlDjL45535",
                            ],
                        },
                    },
                },
                {"type": "text", "content": "Hi there"},
            ],
        ),
    ],
)
def test_the_tools_of_a_response_keep_their_kind(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    parts: Any,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample(name))
    call(of="responses", model="deepseek-flash", input="Say hi.")
    assert said(telemetry, "output.messages")[0]["parts"] == parts


def test_the_items_of_an_input_become_messages(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("responses.json"))
    call(
        of="responses",
        model="deepseek-flash",
        instructions="Be brief.",
        tools=[{"type": "function", "name": "f", "parameters": {}}],
        input=[
            {"role": "user", "content": "Hi"},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "See"},
                    {"type": "input_image", "image_url": "https://example.com/a.png"},
                    {"type": "input_hologram"},
                ],
            },
            {"type": "reasoning", "summary": [{"text": "Call "}, {"text": "f."}]},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "done"},
            {"type": "item_reference", "id": "x"},
        ],
    )
    assert said(telemetry, "system_instructions") == [
        {"type": "text", "content": "Be brief."}
    ]
    assert said(telemetry, "tool.definitions") == [
        {"type": "function", "name": "f", "parameters": {}}
    ]
    assert said(telemetry, "input.messages") == snapshot(
        [
            {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "See"},
                    {
                        "modality": "image",
                        "uri": "https://example.com/a.png",
                        "type": "uri",
                    },
                    {"type": "text", "content": '{"type": "input_hologram"}'},
                ],
            },
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Call f."},
                    {"type": "tool_call", "id": "1", "name": "f", "arguments": {}},
                ],
            },
            {
                "role": "tool",
                "parts": [
                    {"type": "tool_call_response", "id": "1", "response": "done"}
                ],
            },
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": '{"type": "item_reference", "id": "x"}'}
                ],
            },
        ]
    )
