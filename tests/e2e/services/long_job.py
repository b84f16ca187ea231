"""Jobs with many spans or a long duration: `python long_job.py otel_spans`."""

import json
import sys
import time

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter

CALL_COUNT = 5_000
HOUR = 3600 * 10**9

provider = TracerProvider()
# The default queue holds 2,048 spans.
provider.add_span_processor(
    BatchSpanProcessor(MlflowSpanExporter(), max_queue_size=2 * CALL_COUNT)
)
tracer = provider.get_tracer("job")


def message(role, text):
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def call(start=None, end=None, question="?", answer="."):
    tracer.start_span(
        "chat deepseek-flash",
        start_time=start,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": message("user", question),
            "gen_ai.output.messages": message("assistant", answer),
            "gen_ai.usage.input_tokens": 2,
            "gen_ai.usage.output_tokens": 1,
        },
    ).end(end)


def otel_spans():
    with tracer.start_as_current_span("job"):
        for _ in range(CALL_COUNT):
            call()


def mlflow_spans():
    MlflowInstrumentor().instrument(tracer_provider=provider)
    import mlflow

    mlflow.trace(make_calls)()
    mlflow.flush_trace_async_logging()


def make_calls():
    for _ in range(CALL_COUNT):
        call()


def six_hours():
    """Takes six hours; each call is exported when it ends."""
    now = time.time_ns()
    start = now - 6 * HOUR
    with tracer.start_as_current_span(
        "job", start_time=start, end_on_exit=False
    ) as job:
        call(start, start + HOUR, question="The first question?")
        provider.force_flush()
        call(now - HOUR, now, answer="The last answer.")
        provider.force_flush()
    job.end(now)


globals()[sys.argv[1]]()
provider.shutdown()
