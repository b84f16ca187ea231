"""Whole answers: the attributes and the content of a span."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from tests.instrumentation.attributes import content

from .attributes import ANSWER, REQUEST
from .bodies import USAGE, encoded
from .conftest import recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

METHODS = ["messages.create", "beta.messages.create", "messages.parse"]


@pytest.mark.parametrize("method", METHODS)
def test_call_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    method: str,
) -> None:
    if method == "messages.parse" and not hasattr(
        anthropic.resources.Messages, "parse"
    ):
        pytest.skip("this version of the SDK has no messages.parse")
    instrument()
    deepseek.answer_next(recorded(encoded()))

    message = call(method)

    assert message.content[1].text == "Three."
    span = telemetry.span
    assert span.name == "chat deepseek-flash"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert span.instrumentation_scope.name == "opentelemetry.instrumentation.deepseek"
    assert span.events == ()
    assert span.attributes == ANSWER


def test_request_arguments_are_attributes(
    instrument: Callable[..., None], call: Callable[..., Any], telemetry: Telemetry
) -> None:
    instrument()

    call(
        stop_sequences=["END", "STOP"],
        thinking={"type": "enabled", "budget_tokens": 1024},
        extra_body={
            "max_tokens": 500,
            # The newest SDK has no arguments for these.
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 40,
            "output_config": {
                "effort": "high",
                "format": {"type": "json_schema", "schema": {}},
            },
        },
    )

    request = {
        name: value
        for name, value in telemetry.span.attributes.items()
        if ".request." in name or ".output.type" in name
    }
    assert request == {
        "gen_ai.request.model": "deepseek-flash",
        "gen_ai.request.max_tokens": 500,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.stop_sequences": ("END", "STOP"),
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.output.type": "json",
        "deepseek.request.thinking.type": "enabled",
    }


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "pause_turn"),
        ("insufficient_system_resource", "insufficient_system_resource"),
        (None, "error"),
    ],
)
def test_stop_reason_becomes_finish_reason_of_chat_completions(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    stop_reason: str | None,
    finish_reason: str,
) -> None:
    instrument()
    deepseek.answer_next(recorded(encoded(stop_reason=stop_reason)))

    call()

    reasons = telemetry.span.attributes["gen_ai.response.finish_reasons"]
    assert reasons == (finish_reason,)


def test_cached_tokens_are_part_of_the_input(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument()
    long_question = [{"role": "user", "content": "word " * 300}]

    call(messages=long_question)
    call(messages=long_question)

    first, second = [span.attributes for span in telemetry.spans]
    assert first["gen_ai.usage.cache_read.input_tokens"] == 0
    assert second["gen_ai.usage.cache_read.input_tokens"] > 200
    total = first["gen_ai.usage.input_tokens"]
    assert second["gen_ai.usage.input_tokens"] == total > 300


def test_other_counts_are_attributes(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    usage = {
        **USAGE,
        "cache_creation_input_tokens": 3,
        "output_tokens_details": {"thinking_tokens": 47},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
    }
    deepseek.answer_next(recorded(encoded(usage=usage)))

    call()

    assert telemetry.span.attributes == {
        **ANSWER,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_write.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 47,
        "deepseek.usage.web_search_requests": 2,
        "deepseek.usage.web_fetch_requests": 1,
    }


def test_model_of_the_response_is_the_one_that_served(
    instrument: Callable[..., None], call: Callable[..., Any], telemetry: Telemetry
) -> None:
    instrument()

    call(model="claude-opus-4-8")

    span = telemetry.span
    assert span.name == "chat claude-opus-4-8"
    assert span.attributes["gen_ai.request.model"] == "claude-opus-4-8"
    assert span.attributes["gen_ai.response.model"] == "deepseek-v4-pro"


def test_content_is_recorded_as_message_parts(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(recorded(encoded()))

    call(system="Be brief.")

    assert content(telemetry, "system_instructions") == [
        {"type": "text", "content": "Be brief."}
    ]
    assert content(telemetry, "input.messages") == [
        {
            "role": "user",
            "parts": [{"type": "text", "content": "How many r's are in strawberry?"}],
        }
    ]
    assert content(telemetry, "output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "We count."},
                {"type": "text", "content": "Three."},
            ],
            "finish_reason": "stop",
        }
    ]


def test_tools_are_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    tools = [{"name": "get_weather", "description": "Weather", "input_schema": schema}]
    question = {"role": "user", "content": "What is the weather in Paris?"}

    answer = call(messages=[question], tools=tools)
    (use,) = [block for block in answer.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}
    call(
        tools=tools,
        messages=[
            question,
            {"role": "assistant", "content": answer.content},
            {"role": "user", "content": [result]},
        ],
    )

    first, second = [span.attributes for span in telemetry.spans]
    assert first["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert json.loads(first["gen_ai.tool.definitions"]) == [
        {
            "type": "function",
            "name": "get_weather",
            "description": "Weather",
            "parameters": schema,
        }
    ]
    (message,) = json.loads(first["gen_ai.output.messages"])
    reasoning, tool_call = message["parts"]
    assert reasoning["type"] == "reasoning"
    assert tool_call == {
        "type": "tool_call",
        "id": use.id,
        "name": "get_weather",
        "arguments": {"city": "Paris"},
    }
    assert message["finish_reason"] == "tool_call"
    _, assistant, tool = json.loads(second["gen_ai.input.messages"])
    assert assistant == {"role": "assistant", "parts": [reasoning, tool_call]}
    assert tool == {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": use.id, "response": "sunny"}],
    }


def test_content_is_not_recorded_by_default(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()

    call(system="secret system", messages=[{"role": "user", "content": "secret"}])

    attributes = telemetry.span.attributes
    assert "secret" not in repr(dict(attributes))
    assert set(attributes) == {*ANSWER, *REQUEST}


def test_metrics_are_those_of_other_clients(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(recorded(encoded()))

    call()

    metrics = telemetry.metrics
    (duration,) = metrics["gen_ai.client.operation.duration"]
    assert duration.attributes["gen_ai.provider.name"] == "deepseek"
    assert {
        point.attributes["gen_ai.token.type"]: point.sum
        for point in metrics["gen_ai.client.token.usage"]
    } == {"input": 97, "output": 61}
