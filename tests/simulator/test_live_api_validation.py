"""What the live API refuses, and DeepSeek's own code does not."""

from __future__ import annotations

import json

import pytest

from tests.simulator.http_requests import HI, OFF, UNREAD, WEATHER, ask, chat, tool


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"model": "gpt-4o"},
            (
                "The supported API model names are deepseek-v4-pro or"
                " deepseek-v4-flash, but you passed gpt-4o."
            ),
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            "This response_format type is unavailable now",
        ),
        (
            {"thinking": OFF, "reasoning_effort": "high"},
            "thinking options type cannot be disabled when reasoning_effort is set",
        ),
        (
            {"user_id": "x" * 513},
            (
                "Invalid 'user_id': string too long. Expected a string with maximum"
                " length 512, but got a string with length 513 instead"
            ),
        ),
        (
            {"tools": [tool(name=f"a{i}") for i in range(129)]},
            (
                "Invalid 'tools': array too long. Expected an array with maximum length"
                " 128, but got an array with length 129 instead."
            ),
        ),
        (
            {"tools": [tool(strict=True)]},
            (
                "strict tools are only available when using beta api (set"
                ' base_url="https://api.deepseek.com/beta")'
            ),
        ),
        (
            {"messages": [HI, {"role": "assistant", "content": "x", "prefix": True}]},
            (
                "Invalid completion message: prefix set true with message which is not"
                " final message or message role is not assistant"
            ),
        ),
        (
            {"safety_check": {"level": "medium"}},
            "Invalid safety_check value, the valid levels are high and low",
        ),
    ],
)
def test_what_only_the_live_api_refuses(deepseek, fields, message):
    answer = chat(deepseek.base_url, **fields)
    assert (answer.status, answer.message) == (400, message)
    assert answer.headers["content-type"] == "application/octet-stream"


def test_an_image_is_for_flash_only(deepseek, samples):
    body = json.loads((samples / "request_vision.json").read_bytes())
    assert ask(deepseek.base_url, body=body).status == 200
    answer = ask(deepseek.base_url, body={**body, "model": "deepseek-v4-pro"})
    assert (answer.status, answer.message) == (
        400,
        f"{UNREAD}messages[0]: unknown variant `image_url`, expected `text`",
    )


def test_more_than_the_context_holds_is_refused_with_the_count(deepseek):
    long = {"role": "user", "content": "a" + " a" * 699_999}
    answer = chat(deepseek.base_url, long, thinking=OFF, max_tokens=393_216)
    assert answer.status == 400
    assert answer.message.startswith(
        "This model's maximum context length is 1048576 tokens. However, you requested"
        " 1093220 tokens (700004 in the messages, 393216 in the completion). Please"
        " reduce the length of the messages or completion. (request_id: "
    )


def test_server_tools_are_taken_and_other_tools_are_not(deepseek):
    tools = [{"type": "deepseek_web_search", "name": "deepseek_web_search"}, WEATHER]
    assert chat(deepseek.base_url, tools=tools).status == 200
    answer = chat(deepseek.base_url, tools=[{"type": "zz"}])
    assert answer.message.startswith(
        f"{UNREAD}tools[0].type: unknown variant `zz`, expected one of `function`,"
        " `deepseek_web_search`, `deepseek_read_url` at line 1 column "
    )
