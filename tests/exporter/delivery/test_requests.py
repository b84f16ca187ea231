"""How spans are put into requests, and what a process that sends them never loads."""

from __future__ import annotations

import textwrap

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.exporter.conftest import Response
from tests.exporter.programs import run

HEAVY = {"databricks", "mlflow", "numpy", "openai", "pandas", "sqlalchemy"}


def exported(fake_server, spans):
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, experiment_id=1)
    exporter.export(spans)
    exporter.shutdown()
    return [len(request.span_names) for request in fake_server.requests]


def test_a_batch_of_the_sdk_is_one_request(fake_server, spans):
    for _ in range(128):
        with spans.tracer.start_as_current_span("root"):
            for _ in range(3):
                spans.tracer.start_span("child").end()
    assert exported(fake_server, spans.take()) == [512]


def test_a_request_has_at_most_512_spans(fake_server, spans):
    with spans.tracer.start_as_current_span("root"):
        for _ in range(1_199):
            spans.tracer.start_span("child").end()
    assert exported(fake_server, spans.take()) == [512, 512, 176]


def test_a_request_has_at_most_200_traces(fake_server, spans):
    """A server's work is for each trace, and an answer is awaited for so long."""
    for _ in range(250):
        with spans.tracer.start_as_current_span("root"):
            spans.tracer.start_span("child").end()
    assert exported(fake_server, spans.take()) == [400, 100]


def test_requests_keep_the_order_of_the_spans(fake_server, spans):
    batch = [spans.make(str(number)) for number in range(450)]
    assert exported(fake_server, batch) == [200, 200, 50]
    sent = [name for request in fake_server.requests for name in request.span_names]
    assert sent == [str(number) for number in range(450)]


def test_spans_are_compressed_at_the_fastest_level(fake_server, spans, monkeypatch):
    """The best compression takes as long as all else that is done to a span."""
    monkeypatch.setenv("HTTP_PROXY", fake_server.uri)
    exporter = MlflowSpanExporter(tracking_uri="http://10.0.0.7", experiment_id=1)
    exporter.export([spans.make("one")])
    exporter.shutdown()
    fastest = 4  # https://www.rfc-editor.org/rfc/rfc1952#page-7
    assert fake_server.requests[0].body[8] == fastest


def test_export_to_a_server_imports_no_heavy_package(fake_server):
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
    fake_server.respond = experiment_one(fake_server.respond)
    printed = run(textwrap.dedent(program), MLFLOW_TRACKING_URI=fake_server.uri)
    assert printed == "set() 0\n"
    assert fake_server.requests[-1].span_names == ["s"]


def experiment_one(otherwise):
    found = b'{"experiment": {"experiment_id": "1", "lifecycle_stage": "active"}}'

    def answer(request):
        if request.method == "GET":
            return Response(200, found, {"Content-Type": "application/json"})
        return otherwise(request)

    return answer
