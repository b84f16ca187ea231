"""Another process with spans of the same traces.

Reads a list of `traceparent`s from each line of its input, and ends a span with a child
for each; the first argument is its agent.
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
    provider = TracerProvider(resource=Resource({"service.name": "part"}))
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(f"{sys.argv[1]}/v1/traces"))
    )
    tracer = provider.get_tracer("part")
    for line in sys.stdin:
        for traceparent in json.loads(line):
            context = TraceContextTextMapPropagator().extract(
                {"traceparent": traceparent}
            )
            with (
                tracer.start_as_current_span("elsewhere", context),
                tracer.start_as_current_span("deep elsewhere"),
            ):
                pass
        provider.force_flush()


if __name__ == "__main__":
    main()
