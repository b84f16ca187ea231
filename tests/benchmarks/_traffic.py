"""What programs send to MLflow: spans of several kinds of trace, with prose in them."""

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

# A text that is said again and again would be compressed to nothing.
_PROSE: Final = "\n".join(topics.values())
_KILOBYTE: Final = 1_000
_STEPS: Final = 4
# With a name, as a program in use has one: MLflow keeps it with each trace.
_SERVICE: Final = Resource.create({"service.name": "shop"})

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


def _agent(start: Start, number: int) -> None:
    with start("POST /ask"), start("invoke_agent teller", attributes=_AGENT):
        for step in range(_STEPS):
            _call(start, number + step)
            with start("execute_tool clock", attributes=_TOOL):
                pass


def _request(start: Start, number: int) -> None:
    with start("POST /ask", attributes=_REQUEST):
        _call(start, number)


def _call(start: Start, number: int) -> None:
    with start("chat deepseek-v4-flash", attributes=_CALL | _content(number)):
        pass


def _queries(start: Start, _: int) -> None:
    with start("POST /ask", attributes=_REQUEST):
        for _ in range(_STEPS):
            with start("SELECT stock", attributes=_QUERY):
                pass


# One trace of each, and how many spans it has.
TRAFFIC: Final[dict[str, tuple[Callable[[Start, int], None], int]]] = {
    "agents, four steps each": (_agent, 2 + 2 * _STEPS),
    "a web request with a call": (_request, 2),
    "a call by itself": (_call, 1),
    "a web request with SQL": (_queries, 1 + _STEPS),
}


def spans(kind: str, number: int) -> list[ReadableSpan]:
    """`number` of them or a few less, in whole traces."""
    finished = InMemorySpanExporter()
    provider = TracerProvider(resource=_SERVICE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    start = provider.get_tracer("benchmark").start_as_current_span
    make, each = TRAFFIC[kind]
    for trace in range(number // each):
        make(start, trace * each)
    return list(finished.get_finished_spans())


def _content(number: int) -> dict[str, Any]:
    """Two kilobytes."""
    asked, answered = (
        _PROSE[place : place + _KILOBYTE]
        for place in (
            (2 * number + side) * _KILOBYTE % (len(_PROSE) - _KILOBYTE)
            for side in (0, 1)
        )
    )
    return {
        "gen_ai.input.messages": _message("user", asked),
        "gen_ai.output.messages": _message("assistant", answered),
    }


def _message(role: str, text: str) -> str:
    parts = [{"type": "text", "content": text}]
    return json.dumps([{"role": role, "parts": parts, "finish_reason": "stop"}])
