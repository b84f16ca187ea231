"""Traces of agents that call DeepSeek, as many as one likes."""

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

_AT_ONCE: Final = 50  # traces in a request

# An agent's turn: it asks, calls a tool, and asks again.
_STEPS: Final = ("invoke_agent", "chat", "execute_tool", "chat")
CALLS: Final = _STEPS.count("chat")
SPANS: Final = len(_STEPS)


def send(sidecar: Collector, requests: Iterable[bytes]) -> None:
    for body in requests:
        request = urllib.request.Request(
            f"{sidecar.endpoint}/v1/traces",
            body,
            {"content-type": "application/x-protobuf"},
        )
        with urllib.request.urlopen(request, timeout=120):
            pass


def requests_of(traces: int, size: int) -> Iterator[bytes]:
    chance = random.Random()  # other ids for the warming
    words = ["".join(chance.choices("aeilnorstu", k=6)) for _ in range(4000)]
    for _ in range(traces // _AT_ONCE):
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        _put(group.resource.attributes, {"service.name": "load"})
        spans = group.scope_spans.add().spans
        for _ in range(_AT_ONCE):
            trace, root = chance.randbytes(16), chance.randbytes(8)
            now = time.time_ns()
            for number, step in enumerate(_STEPS):
                span = spans.add(
                    trace_id=trace,
                    span_id=chance.randbytes(8) if number else root,
                    parent_span_id=root if number else b"",
                    name=step,
                    start_time_unix_nano=now,
                    end_time_unix_nano=now + 2_000_000_000,
                )
                _put(span.attributes, {"gen_ai.operation.name": step})
                if step == "chat":
                    said = " ".join(chance.choices(words, k=size // 7))
                    asked, answered = said[: size * 3 // 4], said[size * 3 // 4 :]
                    _put(span.attributes, _call(asked, answered))
        yield request.SerializeToString()


def _call(asked: str, answered: str) -> dict[str, str | int]:
    message = '[{"role": "%s", "parts": [{"type": "text", "content": "%s"}]}]'
    return {
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-chat",
        "gen_ai.response.model": "deepseek-chat",
        "gen_ai.response.id": "a4d27b3e-2b3a-4c5c-9a75-0f6e8d2b1c3d",
        "gen_ai.input.messages": message % ("user", asked),
        "gen_ai.output.messages": message % ("assistant", answered),
        "gen_ai.usage.input_tokens": len(asked) // 4,
        "gen_ai.usage.output_tokens": len(answered) // 4,
        "server.address": "api.deepseek.com",
        "server.port": 443,
    }


def _put(attributes: Any, values: Mapping[str, str | int]) -> None:
    for key, value in values.items():
        put = attributes.add(key=key).value
        if isinstance(value, str):
            put.string_value = value
        else:
            put.int_value = value
