"""How spans are put into requests, and what a process that sends them never loads."""

from __future__ import annotations

import textwrap

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.exporter.conftest import Answer
from tests.exporter.programs import run

HEAVY = {"databricks", "mlflow", "numpy", "openai", "pandas", "sqlalchemy"}


def exported(wire, spans):
    exporter = MlflowSpanExporter(tracking_uri=wire.uri, experiment_id=1)
    exporter.export(spans)
    exporter.shutdown()
    return [len(request.span_names) for request in wire.requests]


def test_what_the_sdk_gives_at_once_is_one_request(wire, spans):
    for _ in range(128):
        with spans.tracer.start_as_current_span("root"):
            for _ in range(3):
                spans.tracer.start_span("child").end()
    assert exported(wire, spans.take()) == [512]


def test_a_request_is_of_no_more_than_512_spans(wire, spans):
    with spans.tracer.start_as_current_span("root"):
        for _ in range(1_199):
            spans.tracer.start_span("child").end()
    assert exported(wire, spans.take()) == [512, 512, 176]


def test_a_request_is_of_no_more_than_200_traces(wire, spans):
    """A server's work is for each trace, and an answer is awaited for so long."""
    for _ in range(250):
        with spans.tracer.start_as_current_span("root"):
            spans.tracer.start_span("child").end()
    assert exported(wire, spans.take()) == [400, 100]


def test_requests_keep_the_order_of_the_spans(wire, spans):
    batch = [spans.made(str(number)) for number in range(450)]
    assert exported(wire, batch) == [200, 200, 50]
    sent = [name for request in wire.requests for name in request.span_names]
    assert sent == [str(number) for number in range(450)]


def test_spans_are_compressed_fast(wire, spans, monkeypatch):
    """The best compression takes as long as all else that is done to a span."""
    monkeypatch.setenv("HTTP_PROXY", wire.uri)
    exporter = MlflowSpanExporter(tracking_uri="http://10.0.0.7", experiment_id=1)
    exporter.export([spans.made("one")])
    exporter.shutdown()
    fastest = 4  # https://www.rfc-editor.org/rfc/rfc1952#page-7
    assert wire.requests[0].body[8] == fastest


def test_sending_to_a_server_loads_nothing_heavy(wire):
    """Under the instrumentation of `@mlflow.trace`, too, and where all arrives."""
    program = f"""
        import sys
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter
        exporter = MlflowSpanExporter(experiment_name="agents")
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        MlflowInstrumentor().instrument(tracer_provider=provider)
        with provider.get_tracer("t").start_as_current_span("s") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
        provider.shutdown()
        print({HEAVY} & sys.modules.keys(), exporter.dropped_spans)
    """
    wire.answers = experiment_one(wire.answers)
    printed = run(textwrap.dedent(program), MLFLOW_TRACKING_URI=wire.uri)
    assert printed == "set() 0\n"
    assert wire.requests[-1].span_names == ["s"]


def experiment_one(otherwise):
    found = b'{"experiment": {"experiment_id": "1", "lifecycle_stage": "active"}}'

    def answer(request):
        if request.method == "GET":
            return Answer(200, found, {"Content-Type": "application/json"})
        return otherwise(request)

    return answer
