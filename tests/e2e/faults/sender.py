"""A program that makes spans at a rate, and ends. It prints one JSON object a line.

    python -m tests.e2e.faults.sender --exporter mlflow --rate 100 --seconds 20

The events are `started`, `sent` when all spans have ended, `ending` when the program
begins to end, and `ended` with what was measured. With `--wait`, the program waits for
a line of input before it ends.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import time
from typing import TYPE_CHECKING, Any

import psutil
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry import trace

from .events import parser, report, report_sent
from .exporters import MeasuredExporter, create_exporter

if TYPE_CHECKING:
    import argparse

    from opentelemetry.trace import Tracer

SPANS_PER_TRACE = 5
INPUT_TOKENS = 7  # of each chat span; a trace has one
_WARM_UP_SECONDS = 1.0


def main() -> None:
    options = _parser().parse_args()
    if options.debug:
        logging.basicConfig(level=logging.DEBUG)
    exporter = MeasuredExporter(create_exporter(options.exporter))
    provider = TracerProvider(resource=Resource({"service.name": "faults"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    if options.exit_flush:
        _enable_exit_flush()
    sender = Sender(provider.get_tracer("faults"), options)
    report("started")
    sender.send()
    report_sent(sender.sent, waits=options.wait)
    longest_export = exporter.longest_export
    start = time.monotonic()
    provider.shutdown()
    report(
        "ended",
        sent=sender.sent,
        dropped=exporter.dropped_spans,
        p99_milliseconds=sender.p99_milliseconds,
        memory_growth=sender.memory_growth,
        longest_export=longest_export,
        shutdown_seconds=time.monotonic() - start,
    )


def _parser() -> argparse.ArgumentParser:
    options = parser()
    option = options.add_argument
    option("--rate", type=float, default=100, help="spans a second")
    option("--seconds", type=float, default=0)
    option("--spans", type=int, help="number of spans, made at once")
    option("--payload", type=int, default=0, help="characters of a chat span")
    option("--poison", type=int, help="the number of a span with the word 'poison'")
    option("--big", type=int, default=0, help="characters of the first chat span")
    option("--exit-flush", action="store_true", help="flush at SIGTERM")
    option("--debug", action="store_true", help="log to stderr at DEBUG")
    return options


def _enable_exit_flush() -> None:
    try:
        from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor
    except ImportError:
        return
    ExitFlushInstrumentor().instrument()


class Sender:
    """Makes traces of a chat call in a chain, and measures what a span costs."""

    def __init__(self, tracer: Tracer, options: argparse.Namespace) -> None:
        self._tracer = tracer
        self._options = options
        self._durations: list[float] = []
        self._process = psutil.Process()
        self._memory = self._peak_memory = self._process.memory_info().rss
        # A killed process leaves a byte for each span in this file.
        path = os.environ.get("FAULTS_ENDED_SPANS")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._ended_spans = os.open(path, flags) if path else None
        self.sent = 0

    def send(self) -> None:
        options = self._options
        start = time.monotonic()
        has_warmed_up = False
        for index in itertools.count():
            now = time.monotonic() - start
            if options.spans is None:
                due = index * SPANS_PER_TRACE / options.rate
                if due >= options.seconds:
                    return
                time.sleep(max(0.0, due - now))
            elif self.sent >= options.spans:
                return
            self._make_trace()
            if index % 20 == 0:
                memory = self._process.memory_info().rss
                self._peak_memory = max(self._peak_memory, memory)
            if not has_warmed_up and now > _WARM_UP_SECONDS:
                has_warmed_up = True
                self._memory = self._peak_memory

    def _make_trace(self) -> None:
        spans = SPANS_PER_TRACE
        if self._options.spans is not None:
            spans = min(spans, self._options.spans - self.sent)
        root, seconds = self._timed_start("request", None)
        durations = [seconds]
        context = trace.set_span_in_context(root)
        for index in range(spans - 1):
            name = "chat" if index == 0 else "step"
            span, seconds = self._timed_start(name, context)
            if index == 0:
                self._set_chat_attributes(span)
            durations.append(seconds + self._timed_end(span))
        durations[0] += self._timed_end(root)
        self._durations += durations
        if self._ended_spans is not None:
            os.write(self._ended_spans, b"." * spans)

    def _timed_start(self, name: str, context: Any) -> tuple[Any, float]:
        start = time.perf_counter()
        span = self._tracer.start_span(name, context)
        return span, time.perf_counter() - start

    def _timed_end(self, span: trace.Span) -> float:
        if self.sent == self._options.poison:
            span.set_attribute("text", "poison")
        start = time.perf_counter()
        span.end()
        self.sent += 1
        return time.perf_counter() - start

    def _set_chat_attributes(self, span: trace.Span) -> None:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "deepseek",
                "gen_ai.request.model": "deepseek-flash",
                "gen_ai.usage.input_tokens": INPUT_TOKENS,
                "gen_ai.usage.output_tokens": 1,
            }
        )
        length = (self.sent == 0 and self._options.big) or self._options.payload
        if length:
            span.set_attribute("gen_ai.input.messages", _messages(length))

    @property
    def p99_milliseconds(self) -> float:
        durations = sorted(self._durations)
        return 1000 * durations[len(durations) * 99 // 100] if durations else 0.0

    @property
    def memory_growth(self) -> int:
        return self._peak_memory - self._memory


def _messages(length: int) -> str:
    part = {"type": "text", "content": "x" * length}
    return json.dumps([{"role": "user", "parts": [part]}])


if __name__ == "__main__":
    main()
