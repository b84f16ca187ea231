"""Spans of text completions (FIM)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .attributes import ENDPOINT, TRACE_ID, content
from .conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

FIM = {"model": "deepseek-v4-pro", "prompt": "def fib(a):", "suffix": "    + fib(a-2)"}


@pytest.mark.parametrize("method", ["create", "with_raw_response.create"])
def test_text_completion_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    method: str,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("fim.json"))

    call(method, resource="completions", **FIM, max_tokens=64)

    assert telemetry.span.name == "text_completion deepseek-v4-pro"
    assert content(telemetry, "input.messages") == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "def fib(a):"},
                {"type": "text", "content": "    + fib(a-2)"},
            ],
        }
    ]
    assert content(telemetry, "output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "text",
                    "content": "    if a <= 1:\n        return a\n    return fib(a-1)",
                }
            ],
            "finish_reason": "stop",
        }
    ]
    attributes = {
        name: value
        for name, value in telemetry.span.attributes.items()
        if "messages" not in name
    }
    assert attributes == {
        **ENDPOINT,
        **(TRACE_ID if "raw" in method else {}),
        "gen_ai.operation.name": "text_completion",
        "gen_ai.request.model": "deepseek-v4-pro",
        "gen_ai.request.max_tokens": 64,
        "gen_ai.response.id": "8b1e7f0c-2f0e-4a6f-9f5d-1f3f0a9a7f10",
        "gen_ai.response.model": "deepseek-v4-pro",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 21,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "deepseek.response.system_fingerprint": "aeb56401ca74e127821c4f9126dcb669",
    }


def test_streamed_text_completion_is_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("fim.sse"))

    call(resource="completions", **FIM, stream=True)

    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert telemetry.span.attributes["gen_ai.usage.output_tokens"] == 3
    assert content(telemetry, "output.messages")[0]["parts"] == [
        {"type": "text", "content": "    return fib(a-1)"}
    ]


def test_several_prompts_are_several_messages(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("fim.json"))
    call(resource="completions", model="deepseek-v4-pro", prompt=["a", "b"])
    assert [m["parts"][0]["content"] for m in content(telemetry, "input.messages")] == [
        "a",
        "b",
    ]
