"""A question and an answer, and the span of their call."""

from __future__ import annotations

import json
from types import MappingProxyType


def dumped(value):
    return json.dumps(value, ensure_ascii=False)


def said(role, content, **more):
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


QUESTION = dumped([said("user", "Weather?")])
ANSWER = dumped([said("assistant", "21 °C", finish_reason="stop")])

# MLflow is sent these as they are; the others it is sent in its own words.
KEPT = MappingProxyType(
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
CHAT = MappingProxyType(
    {
        **KEPT,
        "gen_ai.system_instructions": dumped([{"type": "text", "content": "Be kind."}]),
        "gen_ai.input.messages": QUESTION,
        "gen_ai.output.messages": ANSWER,
        "gen_ai.tool.definitions": dumped([{"type": "function", "name": "weather"}]),
    }
)
