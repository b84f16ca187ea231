"""Spans of the Responses API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode
from pydantic import BaseModel

from examples.simulator import RecordedResponse

from .attributes import SECONDS, START, TRACE_ID, content
from .conftest import SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

RESPONSE = {
    **START,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.id": "1efe1d97-eba4-4699-847c-8a0b25c8c67e",
    "gen_ai.response.model": "deepseek-flash",
}
RESPONSE_STREAM = (
    RESPONSE
    | TRACE_ID
    | {
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": SECONDS,
        "deepseek.response.time_to_first_reasoning": SECONDS,
        "deepseek.response.time_to_first_answer": SECONDS,
    }
)


@pytest.mark.parametrize("method", ["create", "with_raw_response.create", "parse"])
def test_response_is_one_span(
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
        resource="responses",
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
        **(TRACE_ID if "raw" in method else {}),
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


def test_response_parsed_into_a_model_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    body = (SAMPLES / "responses.json").read_text()
    response = json.loads(body)
    response["output"][1]["content"][0]["text"] = '{"words": "hi"}'
    deepseek.answer_next(RecordedResponse(body=json.dumps(response).encode()))

    parsed = call(
        "parse",
        resource="responses",
        model="deepseek-flash",
        input="Say hi.",
        text_format=Greeting,
    )

    assert parsed.output_parsed == Greeting(words="hi")
    assert telemetry.span.attributes["gen_ai.output.type"] == "json"


@pytest.mark.parametrize("uses_manager", [False, True])
def test_streamed_response_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client_class: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    uses_manager: bool,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("responses_stream.sse"))

    async def read_with_manager(manager: Any) -> str:
        if client_class == "OpenAI":
            with manager as stream:
                return stream.get_final_response().output_text
        async with manager as stream:
            return (await stream.get_final_response()).output_text

    arguments = {"resource": "responses", "model": "deepseek-flash", "input": "Say hi."}
    if uses_manager:
        assert call("stream", consume=read_with_manager, **arguments) == "Hi there"
    else:
        call(stream=True, **arguments)

    attributes = dict(telemetry.span.attributes)
    assert content(telemetry, "output.messages") == [
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


def test_streamed_response_has_no_content_without_capture(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("responses_stream.sse"))
    call(resource="responses", model="deepseek-flash", input="Say hi.", stream=True)
    attributes = {
        k: v for k, v in telemetry.span.attributes.items() if "usage" not in k
    }
    assert attributes == RESPONSE_STREAM


@pytest.mark.parametrize(
    ("fields", "finish_reason"),
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
def test_status_becomes_a_finish_reason(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    fields: Any,
    finish_reason: str,
) -> None:
    instrument("SPAN_ONLY")
    response = json.loads((SAMPLES / "responses.json").read_bytes()) | fields
    deepseek.answer_next(RecordedResponse(body=json.dumps(response).encode()))
    call(resource="responses", model="deepseek-flash", input="Say hi.")
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == (
        finish_reason,
    )
