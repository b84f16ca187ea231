"""Attributes of the spans of the bodies in bodies.py."""

from __future__ import annotations

from typing import Final

from tests.instrumentation.attributes import ENDPOINT, SECONDS, TRACE_ID

from .bodies import ID

REQUEST: Final = {
    **ENDPOINT,
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "deepseek-flash",
    "gen_ai.request.max_tokens": 1000,
}
ANSWER: Final = {
    **REQUEST,
    "gen_ai.response.id": ID,
    "gen_ai.response.model": "deepseek-flash",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 97,
    "gen_ai.usage.output_tokens": 61,
    "gen_ai.usage.cache_read.input_tokens": 64,
}
STREAM: Final = {
    **ANSWER,
    **TRACE_ID,
    "gen_ai.request.stream": True,
    "gen_ai.response.time_to_first_chunk": SECONDS,
    "deepseek.response.time_to_first_reasoning": SECONDS,
    "deepseek.response.time_to_first_answer": SECONDS,
}
