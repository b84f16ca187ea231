"""Sends traces of two spans to a gateway, and checks them in MLflow."""

from __future__ import annotations

import time
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode, format_trace_id, set_span_in_context

FORCE_SAMPLING = {"sampling.priority": 1}


@contextmanager
def tracer_provider_for(agent):
    provider = TracerProvider(resource=Resource({"service.name": "gateway"}))
    exporter = OTLPSpanExporter(f"{agent.endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=100))
    yield provider
    provider.shutdown()


@contextmanager
def tracer_for(agent):
    with tracer_provider_for(agent) as provider:
        yield provider.get_tracer("gateway")


def send_traces(agent, count, attributes=None, status=StatusCode.UNSET, seconds=1.0):
    """Sends traces of two spans and returns their ids.

    The second span gets the attributes and the status. Each trace lasts `seconds`.
    """
    trace_ids = []
    start = time.time_ns() - 60_000_000_000
    end = start + round(seconds * 1e9)
    with tracer_for(agent) as tracer:
        for _ in range(count):
            root = tracer.start_span("question", start_time=start)
            call = tracer.start_span(
                "chat deepseek-chat",
                set_span_in_context(root),
                start_time=start,
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.usage.input_tokens": 7,
                    "gen_ai.usage.output_tokens": 2,
                    **(attributes or {}),
                },
            )
            call.set_status(Status(status))
            call.end(end)
            root.end(end)
            trace_ids.append(format_trace_id(root.get_span_context().trace_id))
    return set(trace_ids)


def is_complete(trace):
    return len(trace.data.spans) == 2 and trace.info.state == "OK"


def is_stored_once(trace):
    return is_complete(trace) and trace.info.token_usage == {
        "input_tokens": 7,
        "output_tokens": 2,
        "total_tokens": 9,
    }
