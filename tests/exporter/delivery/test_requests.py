"""The size of requests, and the packages that an export does not import."""

from __future__ import annotations

import textwrap

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.exporter.conftest import Response
from tests.exporter.programs import run

HEAVY_PACKAGES = {"databricks", "mlflow", "numpy", "openai", "pandas", "sqlalchemy"}


def export_and_count_spans(fake_server, spans):
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, experiment_id=1)
    exporter.export(spans)
    exporter.shutdown()
    return [len(request.span_names) for request in fake_server.requests]


def test_a_batch_of_the_sdk_is_one_request(fake_server, spans):
    for _ in range(128):
        with spans.tracer.start_as_current_span("root"):
            for _ in range(3):
                spans.tracer.start_span("child").end()
    assert export_and_count_spans(fake_server, spans.take()) == [512]


def test_a_request_has_at_most_512_spans(fake_server, spans):
    with spans.tracer.start_as_current_span("root"):
        for _ in range(1_199):
            spans.tracer.start_span("child").end()
    assert export_and_count_spans(fake_server, spans.take()) == [512, 512, 176]


def test_a_request_has_at_most_200_traces(fake_server, spans):
    """The server needs time for each trace, and the response must not time out."""
    for _ in range(250):
        with spans.tracer.start_as_current_span("root"):
            spans.tracer.start_span("child").end()
    assert export_and_count_spans(fake_server, spans.take()) == [400, 100]


def test_requests_keep_the_order_of_the_spans(fake_server, spans):
    batch = [spans.make(str(number)) for number in range(450)]
    assert export_and_count_spans(fake_server, batch) == [200, 200, 50]
    sent_names = [
        name for request in fake_server.requests for name in request.span_names
    ]
    assert sent_names == [str(number) for number in range(450)]


def test_spans_are_compressed_at_the_fastest_level(fake_server, spans, monkeypatch):
    """The best compression takes as long as the rest of the export."""
    monkeypatch.setenv("HTTP_PROXY", fake_server.uri)
    exporter = MlflowSpanExporter(tracking_uri="http://10.0.0.7", experiment_id=1)
    exporter.export([spans.make("one")])
    exporter.shutdown()
    fastest = 4  # https://www.rfc-editor.org/rfc/rfc1952#page-7
    assert fake_server.requests[0].body[8] == fastest


def test_instrumented_export_to_a_server_imports_no_heavy_package(fake_server):
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
        print({HEAVY_PACKAGES} & sys.modules.keys(), exporter.dropped_spans)
    """
    fake_server.respond = respond_with_experiment(fake_server.respond)
    output = run(textwrap.dedent(program), MLFLOW_TRACKING_URI=fake_server.uri)
    assert output == "set() 0\n"
    assert fake_server.requests[-1].span_names == ["s"]


def respond_with_experiment(respond_to_export):
    experiment = b'{"experiment": {"experiment_id": "1", "lifecycle_stage": "active"}}'

    def respond(request):
        if request.method == "GET":
            return Response(200, experiment, {"Content-Type": "application/json"})
        return respond_to_export(request)

    return respond
