"""Text completions (FIM) and the Responses API: one span, and what they have of their
own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from dirty_equals import IsFloat, IsInt, IsStr
from inline_snapshot import snapshot
from opentelemetry.trace import StatusCode
from pydantic import BaseModel

from examples.simulator import Recorded

from .conftest import SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

SECONDS = IsFloat(gt=0, lt=60)
START = {
    "gen_ai.provider.name": "deepseek",
    "server.address": "127.0.0.1",
    "server.port": IsInt(gt=0),
}
FIM = {"model": "deepseek-v4-pro", "prompt": "def fib(a):", "suffix": "    + fib(a-2)"}
TRACED = {"deepseek.response.trace_id": IsStr(regex="[0-9a-f]{32}")}
RESPONSE = {
    **START,
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "deepseek-flash",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.id": "1efe1d97-eba4-4699-847c-8a0b25c8c67e",
    "gen_ai.response.model": "deepseek-flash",
}
RESPONSE_STREAM = (
    RESPONSE
    | TRACED
    | {
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": SECONDS,
        "deepseek.response.time_to_first_reasoning": SECONDS,
        "deepseek.response.time_to_first_answer": SECONDS,
    }
)


def said(telemetry: Telemetry, what: str) -> Any:
    return json.loads(telemetry.span.attributes[f"gen_ai.{what}"])


@pytest.mark.parametrize("method", ["create", "with_raw_response.create"])
def test_a_text_completion_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    method: str,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("fim.json"))

    call(method, of="completions", **FIM, max_tokens=64)

    assert telemetry.span.name == "text_completion deepseek-v4-pro"
    assert said(telemetry, "input.messages") == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "def fib(a):"},
                {"type": "text", "content": "    + fib(a-2)"},
            ],
        }
    ]
    assert said(telemetry, "output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "text",
                    "content": "    if a <= 1:\n        return a\n    return fib(a-1)",
                }
            ],
            "finish_reason": "stop",
        }
    ]
    attributes = {
        name: value
        for name, value in telemetry.span.attributes.items()
        if "messages" not in name
    }
    assert attributes == {
        **START,
        **(TRACED if "raw" in method else {}),
        "gen_ai.operation.name": "text_completion",
        "gen_ai.request.model": "deepseek-v4-pro",
        "gen_ai.request.max_tokens": 64,
        "gen_ai.response.id": "8b1e7f0c-2f0e-4a6f-9f5d-1f3f0a9a7f10",
        "gen_ai.response.model": "deepseek-v4-pro",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 21,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "deepseek.response.system_fingerprint": "aeb56401ca74e127821c4f9126dcb669",
    }


def test_a_streamed_text_completion_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("fim.sse"))

    call(of="completions", **FIM, stream=True)

    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert telemetry.span.attributes["gen_ai.usage.output_tokens"] == 3
    assert said(telemetry, "output.messages")[0]["parts"] == [
        {"type": "text", "content": "    return fib(a-1)"}
    ]


def test_several_prompts_are_several_messages(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("fim.json"))
    call(of="completions", model="deepseek-v4-pro", prompt=["a", "b"])
    assert [m["parts"][0]["content"] for m in said(telemetry, "input.messages")] == [
        "a",
        "b",
    ]


@pytest.mark.parametrize("method", ["create", "with_raw_response.create", "parse"])
def test_a_response_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    method: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("responses.json"))

    call(
        method,
        of="responses",
        model="deepseek-flash",
        input="Say hi.",
        instructions="Be brief.",
        max_output_tokens=99,
        reasoning={"effort": "high"},
        text={"format": {"type": "json_object"}},
    )

    assert telemetry.span.name == "chat deepseek-flash"
    assert telemetry.span.status.status_code is StatusCode.UNSET
    usage = json.loads((SAMPLES / "responses.json").read_bytes())["usage"]
    assert telemetry.span.attributes == RESPONSE | {
        **(TRACED if "raw" in method else {}),
        "gen_ai.request.max_tokens": 99,
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": usage["input_tokens"],
        "gen_ai.usage.output_tokens": usage["output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": usage["output_tokens_details"][
            "reasoning_tokens"
        ],
    }


class Greeting(BaseModel):
    words: str


def test_a_response_parsed_into_a_model_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    body = (SAMPLES / "responses.json").read_text()
    whole = json.loads(body)
    whole["output"][1]["content"][0]["text"] = '{"words": "hi"}'
    deepseek.answer_next(Recorded(body=json.dumps(whole).encode()))

    parsed = call(
        "parse",
        of="responses",
        model="deepseek-flash",
        input="Say hi.",
        text_format=Greeting,
    )

    assert parsed.output_parsed == Greeting(words="hi")
    assert telemetry.span.attributes["gen_ai.output.type"] == "json"


@pytest.mark.parametrize("helper", [False, True])
def test_a_streamed_response_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    helper: bool,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("responses_stream.sse"))

    async def helped(manager: Any) -> str:
        if kind == "OpenAI":
            with manager as stream:
                return stream.get_final_response().output_text
        async with manager as stream:
            return (await stream.get_final_response()).output_text

    asked = {"of": "responses", "model": "deepseek-flash", "input": "Say hi."}
    if helper:
        assert call("stream", using=helped, **asked) == "Hi there"
    else:
        call(stream=True, **asked)

    attributes = dict(telemetry.span.attributes)
    assert said(telemetry, "output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Say hi."},
                {"type": "text", "content": "Hi there"},
            ],
            "finish_reason": "stop",
        }
    ]
    del attributes["gen_ai.output.messages"], attributes["gen_ai.input.messages"]
    usage = {name: attributes.pop(name) for name in list(attributes) if "usage" in name}
    assert usage["gen_ai.usage.output_tokens"] > 0
    assert attributes == RESPONSE_STREAM


def test_of_a_streamed_response_no_word_is_kept_unasked(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("responses_stream.sse"))
    call(of="responses", model="deepseek-flash", input="Say hi.", stream=True)
    attributes = {
        k: v for k, v in telemetry.span.attributes.items() if "usage" not in k
    }
    assert attributes == RESPONSE_STREAM


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


@pytest.mark.parametrize(
    ("fields", "finish"),
    [
        ({"status": "completed", "output": None}, "stop"),
        (
            {
                "status": "incomplete",
                "incomplete_details": {"reason": "content_filter"},
            },
            "content_filter",
        ),
        (
            {
                "status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"},
            },
            "length",
        ),
        ({"status": "incomplete", "incomplete_details": None}, "error"),
        ({"status": "failed"}, "error"),
    ],
)
def test_a_status_becomes_a_finish_reason(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    fields: Any,
    finish: str,
) -> None:
    instrument("SPAN_ONLY")
    whole = json.loads((SAMPLES / "responses.json").read_bytes()) | fields
    deepseek.answer_next(Recorded(body=json.dumps(whole).encode()))
    call(of="responses", model="deepseek-flash", input="Say hi.")
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == (finish,)
