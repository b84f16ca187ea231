"""Streams, as the openai SDK and a plain reader see them."""

from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI

from tests.simulator.http_requests import CITIES, HI, OFF, WEATHER, chat

_REQUESTS = [
    {},
    {"thinking": OFF},
    {"messages": [CITIES], "tools": [WEATHER]},
    {"messages": [CITIES], "tools": [WEATHER], "thinking": OFF},
    {"max_tokens": 5},
    {"stop": "help", "logprobs": True, "top_logprobs": 2},
]


def _folded(events):
    """What a stream says in the end."""
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
def test_a_stream_says_what_the_whole_answer_says(deepseek, fields):
    whole = chat(deepseek.base_url, user_id="a", **fields).json
    events = chat(deepseek.base_url, user_id="b", stream=True, **fields).events
    message, finish, usage = _folded(events)
    said = whole["choices"][0]["message"]
    calls = [c["function"] for c in said.get("tool_calls", [])]
    assert message == {
        "content": said["content"],
        "reasoning_content": said.get("reasoning_content", ""),
        "calls": {i: (c["name"], c["arguments"]) for i, c in enumerate(calls)},
    }
    assert finish == whole["choices"][0]["finish_reason"]
    assert usage == whole["usage"]


@pytest.mark.parametrize("fields", _REQUESTS, ids=str)
def test_usage_is_on_the_last_chunk_with_and_without_include_usage(deepseek, fields):
    plain = chat(deepseek.base_url, stream=True, **fields)
    asked = chat(
        deepseek.base_url,
        stream=True,
        stream_options={"include_usage": True},
        **fields,
    )
    assert plain.body.endswith(b"\n\ndata: [DONE]\n\n")
    *before, last = plain.events
    assert last["usage"]["total_tokens"] > 0
    assert not any("usage" in event for event in before)
    *before, last = asked.events
    assert last["usage"]["total_tokens"] > 0
    assert all(event["usage"] is None for event in before)
    assert all(event["choices"] for event in asked.events)


def test_reasoning_comes_before_the_answer_and_the_role_before_all(deepseek):
    deltas = [
        e["choices"][0]["delta"] for e in chat(deepseek.base_url, stream=True).events
    ]
    assert deltas[0] == {"role": "assistant", "content": None, "reasoning_content": ""}
    kinds = ["reasoning" if d["content"] is None else "content" for d in deltas]
    turn = kinds.index("content")
    assert kinds == ["reasoning"] * turn + ["content"] * (len(kinds) - turn)


def test_only_the_first_piece_of_a_call_has_id_and_name(deepseek):
    events = chat(deepseek.base_url, CITIES, stream=True, tools=[WEATHER]).events
    deltas = [event["choices"][0]["delta"] for event in events]
    calls = [d["tool_calls"][0] for d in deltas if "tool_calls" in d]
    first = [c for c in calls if "id" in c]
    assert [(c["index"], c["id"][:8], c["function"]) for c in first] == [
        (0, "call_00_", {"name": "get_weather", "arguments": ""}),
        (1, "call_01_", {"name": "get_weather", "arguments": ""}),
    ]
    assert [c["index"] for c in calls] == sorted(c["index"] for c in calls)


def test_the_sdk_gathers_a_stream(client):
    create = client.chat.completions.stream
    with create(model="deepseek-flash", messages=[CITIES], tools=[WEATHER]) as stream:
        completion = stream.get_final_completion()
    assert [c.function.arguments for c in completion.choices[0].message.tool_calls] == [
        '{"location": "Hangzhou"}',
        '{"location": "Beijing"}',
    ]
    assert completion.choices[0].message.reasoning_content
    assert completion.usage.prompt_cache_miss_tokens > 0


async def test_two_hundred_streams_at_once(deepseek):
    async def read(client, number):
        stream = await client.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": f"What is {number} + 1?"}],
            stream=True,
        )
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
        return "".join(texts)

    async with AsyncOpenAI(base_url=deepseek.base_url, api_key="any") as client:
        answers = await asyncio.gather(*(read(client, n) for n in range(200)))
    assert answers == [f"{n} + 1 = {n + 1}" for n in range(200)]
    assert len(deepseek.exchanges) == 200
    assert all(exchange.finished for exchange in deepseek.exchanges)


async def test_a_plain_call_works_without_blocking(deepseek):
    async with AsyncOpenAI(base_url=f"{deepseek.base_url}/v1", api_key="any") as client:
        completion = await client.chat.completions.create(
            model="deepseek-v4-pro", messages=[HI]
        )
    assert completion.choices[0].message.content == "Hello! How can I help you today?"
