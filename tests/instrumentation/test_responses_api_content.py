"""Messages of the Responses API: its input and output items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from examples.simulator import RecordedResponse

from .attributes import content
from .conftest import SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_incomplete_response_has_the_received_messages(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    events = (SAMPLES / "responses_stream.sse").read_bytes().split(b"\n\n")
    function_events = (
        (
            b'data: {"type":"response.output_item.added","output_index":2,"item":'
            b'{"type":"function_call","call_id":"c1","name":"f","arguments":""}}'
        ),
        (
            b'data: {"type":"response.function_call_arguments.delta","output_index":2,'
            b'"delta":"{}"}'
        ),
    )
    body = b"\n\n".join([*events[:13], *function_events]) + b"\n\n"
    deepseek.answer_next(
        RecordedResponse(headers={"content-type": "text/event-stream"}, body=body)
    )

    call(resource="responses", model="deepseek-flash", input="Say hi.", stream=True)

    assert telemetry.span.attributes["error.type"] == "stream_cut"
    assert content(telemetry, "output.messages") == [
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
def test_tool_calls_of_a_response_keep_their_type(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    parts: Any,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample(name))
    call(resource="responses", model="deepseek-flash", input="Say hi.")
    assert content(telemetry, "output.messages")[0]["parts"] == parts


def test_input_items_become_messages(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("responses.json"))
    call(
        resource="responses",
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
    assert content(telemetry, "system_instructions") == [
        {"type": "text", "content": "Be brief."}
    ]
    assert content(telemetry, "tool.definitions") == [
        {"type": "function", "name": "f", "parameters": {}}
    ]
    assert content(telemetry, "input.messages") == snapshot(
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
