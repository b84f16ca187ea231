"""What the MLflow exporter does to a span before it is sent.

    python -m tests.benchmarks.exporter [--rounds 30]

Measured is the CPU time of the calling thread (`time.thread_time`) in the whole of
`MlflowSpanExporter.export`, over a destination that counts spans and drops them: the
mapping, the cost, what the root borrows, the copies, in batches of 512 as the SDK's
processor gives them. Beside it, in the same rounds, is what the SDK takes to make the
same spans with the same attributes for nobody.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from opentelemetry.exporter.mlflow import MlflowSpanExporter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

_SPANS: Final = 512
_BUDGET: Final = 60.0

_QUESTION: Final = "What does the weather in Paris ask of a tourist in November? " * 12
_THOUGHT: Final = "The tool's answer is in; light rain, 9 °C, so an umbrella. " * 7
_ANSWER: Final = "Take an umbrella: it rains a little, and 9 °C is cool. " * 8


def _chat() -> dict[str, Any]:
    asked = [
        _message("system", _text("You are kind, and brief.")),
        _message("user", _text(_QUESTION)),
        _message(
            "assistant",
            {
                "type": "tool_call",
                "id": "call_00_a",
                "name": "weather",
                "arguments": {"city": "Paris"},
            },
        ),
        _message(
            "tool",
            {"type": "tool_call_response", "id": "call_00_a", "response": "9 °C"},
        ),
    ]
    answered = [
        _message(
            "assistant",
            {"type": "reasoning", "content": _THOUGHT},
            _text(_ANSWER),
            finish_reason="stop",
        )
    ]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-v4-flash",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 256,
        "gen_ai.request.stream": True,
        "server.address": "api.deepseek.com",
        "server.port": 443,
        "gen_ai.conversation.id": "c-1",
        "gen_ai.response.id": "bba429ed-5061-492f-b792-5f0b86703df2",
        "gen_ai.response.model": "deepseek-v4-flash",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.31,
        "gen_ai.usage.input_tokens": 415,
        "gen_ai.usage.output_tokens": 235,
        "gen_ai.usage.cache_read.input_tokens": 384,
        "gen_ai.usage.reasoning.output_tokens": 119,
        "gen_ai.input.messages": _dumped(asked),
        "gen_ai.output.messages": _dumped(answered),
    }


def _message(role: str, *parts: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)} | more


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


CASES: Final[dict[str, dict[str, Any]]] = {
    "a chat call with its content": _chat(),
    "a chat call without content": {
        name: value for name, value in _chat().items() if "messages" not in name
    },
    "a web request": {
        "http.request.method": "POST",
        "http.route": "/ask",
        "http.response.status_code": 200,
        "url.path": "/ask",
        "url.scheme": "https",
        "server.address": "shop.example",
        "user_agent.original": "Mozilla/5.0",
    },
}


class _Nowhere:
    """A destination; see `opentelemetry.exporter.mlflow._destinations`."""

    address = "nowhere"
    wants_whole_traces = False

    def __init__(self) -> None:
        self.arrived = 0

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        self.arrived += len(spans)

    def close(self) -> None:
        pass

    def after_fork(self) -> None:
        pass


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.exporter")
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args(arguments).rounds
    out = sys.stdout
    out.write("| | content | a bare span | export | best round | of a bare span |\n")
    out.write("|---|---:|---:|---:|---:|---:|\n")
    for title, attributes in CASES.items():
        made, taken = _measured(attributes, rounds)
        bare, exported = median(made), median(taken)
        size = sum(
            len(str(value).encode())
            for name, value in attributes.items()
            if "messages" in name
        )
        out.write(
            f"| {title} | {size} B | {bare:.1f} µs | {exported:.1f} µs "
            f"| {min(taken):.1f} µs | {exported / bare:.2f} |\n"
        )
    out.write(f"\nA chat call with its content is to take {_BUDGET:.0f} µs at most.\n")


def _measured(
    attributes: dict[str, Any], rounds: int
) -> tuple[list[float], list[float]]:
    """Microseconds a span in each round: to make it, and to export it."""
    provider = TracerProvider(shutdown_on_exit=False)
    bare = provider.get_tracer("bare")
    finished = InMemorySpanExporter()
    kept = TracerProvider(shutdown_on_exit=False)
    kept.add_span_processor(SimpleSpanProcessor(finished))
    nowhere = _Nowhere()
    exporter = MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
    # Nothing is to be measured of a connection.
    exporter._destination = nowhere  # type: ignore[assignment]
    made: list[float] = []
    exported: list[float] = []
    for _ in range(rounds):
        made.append(_cpu(lambda: _make(bare, attributes)))
        _make(kept.get_tracer("kept"), attributes)
        spans = finished.get_finished_spans()
        finished.clear()
        exported.append(_cpu(lambda spans=spans: exporter.export(spans)))
    exporter.shutdown()
    if nowhere.arrived != rounds * _SPANS:
        raise SystemExit(f"{rounds * _SPANS - nowhere.arrived} spans did not arrive")
    return made, exported


def _make(tracer: Tracer, attributes: dict[str, Any]) -> None:
    """As calls below the spans of requests: one request for seven calls."""
    for _ in range(_SPANS // 8):
        with tracer.start_as_current_span("POST /ask", attributes=attributes):
            for _ in range(7):
                tracer.start_span("chat", attributes=attributes).end()


def _cpu(run: Callable[[], object]) -> float:
    began = time.thread_time()
    run()
    return (time.thread_time() - began) / _SPANS * 1e6


if __name__ == "__main__":
    main()
