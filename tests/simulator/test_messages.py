"""Anthropic's format: the simulator and DeepSeek's library send the same events."""

from __future__ import annotations

import json
import re

import pytest

from tests.simulator.http_requests import (
    API_KEY,
    GREETING,
    THINKING_DISABLED,
    key_structure,
    key_structures,
    send_request,
)
from tests.simulator.reference_implementation import (
    encode_message,
    tool_call_markup,
)

PATH = "/anthropic/v1/messages"
TOOLS = [
    {
        "name": "get_weather",
        "description": "Weather",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
]
TWO_CITIES = {"role": "user", "content": "What is the weather in Paris and Rome?"}


def send(simulator, **fields):
    body = {"model": "deepseek-flash", "max_tokens": 500, "messages": [GREETING]}
    return send_request(
        simulator.base_url, PATH, body | fields, x_api_key=API_KEY, authorization=None
    )


def event_names(response):
    return re.findall(rb"^event: (\w+)", response.body, re.MULTILINE)


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": THINKING_DISABLED},
        {},
        {"tools": TOOLS, "messages": [TWO_CITIES]},
        {
            "tools": TOOLS,
            "messages": [TWO_CITIES],
            "thinking": THINKING_DISABLED,
        },
        {"max_tokens": 3, "thinking": THINKING_DISABLED},
        {"stop_sequences": ["help"], "thinking": THINKING_DISABLED},
    ],
    ids=str,
)
def test_answers_are_those_of_the_library(deepseek_recipe, simulator, fields):
    message = send(simulator, **fields).json
    response = send(simulator, stream=True, **fields)
    output = []
    for block in message["content"]:
        if block["type"] == "thinking":
            output += [*re.findall(r"\S+|\s+", block["thinking"]), "</think>"]
        if block["type"] == "text":
            output += re.findall(r"\S+|\s+", block["text"])
    calls = [
        (block["name"], block["input"])
        for block in message["content"]
        if block["type"] == "tool_use"
    ]
    output += fields.get("stop_sequences", [])
    output += tool_call_markup(calls) if calls else []
    body = {"model": "deepseek-flash", "max_tokens": 500, "messages": [GREETING]}
    expected_events, expected = encode_message(
        deepseek_recipe,
        body | fields,
        output,
        "Length" if message["stop_reason"] == "max_tokens" else "Stop",
    )
    assert key_structures(response.events) == key_structures(expected_events)
    names = [event["type"].encode() for event in response.events]
    assert event_names(response) == names
    assert [n for n, _ in _groups(names)] == [
        n for n, _ in _groups([e["type"].encode() for e in expected_events])
    ]
    assert key_structure(message) == key_structure(expected)
    for name in ("stop_reason", "stop_sequence"):
        assert message[name] == expected[name]
        assert response.events[-2]["delta"][name] == expected[name]
    assert [block["type"] for block in message["content"]] == [
        block["type"] for block in expected["content"]
    ]


def _groups(names):
    """Joins equal names that follow each other."""
    groups = []
    for name in names:
        if not groups or groups[-1][0] != name:
            groups.append((name, 0))
    return groups


def test_streamed_answer_equals_the_whole_one(simulator):
    fields = {"tools": TOOLS, "messages": [TWO_CITIES]}
    whole = send(simulator, **fields).json
    events = send(simulator, stream=True, **fields).events
    arguments = [
        "".join(
            event["delta"]["partial_json"]
            for event in events
            if event["type"] == "content_block_delta"
            and event["index"] == index
            and event["delta"]["type"] == "input_json_delta"
        )
        for index in (1, 2)
    ]
    assert list(map(json.loads, arguments)) == [
        block["input"] for block in whole["content"][1:]
    ]
    usage = events[-2]["usage"]
    # The first request has filled the cache.
    assert sum(whole["usage"][name] for name in INPUT) == sum(
        usage[name] for name in INPUT
    )
    assert usage["cache_read_input_tokens"] > 0
    assert usage["output_tokens"] == whole["usage"]["output_tokens"]


INPUT = ("input_tokens", "cache_read_input_tokens")


@pytest.mark.parametrize(
    ("model", "served"),
    [
        ("claude-opus-4-8", "deepseek-v4-pro"),
        ("claude-haiku", "deepseek-flash"),
        ("deepseek-v4-flash", "deepseek-flash"),
    ],
)
def test_names_of_other_models_are_served(simulator, model, served):
    assert send(simulator, model=model).json["model"] == served


def test_results_of_tools_are_answered(simulator):
    call = send(simulator, tools=TOOLS, messages=[TWO_CITIES]).json
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": content}
        for block, content in zip(call["content"][1:], ["sunny", "rain"], strict=True)
    ]
    answer = send(
        simulator,
        tools=TOOLS,
        system=[{"type": "text", "text": "Be brief."}],
        messages=[
            TWO_CITIES,
            {"role": "assistant", "content": call["content"]},
            {"role": "user", "content": results},
        ],
    ).json
    assert answer["stop_reason"] == "end_turn"
    assert "sunny" in answer["content"][-1]["text"]


def test_images_are_read(simulator):
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    images = [
        {"type": "image", "source": source},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
    ]
    message = {"role": "user", "content": [*images, {"type": "text", "text": "Hi"}]}
    assert send(simulator, messages=[message]).json["usage"]["input_tokens"] > 500


def test_chosen_tool_is_called(simulator):
    choice = {"type": "tool", "name": "get_weather"}
    for tool_choice in (choice, {"type": "any"}):
        message = send(simulator, tools=TOOLS, tool_choice=tool_choice).json
        assert message["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"messages": []}, 400, "messages: at least one message is required"),
        ({"max_tokens": 0}, 400, "Invalid max_tokens value"),
        ({"temperature": 3}, 400, "Invalid temperature value"),
        ({"model": "x"}, 400, "The supported API model names are"),
        ({"messages": "x"}, 400, "Failed to deserialize the JSON body"),
        ({"tools": [{}]}, 400, "Failed to deserialize the JSON body"),
    ],
)
def test_invalid_request_is_refused(simulator, fields, status, message):
    response = send(simulator, **fields)
    assert response.status == status
    assert response.message.startswith(message)


def test_key_is_required(simulator):
    body = {"model": "deepseek-flash", "messages": [GREETING]}
    assert send_request(simulator.base_url, PATH, body, authorization=None).status == (
        401
    )


def test_server_tool_is_accepted(simulator):
    search = {"type": "deepseek_web_search", "name": "deepseek_web_search"}
    assert send(simulator, tools=[search]).json["stop_reason"] == "end_turn"


def test_error_in_a_stream_is_an_error_event(simulator):
    simulator.fail_next("error after=2")
    response = send(simulator, stream=True)
    assert event_names(response)[-1] == b"error"
    assert "error" in response.events[-1]


@pytest.mark.parametrize("reason", ["content_filter", "aborted"])
def test_finish_reason_is_a_stop_reason(simulator, reason):
    simulator.fail_next(f"finish={reason}")
    expected = {"content_filter": "refusal"}.get(reason, reason)
    assert send(simulator).json["stop_reason"] == expected


def test_arguments_that_are_cut_off_are_empty(simulator):
    message = send(
        simulator,
        tools=TOOLS,
        messages=[TWO_CITIES],
        thinking=THINKING_DISABLED,
        max_tokens=14,
    ).json
    assert message["stop_reason"] == "max_tokens"
