"""Requests in Anthropic's format, converted to chat requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._errors import validation_error
from ._json import array_items, object_fields
from ._models import FLASH, PRO, SERVING_MODELS
from ._validators import anything, boolean, number, sequence, string, struct, unsigned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._validators import Validator

_MESSAGE = struct("MessageParam", {"role": string, "content": anything})
_TOOL = struct("ToolParam", {"name": string}, {"type": string, "description": string})

MESSAGES_REQUEST: Validator = struct(
    "MessagesRequest",
    {"model": string, "messages": sequence(_MESSAGE)},
    {
        "max_tokens": unsigned(32),
        "stop_sequences": sequence(string),
        "stream": boolean,
        "temperature": number,
        "tools": sequence(_TOOL),
        "top_k": unsigned(32),
        "top_p": number,
    },
)
_TOOL_CHOICES = {"any": "required"}


def chat_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """Converts the body of a request to that of a chat request.

    Raises ApiError if it has no message.
    """
    if not body["messages"]:
        raise validation_error("messages: at least one message is required")
    system = _text(body.get("system"))
    converted: dict[str, Any] = {
        "model": _served_model(body["model"]),
        "messages": [
            *([{"role": "system", "content": system}] if system else []),
            *(chat for message in body["messages"] for chat in _chat_messages(message)),
        ],
        "stop": body.get("stop_sequences"),
        "tools": [_chat_tool(tool) for tool in array_items(body.get("tools"))] or None,
        "reasoning_effort": object_fields(body.get("output_config")).get("effort"),
        "user_id": object_fields(body.get("metadata")).get("user_id"),
        **{
            name: body.get(name)
            for name in ("max_tokens", "stream", "temperature", "thinking", "top_p")
        },
    }
    return {name: value for name, value in converted.items() if value is not None}


def chat_tool_choice(body: Mapping[str, Any]) -> str:
    """Returns none, auto, required, or the name of a function."""
    choice = object_fields(body.get("tool_choice"))
    if choice.get("type") == "tool":
        return str(choice["name"])
    mode = choice.get("type") or "auto"
    return _TOOL_CHOICES.get(mode, mode)


def _served_model(name: str) -> str:
    """Returns the model that serves Anthropic's names, or `name` itself."""
    if name in SERVING_MODELS or not name.startswith("claude"):
        return name
    return PRO if name.startswith("claude-opus") else FLASH


def _chat_messages(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    content = message["content"]
    blocks = array_items(content)
    if message["role"] == "assistant":
        yield _assistant_message(content, blocks)
        return
    results = [block for block in blocks if block.get("type") == "tool_result"]
    for block in results:
        yield {
            "role": "tool",
            "tool_call_id": block["tool_use_id"],
            "content": _text(block.get("content")),
        }
    others = [_chat_part(block) for block in blocks if block not in results]
    if others or isinstance(content, str):
        yield {"role": message["role"], "content": others or content}


def _assistant_message(content: Any, blocks: list[Any]) -> dict[str, Any]:
    calls = [
        {
            "id": block["id"],
            "type": "function",
            "function": {
                "name": block["name"],
                "arguments": json.dumps(block["input"], ensure_ascii=False),
            },
        }
        for block in blocks
        if block.get("type") == "tool_use"
    ]
    thinking = [block["thinking"] for block in blocks if "thinking" in block]
    message = {
        "role": "assistant",
        "content": _text(content),
        "reasoning_content": "".join(thinking),
    }
    return message | ({"tool_calls": calls} if calls else {})


def _chat_part(block: Mapping[str, Any]) -> dict[str, Any]:
    if block.get("type") != "image":
        return {"type": "text", "text": block.get("text", "")}
    source = block["source"]
    url = source.get("url")
    if url is None:
        url = f"data:{source['media_type']};base64,{source['data']}"
    return {"type": "image_url", "image_url": {"url": url}}


def _chat_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool.get("type") not in (None, "custom"):
        return {"type": "deepseek_web_search"}
    function = {"name": tool["name"], "parameters": tool.get("input_schema")}
    if "description" in tool:
        function["description"] = tool["description"]
    return {"type": "function", "function": function}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(
        block["text"] for block in array_items(content) if block.get("type") == "text"
    )
