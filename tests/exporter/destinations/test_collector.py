"""By way of an OTLP receiver, such as a collector's."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._destinations import ExportError, create_destination
from tests.exporter.conftest import Answer, serving

ENDPOINT = "OTEL_EXPORTER_MLFLOW_ENDPOINT"
HEADERS = "OTEL_EXPORTER_MLFLOW_HEADERS"
CERTIFICATE = "OTEL_EXPORTER_MLFLOW_CERTIFICATE"


def to(endpoint=None, tracking_uri=None):
    return create_destination(
        endpoint=endpoint,
        tracking_uri=tracking_uri,
        experiment_id=None,
        experiment_name=None,
        timeout=2,
    )


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
def test_it_is_sent_what_mlflow_would_be(monkeypatch, wire, spans, path):
    monkeypatch.setenv(ENDPOINT, wire.uri + path)
    exporter = MlflowSpanExporter()
    said = spans.made("chat deepseek", {"gen_ai.operation.name": "chat"})
    assert exporter.export([said]) is SpanExportResult.SUCCESS
    (request,) = wire.requests
    (of_resource,) = request.message.resource_spans
    sent = {
        one.key: one.value for one in of_resource.scope_spans[0].spans[0].attributes
    }
    assert request.path == "/v1/traces"
    assert sent["mlflow.spanType"].string_value == "CHAT_MODEL"
    exporter.shutdown()


def test_it_goes_before_an_address_of_mlflow_and_asks_for_no_experiment(
    monkeypatch, wire, spans, caplog
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    caplog.set_level(logging.INFO, "opentelemetry.exporter.mlflow")
    place = to(wire.uri)
    place.send([spans.made()])
    place.send([spans.made()])
    assert [request.path for request in wire.requests] == ["/v1/traces"] * 2
    assert "x-mlflow-experiment-id" not in wire.requests[0].headers
    assert [record.getMessage() for record in caplog.records] == [
        (
            f"Spans go to MLflow by way of {wire.uri} (the argument endpoint), which "
            "chooses the experiment"
        )
    ]


def test_it_is_told_its_own_headers_and_nobody_elses(monkeypatch, wire, spans):
    monkeypatch.setenv(HEADERS, "authorization=Bearer%20ours,x-team=red")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-other=theirs")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "mlflows")
    to(wire.uri).send([spans.made()])
    headers = wire.requests[0].headers
    assert (headers["authorization"], headers["x-team"]) == ("Bearer ours", "red")
    assert "x-other" not in headers
    assert "mlflows" not in str(headers)


def test_its_certificate_is_checked(monkeypatch, tls, certificate, spans):
    with serving(tls) as wire:
        with pytest.raises(ExportError, match="no safe connection") as refused:
            to(wire.uri).send([spans.made()])
        assert refused.value.advice == (
            f"Set {CERTIFICATE} to the authority that signed the server's certificate"
        )
        monkeypatch.setenv(CERTIFICATE, certificate)
        to(wire.uri).send([spans.made()])
        assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("status", "cause", "advice", "is_divisible"),
    [
        (302, "the address leads elsewhere (302)", f"Set {ENDPOINT} to an", False),
        (400, "it refuses some of them (400)", "Its own log has", True),
        (401, "it wants other credentials (401)", f"Check {HEADERS}", False),
        (404, "it takes no traces there (404)", f"Set {ENDPOINT} to a", False),
        (413, "it refuses some of them (413)", "Its own log has", True),
        (429, "it has too much to do (429)", "Its own log", False),
        (500, "it fails (500)", "Its own log", False),
    ],
)
def test_a_refusal_says_what_to_do(wire, spans, status, cause, advice, is_divisible):
    wire.answers = lambda _: Answer(status, b"", {"Location": "/elsewhere"})
    with pytest.raises(ExportError) as refused:
        to(wire.uri).send([spans.made()])
    assert refused.value.cause == cause
    assert refused.value.advice.startswith(advice)
    assert refused.value.is_divisible is is_divisible


def test_where_nobody_answers_its_own_variable_is_blamed(spans):
    with pytest.raises(ExportError) as refused:
        to("http://127.0.0.1:9").send([spans.made()])
    assert refused.value.advice == f"Start the server, or correct {ENDPOINT}"


@pytest.mark.parametrize("endpoint", ["localhost:4319", "grpc://localhost:4319"])
def test_an_address_that_is_none_is_refused_at_once(endpoint):
    with pytest.raises(ValueError, match="the argument endpoint takes the address of"):
        to(endpoint)


def test_a_file_that_is_not_there_is_refused_at_once(monkeypatch):
    monkeypatch.setenv(CERTIFICATE, "/nowhere.pem")
    with pytest.raises(ValueError, match=f"{CERTIFICATE} takes the path of a PEM file"):
        to("https://localhost:4319")


def test_no_secret_of_the_address_is_said(wire, spans):
    place = to(wire.uri.replace("//", "//user:password@"))
    place.send([spans.made()])
    assert place.address == wire.uri


def test_a_child_process_has_a_connection_of_its_own(wire, spans):
    place = to(wire.uri)
    place.send([spans.made()])
    place.after_fork()
    place.send([spans.made()])
    place.close()
    assert len(wire.requests) == 2
