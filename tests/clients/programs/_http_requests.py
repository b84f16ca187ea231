"""Requests and responses of programs that have no client library of DeepSeek's API."""

from __future__ import annotations

import json
from typing import Any

HEADERS = {"authorization": "Bearer any"}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
WEATHER: dict[str, Any] = {
    "model": "deepseek-flash",
    "messages": [{"role": "user", "content": "How is the weather in Paris?"}],
    "tools": [TOOL],
}
SKY: dict[str, Any] = {
    "model": "deepseek-flash",
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    "stream": True,
}


def after_tool_call(response: Any) -> dict[str, Any]:
    """Returns the request that follows a response with a call of the tool."""
    message = response["choices"][0]["message"]
    (call,) = message["tool_calls"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"}
    return {**WEATHER, "messages": [*WEATHER["messages"], message, result]}


def text_of_line(line: str | bytes) -> str:
    """Returns the text of the answer in a line of a stream."""
    text = line.decode() if isinstance(line, bytes) else line
    data = text.removeprefix("data: ").strip()
    if not data.startswith("{"):
        return ""
    return "".join(
        choice["delta"].get("content") or "" for choice in json.loads(data)["choices"]
    )
