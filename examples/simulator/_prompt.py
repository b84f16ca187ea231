"""The prompt as the model reads it, in tokens: `prompt_tokens` in the usage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ._chat_request import message_text
from ._json import array_items
from ._tokenizer import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._chat_request import ChatRequest, Message

PROMPT_START, MESSAGE_END = "<begin>", "<end>"
THINKING_START, THINKING_END = "<think>", "</think>"
# Thinking adds about 79 prompt tokens, as observed on the live API in 2026. The
# instructions for tools are about 200 tokens long in deepseek-recipe 0.2.0.
_THINKING_TOKENS = 79
_TOOL_INSTRUCTION_TOKENS = 200
_IMAGE_TOKENS_BY_DETAIL = {"low": 64}
_DEFAULT_IMAGE_TOKENS = 256
_JSON_MODE_INSTRUCTION = 'Response Format: strictly adhere to {"type": "json_object"}'


def prompt_tokens(request: ChatRequest) -> list[str]:
    """Returns the tokens of the whole prompt, in the order that the cache compares."""
    return list(_prompt(request))


def tool_call_tokens(name: str) -> tuple[str, ...]:
    """Returns the tokens of a tool call other than its arguments."""
    return ("<call>", *tokenize(name), "<arguments>")


def _prompt(request: ChatRequest) -> Iterator[str]:
    yield PROMPT_START
    messages = list(request.messages)
    if request.thinking:
        yield from [f"<effort {request.effort}>"] * _THINKING_TOKENS
    if messages[0]["role"] == "system":
        yield "<system>"
        yield from _content(messages.pop(0))
    if request.tools:
        yield from ["<tools>"] * _TOOL_INSTRUCTION_TOKENS
        for tool in request.tools:
            yield from tokenize(json.dumps(tool, ensure_ascii=False))
    if request.json_mode:
        yield from tokenize(_JSON_MODE_INSTRUCTION)
    for message in messages:
        yield from _message(message, request)
    if request.prefix is None:
        yield "<assistant>"
        yield THINKING_START if request.thinking else THINKING_END


def _message(message: Message, request: ChatRequest) -> Iterator[str]:
    yield f"<{message['role']}>"
    if message["role"] == "assistant":
        # The model reads past reasoning only in requests with tools.
        reasoning = message.get("reasoning_content")
        if request.tools and request.thinking and reasoning is not None:
            yield THINKING_START
            yield from tokenize(reasoning)
        yield THINKING_END
    yield from _content(message)
    for call in array_items(message.get("tool_calls")):
        yield from tool_call_tokens(call["function"]["name"])
        yield from tokenize(call["function"]["arguments"])
    if message["role"] == "assistant" and not message.get("prefix"):
        yield MESSAGE_END


def _content(message: Message) -> Iterator[str]:
    yield from tokenize(message_text(message))
    for part in array_items(message.get("content")):
        if part["type"] == "image_url":
            image = part["image_url"]
            count = _IMAGE_TOKENS_BY_DETAIL.get(
                image.get("detail"), _DEFAULT_IMAGE_TOKENS
            )
            yield from [f"<image {image['url']}>"] * count
