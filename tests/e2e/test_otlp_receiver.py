"""examples/otlp_receiver receives telemetry from the OTLP exporters of the SDK."""

from __future__ import annotations

import gzip
import subprocess
import sys
import urllib.request
from http import HTTPStatus
from urllib.error import HTTPError

import pytest
from dirty_equals import IsPartialDict, IsStr
from google.rpc.status_pb2 import Status
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from examples.otlp_receiver import OtlpReceiver

pytestmark = pytest.mark.e2e
RESOURCE = Resource({"service.name": "test"})


@pytest.fixture
def receiver():
    with OtlpReceiver() as receiver:
        yield receiver


def post(url, body, **headers):
    request = urllib.request.Request(
        url, body, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.status, error.read()


@pytest.mark.parametrize("compression", Compression)
def test_received_span_equals_exported_span(receiver, compression):
    provider = TracerProvider(resource=RESOURCE)
    exporter = OTLPSpanExporter(
        f"{receiver.endpoint}/v1/traces", compression=compression
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("scope")
    with tracer.start_as_current_span("parent"):
        span = tracer.start_span(
            "child", kind=SpanKind.CLIENT, start_time=2_000_000_000
        )
        span.set_attributes({"text": "é", "count": 2, "ratio": 0.5, "list": ["a", "b"]})
        span.add_event("happened", {"n": 1})
        span.set_status(StatusCode.ERROR, "why")
        span.end(3_500_000_000)
    provider.shutdown()

    child, parent = receiver.spans
    assert child.trace_id == f"{span.get_span_context().trace_id:032x}"
    assert child.span_id == f"{span.get_span_context().span_id:016x}"
    assert (child.parent_id, parent.parent_id) == (parent.span_id, "")
    assert (child.kind, parent.kind) == ("CLIENT", "INTERNAL")
    assert (child.status, child.status_message) == ("ERROR", "why")
    assert child.attributes == {
        "text": "é",
        "count": 2,
        "ratio": 0.5,
        "list": ["a", "b"],
    }
    assert child.events == [("happened", {"n": 1})]
    assert child.resource == {"service.name": "test"}
    assert (child.scope, child.seconds) == ("scope", 1.5)


def test_metrics_and_logs_are_received(receiver):
    metrics = MeterProvider(
        [
            PeriodicExportingMetricReader(
                OTLPMetricExporter(f"{receiver.endpoint}/v1/metrics")
            )
        ],
        RESOURCE,
    )
    meter = metrics.get_meter("scope")
    meter.create_counter("calls", "1").add(3, {"kind": "x"})
    meter.create_histogram("duration", "s").record(0.25, {"kind": "x"})
    metrics.shutdown()

    logs = LoggerProvider(RESOURCE)
    logs.add_log_record_processor(
        SimpleLogRecordProcessor(OTLPLogExporter(f"{receiver.endpoint}/v1/logs"))
    )
    logs.get_logger("scope").emit(
        LogRecord(timestamp=7, body={"text": "hello"}, event_name="greeting")
    )
    logs.shutdown()

    assert [(m.name, m.unit, m.points) for m in receiver.metrics] == [
        ("calls", "1", [({"kind": "x"}, 3)]),
        ("duration", "s", [({"kind": "x"}, {"sum": 0.25, "count": 1})]),
    ]
    (record,) = receiver.logs
    assert (record.event_name, record.body) == ("greeting", {"text": "hello"})
    assert (record.time_ns, record.resource) == (7, {"service.name": "test"})


def test_request_body_is_stored_decompressed(receiver):
    response = post(
        f"{receiver.endpoint}/v1/traces",
        gzip.compress(b""),
        Content_Type="application/x-protobuf",
        Content_Encoding="gzip",
    )
    assert response == (HTTPStatus.OK, b"")
    (request,) = receiver.requests
    assert (request.path, request.body) == ("/v1/traces", b"")
    assert request.headers == IsPartialDict({"content-encoding": "gzip"})


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v1/profiles", b"", {}, HTTPStatus.NOT_FOUND),
        ("/v1/traces", b"\xff", {}, HTTPStatus.BAD_REQUEST),
        (
            "/v1/traces",
            b"not gzip",
            {"Content_Encoding": "gzip"},
            HTTPStatus.BAD_REQUEST,
        ),
        (
            "/v1/traces",
            b"",
            {"Content_Encoding": "zstd"},
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            "/v1/traces",
            b"{}",
            {"Content_Type": "application/json"},
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ),
    ],
)
def test_unsupported_request_is_rejected_with_a_message(
    receiver, path, body, headers, status
):
    headers = {"Content_Type": "application/x-protobuf", **headers}
    response_status, response_body = post(receiver.endpoint + path, body, **headers)
    assert response_status == status
    assert Status.FromString(response_body).message == IsStr(min_length=5)
    assert receiver.requests == []


def test_command_line_prints_one_line_per_span():
    command = [sys.executable, "-u", "-m", "examples.otlp_receiver", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout.readline, "")
            hint = next(
                line for line in lines if "OTEL_EXPORTER_OTLP_ENDPOINT=" in line
            )
            endpoint = hint.split("OTEL_EXPORTER_OTLP_ENDPOINT=")[1].split()[0]
            provider = TracerProvider(resource=RESOURCE)
            provider.add_span_processor(
                SimpleSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces"))
            )
            with provider.get_tracer("scope").start_as_current_span("greet") as span:
                span.set_attribute("gen_ai.usage.input_tokens", 12)
                span.set_attribute("gen_ai.usage.output_tokens", 3)
            provider.shutdown()
            line = next(lines)
        finally:
            process.terminate()
    trace_id = f"{span.get_span_context().trace_id:032x}"
    assert line.split()[1:] == [
        IsStr(regex=r"\d+\.\d{3}"),
        "s",
        "12",
        "→",
        "3",
        "tokens",
        trace_id,
        "greet",
    ]
