"""Events of DSPy's own engine, as chunks of a chat completion."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from dspy._vendor.lm15 import types

from opentelemetry.instrumentation.deepseek._dspy_calls import _chunk
from opentelemetry.instrumentation.deepseek._response import ResponseAccumulator


def test_events_of_another_format_are_collected() -> None:
    accumulator = ResponseAccumulator(wants_content=True)
    for event in (
        types.StreamStartEvent(id="1", model="deepseek-flash"),
        types.StreamDeltaEvent(types.ThinkingDelta("Hm.")),
        types.StreamDeltaEvent(types.TextDelta("Hi.")),
        types.StreamDeltaEvent(
            types.ToolCallDelta('{"city": "Paris"}', id="call_1", name="weather")
        ),
        types.StreamDeltaEvent(types.CitationDelta(text="not a part of the answer")),
        types.StreamEndEvent(
            finish_reason="tool_call",
            usage=types.Usage(input_tokens=3, output_tokens=2, cache_read_tokens=90),
        ),
    ):
        accumulator.add_chunk(_chunk(event))
    assert accumulator.attributes(1) == {
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "gen_ai.response.id": "1",
        "gen_ai.response.model": "deepseek-flash",
        "gen_ai.usage.input_tokens": 93,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 90,
    }
    (message,) = accumulator.messages()
    assert [part["type"] for part in message["parts"]] == [
        "reasoning",
        "text",
        "tool_call",
    ]
    assert message["parts"][2]["arguments"] == {"city": "Paris"}


@pytest.mark.parametrize(("provider_code", "code"), [("402", "402"), (None, "billing")])
def test_error_event_has_the_code_of_the_server(
    provider_code: str | None, code: str
) -> None:
    error = types.ErrorDetail("billing", "no balance", provider_code)
    accumulator = ResponseAccumulator(wants_content=False)
    accumulator.add_chunk(_chunk(types.StreamErrorEvent(error)))
    assert accumulator.error == {"code": code, "message": "no balance"}
    assert accumulator.is_finished


@pytest.mark.parametrize(
    ("event", "chunk"),
    [
        (
            types.StreamEndEvent(finish_reason="stop"),
            {"choices": [{"finish_reason": "stop"}]},
        ),
        (types.StreamEndEvent(), {}),
        (SimpleNamespace(type="an event of another version"), {}),
    ],
)
def test_event_without_tokens_is_a_chunk_without_usage(
    event: Any, chunk: dict[str, Any]
) -> None:
    assert _chunk(event) == chunk
