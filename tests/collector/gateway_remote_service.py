"""A separate process that adds spans to existing traces.

It reads one JSON list of `traceparent` values from each line of its standard input, and
ends a span with a child span for each of them. Its argument is the OTLP endpoint of an
agent.
"""

from __future__ import annotations

import json
import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import (
    TraceContextTextMapPropagator,
)


def main():
    provider = TracerProvider(resource=Resource({"service.name": "remote"}))
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(f"{sys.argv[1]}/v1/traces"))
    )
    tracer = provider.get_tracer("remote")
    for line in sys.stdin:
        for traceparent in json.loads(line):
            context = TraceContextTextMapPropagator().extract(
                {"traceparent": traceparent}
            )
            with (
                tracer.start_as_current_span("remote", context),
                tracer.start_as_current_span("remote child"),
            ):
                pass
        provider.force_flush()


if __name__ == "__main__":
    main()
