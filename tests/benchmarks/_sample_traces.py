"""Creates the spans of several kinds of traces, with natural text as content."""

from __future__ import annotations

import json
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from opentelemetry.sdk.trace import ReadableSpan

    Start = Callable[..., AbstractContextManager[object]]

# Varied text, because repeated text would be compressed to almost nothing.
_TEXT: Final = "\n".join(topics.values())
_KILOBYTE: Final = 1_000
_STEPS: Final = 4
# With a service name, as in production. MLflow stores it with each trace.
_RESOURCE: Final = Resource.create({"service.name": "shop"})

_AGENT: Final = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "teller"}
_TOOL: Final = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "clock",
    "gen_ai.tool.call.arguments": '{"zone": "UTC"}',
    "gen_ai.tool.call.result": "2026-11-22T12:00:00Z",
}
_CALL: Final = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "deepseek",
    "gen_ai.request.model": "deepseek-v4-flash",
    "gen_ai.response.model": "deepseek-v4-flash",
    "gen_ai.usage.input_tokens": 500,
    "gen_ai.usage.output_tokens": 300,
    "server.address": "api.deepseek.com",
}
_REQUEST: Final = {
    "http.request.method": "POST",
    "http.route": "/ask",
    "http.response.status_code": 200,
}
_QUERY: Final = {
    "db.system.name": "postgresql",
    "db.query.text": "SELECT name FROM stock WHERE id = ?",
}


def _create_agent(start: Start, number: int) -> None:
    with start("POST /ask"), start("invoke_agent teller", attributes=_AGENT):
        for step in range(_STEPS):
            _create_call(start, number + step)
            with start("execute_tool clock", attributes=_TOOL):
                pass


def _create_request(start: Start, number: int) -> None:
    with start("POST /ask", attributes=_REQUEST):
        _create_call(start, number)


def _create_call(start: Start, number: int) -> None:
    with start("chat deepseek-v4-flash", attributes=_CALL | _content(number)):
        pass


def _create_queries(start: Start, _: int) -> None:
    with start("POST /ask", attributes=_REQUEST):
        for _ in range(_STEPS):
            with start("SELECT stock", attributes=_QUERY):
                pass


# Maps a kind of trace to the function that creates one and its number of spans.
TRACE_KINDS: Final[dict[str, tuple[Callable[[Start, int], None], int]]] = {
    "agents with four steps": (_create_agent, 2 + 2 * _STEPS),
    "web requests with a model call": (_create_request, 2),
    "model calls only": (_create_call, 1),
    "web requests with SQL": (_create_queries, 1 + _STEPS),
}


def create_spans(kind: str, number: int) -> list[ReadableSpan]:
    """Returns up to `number` ended spans, in complete traces."""
    finished = InMemorySpanExporter()
    provider = TracerProvider(resource=_RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    start = provider.get_tracer("benchmark").start_as_current_span
    create_trace, span_count = TRACE_KINDS[kind]
    for trace in range(number // span_count):
        create_trace(start, trace * span_count)
    return list(finished.get_finished_spans())


def _content(number: int) -> dict[str, Any]:
    """Returns a question and an answer of one kilobyte each."""
    question, answer = (
        _TEXT[offset : offset + _KILOBYTE]
        for offset in (
            (2 * number + side) * _KILOBYTE % (len(_TEXT) - _KILOBYTE)
            for side in (0, 1)
        )
    )
    return {
        "gen_ai.input.messages": _message("user", question),
        "gen_ai.output.messages": _message("assistant", answer),
    }


def _message(role: str, text: str) -> str:
    parts = [{"type": "text", "content": text}]
    return json.dumps([{"role": role, "parts": parts, "finish_reason": "stop"}])
