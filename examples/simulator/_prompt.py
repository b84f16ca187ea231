"""A request as the model reads it, in tokens: what `prompt_tokens` counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ._chat_request import text_of
from ._json import items
from ._tokenizer import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._chat_request import ChatRequest, Message

BEGIN, END = "<begin>", "<end>"
THINK, THOUGHT = "<think>", "</think>"
# Thinking costs about 79 prompt tokens more, seen live in 2026; the instructions for
# tools are about 200 tokens long in deepseek-recipe 0.2.0.
_THINKING_TOKENS = 79
_TOOLS_TOKENS = 200
_IMAGE_TOKENS = {"low": 64}
_IMAGE_TOKENS_ELSE = 256
_JSON_RULE = 'Response Format: strictly adhere to {"type": "json_object"}'


def prompt_tokens(request: ChatRequest) -> list[str]:
    """The whole prompt. What comes first is what the prompt cache can know."""
    return list(_prompt(request))


def call_tokens(name: str) -> tuple[str, ...]:
    """What a tool call costs besides its arguments."""
    return ("<call>", *tokens(name), "<arguments>")


def _prompt(request: ChatRequest) -> Iterator[str]:
    yield BEGIN
    messages = list(request.messages)
    if request.thinking:
        yield from [f"<effort {request.effort}>"] * _THINKING_TOKENS
    if messages[0]["role"] == "system":
        yield "<system>"
        yield from _content(messages.pop(0))
    if request.tools:
        yield from ["<tools>"] * _TOOLS_TOKENS
        for tool in request.tools:
            yield from tokens(json.dumps(tool, ensure_ascii=False))
    if request.json_mode:
        yield from tokens(_JSON_RULE)
    for message in messages:
        yield from _message(message, request)
    if request.prefix is None:
        yield "<assistant>"
        yield THINK if request.thinking else THOUGHT


def _message(message: Message, request: ChatRequest) -> Iterator[str]:
    yield f"<{message['role']}>"
    if message["role"] == "assistant":
        # Past reasoning is read again only where tools are in play.
        reasoning = message.get("reasoning_content")
        if request.tools and request.thinking and reasoning is not None:
            yield THINK
            yield from tokens(reasoning)
        yield THOUGHT
    yield from _content(message)
    for call in items(message.get("tool_calls")):
        yield from call_tokens(call["function"]["name"])
        yield from tokens(call["function"]["arguments"])
    if message["role"] == "assistant" and not message.get("prefix"):
        yield END


def _content(message: Message) -> Iterator[str]:
    yield from tokens(text_of(message))
    for part in items(message.get("content")):
        if part["type"] == "image_url":
            image = part["image_url"]
            count = _IMAGE_TOKENS.get(image.get("detail"), _IMAGE_TOKENS_ELSE)
            yield from [f"<image {image['url']}>"] * count
