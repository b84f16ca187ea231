"""Requests that the live API rejects and deepseek-recipe accepts."""

from __future__ import annotations

import json

import pytest

from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    TYPE_ERROR,
    WEATHER_TOOL,
    function_tool,
    send_chat,
    send_request,
)


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
            {"thinking": THINKING_DISABLED, "reasoning_effort": "high"},
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
            {"tools": [function_tool(name=f"a{i}") for i in range(129)]},
            (
                "Invalid 'tools': array too long. Expected an array with maximum length"
                " 128, but got an array with length 129 instead."
            ),
        ),
        (
            {"tools": [function_tool(strict=True)]},
            (
                "strict tools are only available when using beta api (set"
                ' base_url="https://api.deepseek.com/beta")'
            ),
        ),
        (
            {
                "messages": [
                    GREETING,
                    {"role": "assistant", "content": "x", "prefix": True},
                ]
            },
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
def test_request_that_only_live_api_rejects_is_rejected(simulator, fields, message):
    response = send_chat(simulator.base_url, **fields)
    assert (response.status, response.message) == (400, message)
    assert response.headers["content-type"] == "application/octet-stream"


def test_images_are_accepted_by_flash_only(simulator, samples):
    body = json.loads((samples / "request_vision.json").read_bytes())
    assert send_request(simulator.base_url, body=body).status == 200
    response = send_request(
        simulator.base_url, body={**body, "model": "deepseek-v4-pro"}
    )
    assert (response.status, response.message) == (
        400,
        f"{TYPE_ERROR}messages[0]: unknown variant `image_url`, expected `text`",
    )


def test_exceeding_context_window_is_rejected_with_token_counts(simulator):
    long_message = {"role": "user", "content": "a" + " a" * 699_999}
    response = send_chat(
        simulator.base_url, long_message, thinking=THINKING_DISABLED, max_tokens=393_216
    )
    assert response.status == 400
    assert response.message.startswith(
        "This model's maximum context length is 1048576 tokens. However, you requested"
        " 1093220 tokens (700004 in the messages, 393216 in the completion). Please"
        " reduce the length of the messages or completion. (request_id: "
    )


def test_server_tools_are_accepted_and_unknown_tools_rejected(simulator):
    tools = [
        {"type": "deepseek_web_search", "name": "deepseek_web_search"},
        WEATHER_TOOL,
    ]
    assert send_chat(simulator.base_url, tools=tools).status == 200
    response = send_chat(simulator.base_url, tools=[{"type": "zz"}])
    assert response.message.startswith(
        f"{TYPE_ERROR}tools[0].type: unknown variant `zz`, expected one of `function`,"
        " `deepseek_web_search`, `deepseek_read_url` at line 1 column "
    )
