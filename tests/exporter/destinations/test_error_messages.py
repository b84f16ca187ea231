"""The errors for spans that a server does not accept."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tests.exporter.conftest import Response, error_response

from .destination import export_error, new_destination


@pytest.mark.parametrize(
    ("answer", "cause", "advice", "is_divisible"),
    [
        (
            Response(302, headers={"Location": "/login?secret=1"}),
            "the response does not come from MLflow (302)",
            "",
            False,
        ),
        (
            Response(200, b"<p>", {"Content-Type": "text/html"}),
            "the response does not come from MLflow (200)",
            "",
            False,
        ),
        (
            error_response(400, "INVALID_PARAMETER_VALUE"),
            "MLflow rejects some",
            "log",
            True,
        ),
        (Response(413), "MLflow rejects some of the spans (413)", "log", True),
        (Response(422), "MLflow rejects some of the spans (422)", "log", True),
        (
            Response(401),
            "MLflow requires valid credentials",
            "MLFLOW_TRACKING_TOKEN",
            False,
        ),
        (Response(403), "MLflow denies permission", "--allowed-hosts", False),
        (
            error_response(404, "RESOURCE_DOES_NOT_EXIST"),
            "experiment 7 does not exist (404 RESOURCE_DOES_NOT_EXIST)",
            "MLFLOW_EXPERIMENT_NAME",
            False,
        ),
        (
            Response(404),
            "the server does not have this path (404)",
            "MLFLOW_TRACKING_URI",
            False,
        ),
        (
            Response(405),
            "the server does not accept spans at this path",
            "MLFLOW_TRACKING_URI",
            False,
        ),
        (Response(407), "the proxy requires credentials", "HTTP_PROXY", False),
        (
            Response(501),
            "MLflow's trace store does not accept spans",
            "--backend-store-uri",
            False,
        ),
        (Response(500), "the request failed (500)", "log", True),
        (error_response(500, "a secret"), "the request failed (500)", "log", True),
    ],
)
def test_error_response_gives_cause_and_advice(
    fake_server, spans, answer, cause, advice, is_divisible
):
    fake_server.respond = lambda _: answer
    destination = new_destination(fake_server.uri, experiment_id=7)
    error = export_error(destination, [spans.make()])
    destination.close()
    assert error.cause.startswith(cause)
    assert advice in error.advice
    assert error.is_divisible is is_divisible
    assert "secret" not in error.cause + error.advice
    # OTLPSpanExporter retries after some of these statuses. The queue does it instead.
    paths = [request.path for request in fake_server.requests]
    assert paths.count("/v1/traces") == 1


def test_span_that_cannot_be_encoded_makes_divisible_error(fake_server, spans):
    destination = new_destination(fake_server.uri)
    error = export_error(destination, [spans.make("\ud800")])
    destination.close()
    assert error.cause == "some spans cannot be encoded"
    assert error.is_divisible
    assert fake_server.requests == []


def test_otlp_exporter_logs_only_exports_of_other_exporters(caplog, fake_server, spans):
    fake_server.respond = lambda _: Response(500)
    destination = new_destination(fake_server.uri)
    export_error(destination, [spans.make()])
    destination.close()
    assert caplog.records == []
    other_exporter = OTLPSpanExporter(f"{fake_server.uri}/v1/traces")
    other_exporter.export([spans.make()])
    other_exporter.shutdown()
    assert caplog.records[-1].levelno == logging.ERROR
