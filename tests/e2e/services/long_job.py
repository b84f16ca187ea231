"""Jobs whose trace is large or takes long: `python long_job.py plain`."""

import json
import sys
import time

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter

MANY = 5_000
HOUR = 3600 * 10**9

provider = TracerProvider()
# The queue of the default is for 2,048 spans.
provider.add_span_processor(
    BatchSpanProcessor(MlflowSpanExporter(), max_queue_size=2 * MANY)
)
tracer = provider.get_tracer("job")


def message(role, text):
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def call(started=None, ended=None, asked="?", answered="."):
    tracer.start_span(
        "chat deepseek-flash",
        start_time=started,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": message("user", asked),
            "gen_ai.output.messages": message("assistant", answered),
            "gen_ai.usage.input_tokens": 2,
            "gen_ai.usage.output_tokens": 1,
        },
    ).end(ended)


def plain():
    with tracer.start_as_current_span("job"):
        for _ in range(MANY):
            call()


def of_mlflow():
    MlflowInstrumentor().instrument(tracer_provider=provider)
    import mlflow

    mlflow.trace(plain_calls)()
    mlflow.flush_trace_async_logging()


def plain_calls():
    for _ in range(MANY):
        call()


def slow():
    """Six hours; each call is exported when it is over, and other work between."""
    now = time.time_ns()
    begun = now - 6 * HOUR
    with tracer.start_as_current_span(
        "job", start_time=begun, end_on_exit=False
    ) as job:
        call(begun, begun + HOUR, asked="What was asked first?")
        provider.force_flush()
        call(now - HOUR, now, answered="What was answered last.")
        provider.force_flush()
    job.end(now)


globals()[sys.argv[1]]()
provider.shutdown()
