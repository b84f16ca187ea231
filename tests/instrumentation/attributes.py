"""Attributes of the spans of recorded responses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dirty_equals import IsFloat, IsInt, IsStr

if TYPE_CHECKING:
    from .conftest import Telemetry

SECONDS = IsFloat(gt=0, lt=60)
TRACE_ID = {"deepseek.response.trace_id": IsStr(regex="[0-9a-f]{32}")}
ENDPOINT = {
    "gen_ai.provider.name": "deepseek",
    "server.address": "127.0.0.1",
    "server.port": IsInt(gt=0),
    "deepseek.server.type": "gateway",
}
START = {
    **ENDPOINT,
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "deepseek-flash",
}
THINKING = {
    **START,
    "gen_ai.response.id": "945bb10c-9bf3-47ff-a2a2-43bbe9705c72",
    "gen_ai.response.model": "deepseek-flash",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 97,
    "gen_ai.usage.output_tokens": 61,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.reasoning.output_tokens": 47,
    "deepseek.response.system_fingerprint": "aeb56401ca74e127821c4f9126dcb669",
}
THINKING_STREAM = {
    **START,
    "gen_ai.request.stream": True,
    "gen_ai.response.id": "cac7192e-e619-40c6-96b0-ed4276bc03ac",
    "gen_ai.response.model": "deepseek-flash",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.time_to_first_chunk": SECONDS,
    "gen_ai.usage.input_tokens": 97,
    "gen_ai.usage.output_tokens": 18,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.reasoning.output_tokens": 9,
    "deepseek.response.system_fingerprint": "aeb56401ca74e127821c4f9126dcb669",
    "deepseek.response.time_to_first_reasoning": SECONDS,
    "deepseek.response.time_to_first_answer": SECONDS,
    **TRACE_ID,
}


def content(telemetry: Telemetry, name: str) -> Any:
    """Returns the parsed JSON of a content attribute."""
    return json.loads(telemetry.span.attributes[f"gen_ai.{name}"])
