"""Generates traces of agents that call DeepSeek, and sends them to a collector."""

from __future__ import annotations

import random
import time
import urllib.request
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from examples.otelcol import Collector

_TRACES_PER_REQUEST: Final = 50

# The spans of a trace: an agent calls DeepSeek, runs a tool, and calls DeepSeek again.
_OPERATIONS: Final = ("invoke_agent", "chat", "execute_tool", "chat")
CALLS_PER_TRACE: Final = _OPERATIONS.count("chat")
SPANS_PER_TRACE: Final = len(_OPERATIONS)


def send_requests(agent: Collector, requests: Iterable[bytes]) -> None:
    for body in requests:
        request = urllib.request.Request(
            f"{agent.endpoint}/v1/traces",
            body,
            {"content-type": "application/x-protobuf"},
        )
        with urllib.request.urlopen(request, timeout=120):
            pass


def export_requests(trace_count: int, text_length: int) -> Iterator[bytes]:
    """Yields encoded export requests; each call has a text of about this length."""
    generator = random.Random()  # not seeded: each run needs new ids
    words = ["".join(generator.choices("aeilnorstu", k=6)) for _ in range(4000)]
    for _ in range(trace_count // _TRACES_PER_REQUEST):
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        _set_attributes(resource_spans.resource.attributes, {"service.name": "load"})
        spans = resource_spans.scope_spans.add().spans
        for _ in range(_TRACES_PER_REQUEST):
            trace_id, root_id = generator.randbytes(16), generator.randbytes(8)
            now = time.time_ns()
            for index, operation in enumerate(_OPERATIONS):
                span = spans.add(
                    trace_id=trace_id,
                    span_id=generator.randbytes(8) if index else root_id,
                    parent_span_id=root_id if index else b"",
                    name=operation,
                    start_time_unix_nano=now,
                    end_time_unix_nano=now + 2_000_000_000,
                )
                _set_attributes(span.attributes, {"gen_ai.operation.name": operation})
                if operation == "chat":
                    text = " ".join(generator.choices(words, k=text_length // 7))
                    prompt_length = text_length * 3 // 4
                    _set_attributes(
                        span.attributes,
                        _call_attributes(text[:prompt_length], text[prompt_length:]),
                    )
        yield request.SerializeToString()


def _call_attributes(prompt: str, answer: str) -> dict[str, str | int]:
    message = '[{"role": "%s", "parts": [{"type": "text", "content": "%s"}]}]'
    return {
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-chat",
        "gen_ai.response.model": "deepseek-chat",
        "gen_ai.response.id": "a4d27b3e-2b3a-4c5c-9a75-0f6e8d2b1c3d",
        "gen_ai.input.messages": message % ("user", prompt),
        "gen_ai.output.messages": message % ("assistant", answer),
        "gen_ai.usage.input_tokens": len(prompt) // 4,
        "gen_ai.usage.output_tokens": len(answer) // 4,
        "server.address": "api.deepseek.com",
        "server.port": 443,
    }


def _set_attributes(attributes: Any, values: Mapping[str, str | int]) -> None:
    for key, value in values.items():
        any_value = attributes.add(key=key).value
        if isinstance(value, str):
            any_value.string_value = value
        else:
            any_value.int_value = value
