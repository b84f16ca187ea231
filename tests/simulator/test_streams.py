"""Streams, read with and without the openai SDK."""

from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI

from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    TWO_CITIES,
    WEATHER_TOOL,
    send_chat,
)

_REQUESTS = [
    {},
    {"thinking": THINKING_DISABLED},
    {"messages": [TWO_CITIES], "tools": [WEATHER_TOOL]},
    {"messages": [TWO_CITIES], "tools": [WEATHER_TOOL], "thinking": THINKING_DISABLED},
    {"max_tokens": 5},
    {"stop": "help", "logprobs": True, "top_logprobs": 2},
]


def _accumulate(events):
    """Returns the accumulated message, the finish reason and the usage."""
    message = {"content": "", "reasoning_content": "", "calls": {}}
    for event in events:
        delta = event["choices"][0]["delta"]
        message["content"] += delta.get("content") or ""
        message["reasoning_content"] += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls", []):
            name, arguments = message["calls"].get(call["index"], ("", ""))
            function = call["function"]
            message["calls"][call["index"]] = (
                name + function.get("name", ""),
                arguments + function["arguments"],
            )
    return message, events[-1]["choices"][0]["finish_reason"], events[-1]["usage"]


@pytest.mark.parametrize("fields", _REQUESTS, ids=str)
def test_stream_equals_non_streaming_response(simulator, fields):
    body = send_chat(simulator.base_url, user_id="a", **fields).json
    events = send_chat(simulator.base_url, user_id="b", stream=True, **fields).events
    message, finish_reason, usage = _accumulate(events)
    expected_message = body["choices"][0]["message"]
    calls = [c["function"] for c in expected_message.get("tool_calls", [])]
    assert message == {
        "content": expected_message["content"],
        "reasoning_content": expected_message.get("reasoning_content", ""),
        "calls": {i: (c["name"], c["arguments"]) for i, c in enumerate(calls)},
    }
    assert finish_reason == body["choices"][0]["finish_reason"]
    assert usage == body["usage"]


@pytest.mark.parametrize("fields", _REQUESTS, ids=str)
def test_usage_is_on_the_last_chunk_with_and_without_include_usage(simulator, fields):
    stream = send_chat(simulator.base_url, stream=True, **fields)
    stream_with_usage = send_chat(
        simulator.base_url,
        stream=True,
        stream_options={"include_usage": True},
        **fields,
    )
    assert stream.body.endswith(b"\n\ndata: [DONE]\n\n")
    *earlier, last = stream.events
    assert last["usage"]["total_tokens"] > 0
    assert not any("usage" in event for event in earlier)
    *earlier, last = stream_with_usage.events
    assert last["usage"]["total_tokens"] > 0
    assert all(event["usage"] is None for event in earlier)
    assert all(event["choices"] for event in stream_with_usage.events)


def test_stream_has_role_then_reasoning_then_content(simulator):
    deltas = [
        e["choices"][0]["delta"]
        for e in send_chat(simulator.base_url, stream=True).events
    ]
    assert deltas[0] == {"role": "assistant", "content": None, "reasoning_content": ""}
    kinds = ["reasoning" if d["content"] is None else "content" for d in deltas]
    first_content = kinds.index("content")
    assert kinds == ["reasoning"] * first_content + ["content"] * (
        len(kinds) - first_content
    )


def test_only_first_chunk_of_tool_call_has_id_and_name(simulator):
    events = send_chat(
        simulator.base_url, TWO_CITIES, stream=True, tools=[WEATHER_TOOL]
    ).events
    deltas = [event["choices"][0]["delta"] for event in events]
    calls = [d["tool_calls"][0] for d in deltas if "tool_calls" in d]
    first_chunks = [c for c in calls if "id" in c]
    assert [(c["index"], c["id"][:8], c["function"]) for c in first_chunks] == [
        (0, "call_00_", {"name": "get_weather", "arguments": ""}),
        (1, "call_01_", {"name": "get_weather", "arguments": ""}),
    ]
    assert [c["index"] for c in calls] == sorted(c["index"] for c in calls)


def test_sdk_accumulates_stream(client):
    create = client.chat.completions.stream
    with create(
        model="deepseek-flash", messages=[TWO_CITIES], tools=[WEATHER_TOOL]
    ) as stream:
        completion = stream.get_final_completion()
    assert [c.function.arguments for c in completion.choices[0].message.tool_calls] == [
        '{"location": "Hangzhou"}',
        '{"location": "Beijing"}',
    ]
    assert completion.choices[0].message.reasoning_content
    assert completion.usage.prompt_cache_miss_tokens > 0


async def test_two_hundred_concurrent_streams_complete(simulator):
    async def read(client, number):
        stream = await client.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": f"What is {number} + 1?"}],
            stream=True,
        )
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
        return "".join(texts)

    async with AsyncOpenAI(base_url=simulator.base_url, api_key="any") as client:
        answers = await asyncio.gather(*(read(client, n) for n in range(200)))
    assert answers == [f"{n} + 1 = {n + 1}" for n in range(200)]
    assert len(simulator.exchanges) == 200
    assert all(exchange.is_complete for exchange in simulator.exchanges)


async def test_async_client_gets_completion(simulator):
    async with AsyncOpenAI(
        base_url=f"{simulator.base_url}/v1", api_key="any"
    ) as client:
        completion = await client.chat.completions.create(
            model="deepseek-v4-pro", messages=[GREETING]
        )
    assert completion.choices[0].message.content == "Hello! How can I help you today?"
