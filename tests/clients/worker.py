"""Runs a client's program, instrumented, in the environment of the client.

`python -m tests.clients.worker PROGRAM FILE` writes to the file, as JSON, the HTTP
exchanges with the simulator and the recorded spans.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

if TYPE_CHECKING:
    from examples.simulator import Exchange

# The functions that a program may define: a question with a tool, a streamed question,
# and the question with a tool without thinking. DeepSeek refuses some clients with
# thinking.
CALLS = ("chat", "stream", "chat_without_thinking")


class _StartedSpanCounter(SpanProcessor):
    count = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.count += 1


class _WarningHandler(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def main(program: str, file: str) -> None:
    spans, started, warnings = (
        InMemorySpanExporter(),
        _StartedSpanCounter(),
        _WarningHandler(),
    )
    logging.getLogger("opentelemetry").addHandler(warnings)
    provider = TracerProvider()
    provider.add_span_processor(started)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    DeepSeekInstrumentor().instrument(tracer_provider=provider, hosts=["127.0.0.1"])
    module = importlib.import_module(f"tests.clients.programs.{program}")
    outputs: dict[str, str] = {}
    with Simulator() as deepseek:
        for name in CALLS:
            if call := getattr(module, name, None):
                try:
                    outputs[name] = call(deepseek.base_url)
                except Exception as error:  # noqa: BLE001  # reported, not raised
                    outputs[name] = f"{type(error).__name__}: {error}"
        exchanges = [_exchange(e) for e in deepseek.exchanges if e.method == "POST"]
    record = {
        "openai": _openai_version(),
        "outputs": outputs,
        "warnings": warnings.messages,
        "exchanges": exchanges,
        "started": started.count,
        "spans": [json.loads(s.to_json()) for s in spans.get_finished_spans()],
    }
    Path(file).write_text(json.dumps(record), encoding="utf-8")


def _openai_version() -> str:
    try:
        return version("openai")
    except PackageNotFoundError:
        return "none"


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "request": exchange.request_json,
        "status": exchange.status,
        "response_body": exchange.response_body.decode(),
        "usage": exchange.usage,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
