"""Responses that differ from those of DeepSeek: of gateways, and of open models.

The tests of `test_message_directions.py` cover messages of every kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .attributes import START, content
from .gateway_messages import MESSAGES, STREAMS, reasoning, text, tool_call
from .recorded_bodies import (
    choice,
    chunk,
    completion,
    event_stream,
    json_response,
    stream,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import RecordedResponse, Simulator

    from .conftest import Telemetry

Json = dict[str, Any]


@pytest.mark.parametrize("name", STREAMS)
def test_deltas_of_a_gateway_are_joined(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
) -> None:
    deltas, parts = STREAMS[name]
    instrument("SPAN_ONLY")
    deepseek.answer_next(stream(*deltas))
    call(stream=True)
    assert content(telemetry, "output.messages") == [
        {"role": "assistant", "parts": parts, "finish_reason": "stop"}
    ]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_of_a_gateway_is_recorded_in_both_directions(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
) -> None:
    fields, parts = MESSAGES[name]
    instrument("SPAN_ONLY")
    deepseek.answer_next(completion(choice(**fields)))
    call(messages=[{"role": "assistant", "content": None} | fields])
    assert content(telemetry, "input.messages") == [
        {"role": "assistant", "parts": parts}
    ]
    assert content(telemetry, "output.messages") == [
        {"role": "assistant", "parts": parts, "finish_reason": "stop"}
    ]


@pytest.mark.parametrize(
    ("arguments", "recorded"),
    [
        ({"d": {1: 2}}, '{"d":{"1":2}}'),
        ({"deep": [[[[[[[[1]]]]]]]]}, {"deep": [[[[[[[[1]]]]]]]]}),
        ({"pair": (1, 2)}, {"pair": [1, 2]}),
    ],
)
def test_arguments_that_are_no_text_are_recorded_as_they_are_sent(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    arguments: Any,
    recorded: Any,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(completion(choice(content="Hi")))
    tool_calls = [{"id": "c1", "function": {"name": "f", "arguments": arguments}}]
    call(messages=[{"role": "assistant", "tool_calls": tool_calls}])
    (message,) = content(telemetry, "input.messages")
    assert message["parts"] == [tool_call("c1", "f", recorded)]


def test_functions_of_the_former_api_are_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    function_call = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    deepseek.answer_next(
        completion(choice(finish_reason="function_call", function_call=function_call))
    )
    call(
        messages=[{"role": "function", "name": "get_weather", "content": "24C"}],
        functions=[{"name": "get_weather", "parameters": {"type": "object"}}],
    )
    assert content(telemetry, "input.messages") == [
        {
            "role": "function",
            "name": "get_weather",
            "parts": [{"type": "tool_call_response", "response": "24C"}],
        }
    ]
    assert content(telemetry, "tool.definitions") == [
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
    ]
    assert content(telemetry, "output.messages") == [
        {
            "role": "assistant",
            "parts": [tool_call(None, "get_weather", {"city": "Paris"})],
            "finish_reason": "tool_call",
        }
    ]


@pytest.mark.parametrize("resource", ["chat.completions", "completions"])
def test_choices_with_the_same_index_are_separated_by_position(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    resource: str,
) -> None:
    instrument("SPAN_ONLY")
    choices: list[Json] = [choice(content="Red."), choice(content="Blue.")]
    arguments: Json = {"n": 2}
    if resource == "completions":
        choices = [
            {"index": 0, "finish_reason": "stop", "text": item["message"]["content"]}
            for item in choices
        ]
        arguments |= {"model": "deepseek-v4-pro", "prompt": "A color: "}
    deepseek.answer_next(completion(*choices))
    call(resource=resource, **arguments)
    assert [message["parts"] for message in content(telemetry, "output.messages")] == [
        [text("Red.")],
        [text("Blue.")],
    ]
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == (
        "stop",
        "stop",
    )


def test_empty_fields_of_the_first_chunk_are_ignored(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    """Azure's first chunk has the results of its content filter only."""
    instrument()
    first = {"id": "", "model": "", "choices": [], "system_fingerprint": None}
    deepseek.answer_next(
        event_stream(
            first,
            chunk(content="Hi") | {"system_fingerprint": "fp"},
            chunk(finish_reason="stop") | {"id": "2", "model": "other"},
        )
    )
    call(stream=True)
    attributes = telemetry.span.attributes
    assert attributes["gen_ai.response.id"] == "1"
    assert attributes["gen_ai.response.model"] == "deepseek-flash"
    assert attributes["deepseek.response.system_fingerprint"] == "fp"


def test_counts_may_be_floats(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    usage = {
        "prompt_tokens": 9.0,
        "completion_tokens": 2.5,
        "prompt_cache_hit_tokens": 4.0,
        "completion_tokens_details": {"reasoning_tokens": float(2**70)},
    }
    deepseek.answer_next(completion(choice(content="Hi"), usage=usage))
    call(extra_body={"top_k": 20})
    assert telemetry.span.attributes == START | {
        "gen_ai.request.top_k": 20,
        "gen_ai.response.id": "1",
        "gen_ai.response.model": "deepseek-flash",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 4,
    }


def test_think_tags_divide_the_times_of_reasoning_and_answer(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    pieces = ("<think>", "Hm.", "</think>", "Yes", ".")
    response = stream(*({"content": piece} for piece in pieces))
    deepseek.answer_next(response_with_pauses(response))
    call(stream=True)
    attributes = telemetry.span.attributes
    first_chunk, reasoning_time, answer_time = (
        attributes[name]
        for name in (
            "gen_ai.response.time_to_first_chunk",
            "deepseek.response.time_to_first_reasoning",
            "deepseek.response.time_to_first_answer",
        )
    )
    assert reasoning_time - first_chunk >= PAUSE / 2
    assert answer_time - reasoning_time >= PAUSE


PAUSE = 0.05


def response_with_pauses(response: RecordedResponse) -> RecordedResponse:
    return type(response)(headers=response.headers, body=response.body, pause=PAUSE)


@pytest.mark.parametrize("is_stream", [False, True])
def test_think_tags_of_the_responses_api_are_reasoning(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    is_stream: bool,
) -> None:
    instrument("SPAN_ONLY")
    parts = [{"type": "output_text", "text": "<think>Hm.</think>Yes."}]
    item = {"type": "message", "role": "assistant", "content": parts}
    body = {"id": "1", "status": "completed", "output": [item]}
    completed = {"type": "response.completed", "response": body}
    deepseek.answer_next(event_stream(completed) if is_stream else json_response(body))
    call(resource="responses", model="deepseek-flash", input=[item], stream=is_stream)
    (question,) = content(telemetry, "input.messages")
    (answer,) = content(telemetry, "output.messages")
    assert question["parts"] == answer["parts"] == [reasoning("Hm."), text("Yes.")]
