"""Measures the CPU time that the MLflow exporter takes per span, without delivery.

    python -m tests.benchmarks.exporter [--rounds 30]

Measured is the CPU time of the calling thread (`time.thread_time`) in
`MlflowSpanExporter.export`, with a destination that counts spans and drops them. It
includes the mapping, the cost, the content of the root span and the copies, in batches
of 512, which is the default of the SDK's span processor. For comparison, the same
rounds measure how long the SDK takes to create the same spans without an exporter.
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

_BATCH_SIZE: Final = 512
_TARGET_MICROSECONDS: Final = 60.0

_QUESTION: Final = "What does the weather in Paris ask of a tourist in November? " * 12
_REASONING: Final = "The tool's answer is in; light rain, 9 °C, so an umbrella. " * 7
_ANSWER: Final = "Take an umbrella: it rains a little, and 9 °C is cool. " * 8


def _chat_attributes() -> dict[str, Any]:
    input_messages = [
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
    output_messages = [
        _message(
            "assistant",
            {"type": "reasoning", "content": _REASONING},
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
        "gen_ai.input.messages": _to_json(input_messages),
        "gen_ai.output.messages": _to_json(output_messages),
    }


def _message(role: str, *parts: dict[str, Any], **fields: str) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)} | fields


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


CASES: Final[dict[str, dict[str, Any]]] = {
    "a chat call with content": _chat_attributes(),
    "a chat call without content": {
        name: value
        for name, value in _chat_attributes().items()
        if "messages" not in name
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


class _DroppingDestination:
    """Counts and drops spans; see `opentelemetry.exporter.mlflow._destinations`."""

    address = "none"
    wants_whole_traces = False

    def __init__(self) -> None:
        self.span_count = 0

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        self.span_count += len(spans)

    def close(self) -> None:
        pass

    def after_fork(self) -> None:
        pass


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.exporter")
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args(arguments).rounds
    out = sys.stdout
    out.write(
        "| | content | span creation | export | best round | ratio to creation |\n"
    )
    out.write("|---|---:|---:|---:|---:|---:|\n")
    for title, attributes in CASES.items():
        creation_times, export_times = _measure(attributes, rounds)
        creation, export = median(creation_times), median(export_times)
        size = sum(
            len(str(value).encode())
            for name, value in attributes.items()
            if "messages" in name
        )
        out.write(
            f"| {title} | {size} B | {creation:.1f} µs | {export:.1f} µs "
            f"| {min(export_times):.1f} µs | {export / creation:.2f} |\n"
        )
    out.write(
        f"\nTarget for a chat call with content: at most "
        f"{_TARGET_MICROSECONDS:.0f} µs.\n"
    )


def _measure(
    attributes: dict[str, Any], rounds: int
) -> tuple[list[float], list[float]]:
    """Returns the µs per span of each round, for its creation and for its export."""
    provider = TracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("benchmark")
    finished = InMemorySpanExporter()
    recording_provider = TracerProvider(shutdown_on_exit=False)
    recording_provider.add_span_processor(SimpleSpanProcessor(finished))
    destination = _DroppingDestination()
    exporter = MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
    # The benchmark does not measure a connection.
    exporter._destination = destination  # type: ignore[assignment]
    creation_times: list[float] = []
    export_times: list[float] = []
    for _ in range(rounds):
        creation_times.append(_cpu_time(lambda: _create_spans(tracer, attributes)))
        _create_spans(recording_provider.get_tracer("benchmark"), attributes)
        spans = finished.get_finished_spans()
        finished.clear()
        export_times.append(_cpu_time(lambda spans=spans: exporter.export(spans)))
    exporter.shutdown()
    if destination.span_count != rounds * _BATCH_SIZE:
        missing = rounds * _BATCH_SIZE - destination.span_count
        raise SystemExit(f"{missing} spans were not exported.")
    return creation_times, export_times


def _create_spans(tracer: Tracer, attributes: dict[str, Any]) -> None:
    """Creates request spans with seven chat spans each."""
    for _ in range(_BATCH_SIZE // 8):
        with tracer.start_as_current_span("POST /ask", attributes=attributes):
            for _ in range(7):
                tracer.start_span("chat", attributes=attributes).end()


def _cpu_time(function: Callable[[], object]) -> float:
    start = time.thread_time()
    function()
    return (time.thread_time() - start) / _BATCH_SIZE * 1e6


if __name__ == "__main__":
    main()
