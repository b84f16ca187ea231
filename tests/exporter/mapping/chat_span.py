"""Attributes of the span of a chat call, with its messages."""

from __future__ import annotations

import json
from types import MappingProxyType


def to_json(value):
    return json.dumps(value, ensure_ascii=False)


def text_message(role, content, **fields):
    return {"role": role, "parts": [{"type": "text", "content": content}], **fields}


INPUT_MESSAGES = to_json([text_message("user", "Weather?")])
OUTPUT_MESSAGES = to_json([text_message("assistant", "21 °C", finish_reason="stop")])

# The mapping keeps these, and replaces the other ones.
UNMAPPED_ATTRIBUTES = MappingProxyType(
    {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-chat",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 256,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.stream": True,
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.response.model": "deepseek-v4-flash",
        "gen_ai.response.id": "r-1",
        "gen_ai.response.finish_reasons": ("insufficient_system_resource",),
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.reasoning.output_tokens": 3,
        "deepseek.system_fingerprint": "fp",
    }
)
CHAT_ATTRIBUTES = MappingProxyType(
    {
        **UNMAPPED_ATTRIBUTES,
        "gen_ai.system_instructions": to_json(
            [{"type": "text", "content": "Be kind."}]
        ),
        "gen_ai.input.messages": INPUT_MESSAGES,
        "gen_ai.output.messages": OUTPUT_MESSAGES,
        "gen_ai.tool.definitions": to_json([{"type": "function", "name": "weather"}]),
    }
)
