"""Export through an OTLP receiver, for example a collector's."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._destinations import ExportError, create_destination
from tests.exporter.conftest import Response, run_fake_server

ENDPOINT = "OTEL_EXPORTER_MLFLOW_ENDPOINT"
HEADERS = "OTEL_EXPORTER_MLFLOW_HEADERS"
CERTIFICATE = "OTEL_EXPORTER_MLFLOW_CERTIFICATE"
LOG = "See the receiver's log for the reason"


def new_destination(endpoint=None, tracking_uri=None):
    return create_destination(
        endpoint=endpoint,
        tracking_uri=tracking_uri,
        experiment_id=None,
        experiment_name=None,
        timeout=2,
    )


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
def test_receiver_gets_translated_spans(monkeypatch, fake_server, spans, path):
    monkeypatch.setenv(ENDPOINT, fake_server.uri + path)
    exporter = MlflowSpanExporter()
    span = spans.make("chat deepseek", {"gen_ai.operation.name": "chat"})
    assert exporter.export([span]) is SpanExportResult.SUCCESS
    (request,) = fake_server.requests
    (received_span,) = request.spans
    attributes = {
        attribute.key: attribute.value for attribute in received_span.attributes
    }
    assert request.path == "/v1/traces"
    assert attributes["mlflow.spanType"].string_value == "CHAT_MODEL"
    exporter.shutdown()


def test_endpoint_takes_precedence_over_tracking_uri_and_sets_no_experiment(
    monkeypatch, fake_server, spans, caplog
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "agents")
    caplog.set_level(logging.INFO, "opentelemetry.exporter.mlflow")
    destination = new_destination(fake_server.uri)
    destination.send([spans.make()])
    destination.send([spans.make()])
    assert [request.path for request in fake_server.requests] == ["/v1/traces"] * 2
    assert "x-mlflow-experiment-id" not in fake_server.requests[0].headers
    assert [record.getMessage() for record in caplog.records] == [
        (
            "Exporting spans to MLflow through the OTLP receiver at "
            f"{fake_server.uri} (the argument endpoint), which selects the experiment"
        )
    ]


def test_only_headers_of_receiver_are_sent(monkeypatch, fake_server, spans):
    monkeypatch.setenv(HEADERS, "authorization=Bearer%20token,x-team=red")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-other=blue")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "mlflow-token")
    new_destination(fake_server.uri).send([spans.make()])
    headers = fake_server.requests[0].headers
    assert (headers["authorization"], headers["x-team"]) == ("Bearer token", "red")
    assert "x-other" not in headers
    assert "mlflow-token" not in str(headers)


def test_certificate_is_verified(monkeypatch, tls, certificate, spans):
    with run_fake_server(tls) as fake_server:
        with pytest.raises(ExportError, match="the TLS connection failed") as raised:
            new_destination(fake_server.uri).send([spans.make()])
        assert raised.value.advice == (
            f"Set {CERTIFICATE} to the certificate of the authority that signed the "
            "server's certificate"
        )
        monkeypatch.setenv(CERTIFICATE, certificate)
        new_destination(fake_server.uri).send([spans.make()])
        assert len(fake_server.requests) == 1


@pytest.mark.parametrize(
    ("status", "cause", "advice", "is_divisible"),
    [
        (
            302,
            "the response does not come from an OTLP receiver (302)",
            f"Set {ENDPOINT} to the URL of an",
            False,
        ),
        (400, "the receiver rejects some of the spans (400)", LOG, True),
        (
            401,
            "the receiver requires valid credentials (401)",
            f"Check {HEADERS}",
            False,
        ),
        (
            404,
            "the receiver does not accept traces at this path (404)",
            f"Set {ENDPOINT} to a",
            False,
        ),
        (413, "the receiver rejects some of the spans (413)", LOG, True),
        (429, "the receiver is overloaded (429)", LOG, False),
        (500, "the request failed (500)", LOG, True),
    ],
)
def test_error_response_gives_cause_and_advice(
    fake_server, spans, status, cause, advice, is_divisible
):
    fake_server.respond = lambda _: Response(status, b"", {"Location": "/elsewhere"})
    with pytest.raises(ExportError) as raised:
        new_destination(fake_server.uri).send([spans.make()])
    assert raised.value.cause == cause
    assert raised.value.advice.startswith(advice)
    assert raised.value.is_divisible is is_divisible


@pytest.mark.e2e
def test_endpoint_that_is_an_mlflow_server_is_reported(mlflow_server, spans):
    with pytest.raises(ExportError) as raised:
        new_destination(mlflow_server).send([spans.make()])
    assert raised.value.cause == "the endpoint is an MLflow server (422)"
    assert raised.value.advice.startswith("Set MLFLOW_TRACKING_URI to this address")
    assert not raised.value.is_divisible


def test_endpoint_that_is_a_web_page_is_reported(fake_server, spans):
    fake_server.respond = lambda _: Response(200, b"<p>", {"Content-Type": "text/html"})
    with pytest.raises(ExportError) as raised:
        new_destination(fake_server.uri).send([spans.make()])
    assert raised.value.cause == (
        "the response does not come from an OTLP receiver (200)"
    )


def test_connection_error_names_endpoint_variable(spans):
    with pytest.raises(ExportError) as raised:
        new_destination("http://127.0.0.1:9").send([spans.make()])
    assert raised.value.advice.startswith(f"Start the receiver, or correct {ENDPOINT}")


@pytest.mark.parametrize("endpoint", ["localhost:4319", "grpc://localhost:4319"])
def test_invalid_endpoint_raises_value_error(endpoint):
    with pytest.raises(ValueError, match="the argument endpoint must be the URL of"):
        new_destination(endpoint)


def test_missing_certificate_file_raises_value_error(monkeypatch):
    monkeypatch.setenv(CERTIFICATE, "/nowhere.pem")
    with pytest.raises(
        ValueError, match=f"{CERTIFICATE} must be the path of a PEM file"
    ):
        new_destination("https://localhost:4319")


def test_address_contains_no_secrets(fake_server, spans):
    destination = new_destination(fake_server.uri.replace("//", "//user:password@"))
    destination.send([spans.make()])
    assert destination.address == fake_server.uri


def test_fork_opens_new_connection(fake_server, spans):
    destination = new_destination(fake_server.uri)
    destination.send([spans.make()])
    destination.after_fork()
    destination.send([spans.make()])
    destination.close()
    assert len(fake_server.requests) == 2
