"""Runs a program under the instrumentation, in the program's own environment.

`python -m tests.clients.inside PROGRAM FILE` writes to the file, as JSON, what the
simulator was asked and what was recorded.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.simulator import Simulator
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

if TYPE_CHECKING:
    from examples.simulator import Exchange

# What a program may have: a question with a tool, a stream, and the tool once more
# without thinking, for a client that DeepSeek refuses with it.
WAYS = ("whole", "streamed", "unthinking")


class _Started(SpanProcessor):
    count = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.count += 1


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def main(program: str, file: str) -> None:
    spans, started, warnings = InMemorySpanExporter(), _Started(), _Warnings()
    logging.getLogger("opentelemetry").addHandler(warnings)
    provider = TracerProvider()
    provider.add_span_processor(started)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    DeepSeekInstrumentor().instrument(tracer_provider=provider, hosts=["127.0.0.1"])
    module = importlib.import_module(f"tests.clients.programs.{program}")
    said: dict[str, str] = {}
    with Simulator() as deepseek:
        for way in WAYS:
            if ask := getattr(module, way, None):
                try:
                    said[way] = ask(deepseek.base_url)
                except Exception as error:  # noqa: BLE001  # theirs: for the table
                    said[way] = f"{type(error).__name__}: {error}"
        exchanges = [_exchange(e) for e in deepseek.exchanges if e.method == "POST"]
    seen = {
        "openai": version("openai"),
        "said": said,
        "warnings": warnings.said,
        "exchanges": exchanges,
        "started": started.count,
        "spans": [json.loads(s.to_json()) for s in spans.get_finished_spans()],
    }
    Path(file).write_text(json.dumps(seen), encoding="utf-8")


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "asked": exchange.json,
        "status": exchange.status,
        "answer": exchange.answer.decode(),
        "usage": exchange.usage,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
