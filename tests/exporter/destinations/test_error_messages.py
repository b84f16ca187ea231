"""The errors for spans that a server does not accept."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tests.exporter.conftest import Answer, mlflow_error

from .destination import export_error, new_destination


@pytest.mark.parametrize(
    ("answer", "cause", "advice", "is_divisible"),
    [
        (
            Answer(302, headers={"Location": "/login?secret=1"}),
            "the response does not come from MLflow (302)",
            "",
            False,
        ),
        (
            Answer(200, b"<p>", {"Content-Type": "text/html"}),
            "the response does not come from MLflow (200)",
            "",
            False,
        ),
        (
            mlflow_error(400, "INVALID_PARAMETER_VALUE"),
            "the server rejects some",
            "log",
            True,
        ),
        (Answer(413), "the server rejects some of the spans (413)", "log", True),
        (Answer(422), "the server rejects some of the spans (422)", "log", True),
        (
            Answer(401),
            "the server requires valid credentials",
            "MLFLOW_TRACKING_TOKEN",
            False,
        ),
        (Answer(403), "the server denies permission", "--allowed-hosts", False),
        (
            mlflow_error(404, "RESOURCE_DOES_NOT_EXIST"),
            "experiment 7 does not exist (404 RESOURCE_DOES_NOT_EXIST)",
            "MLFLOW_EXPERIMENT_NAME",
            False,
        ),
        (
            Answer(404),
            "the server does not have this path (404)",
            "MLFLOW_TRACKING_URI",
            False,
        ),
        (
            Answer(405),
            "the server does not accept spans at this path",
            "MLFLOW_TRACKING_URI",
            False,
        ),
        (Answer(407), "the proxy requires credentials", "HTTP_PROXY", False),
        (
            Answer(501),
            "the server's trace store does not accept spans",
            "--backend-store-uri",
            False,
        ),
        (Answer(500), "the request failed (500)", "log", False),
        (mlflow_error(500, "a secret"), "the request failed (500)", "log", False),
    ],
)
def test_error_response_gives_cause_and_advice(
    wire, spans, answer, cause, advice, is_divisible
):
    wire.answers = lambda _: answer
    destination = new_destination(wire.uri, experiment_id=7)
    error = export_error(destination, [spans.made()])
    destination.close()
    assert error.cause.startswith(cause)
    assert advice in error.advice
    assert error.is_divisible is is_divisible
    assert "secret" not in error.cause + error.advice
    # Older versions of OTLPSpanExporter retry after each of these statuses.
    assert len(wire.requests) == 1 or answer.status >= 500


def test_span_that_cannot_be_encoded_makes_divisible_error(wire, spans):
    destination = new_destination(wire.uri)
    error = export_error(destination, [spans.made("\ud800")])
    destination.close()
    assert error.cause == "some spans cannot be encoded"
    assert error.is_divisible
    assert wire.requests == []


def test_otlp_exporter_logs_only_exports_of_other_exporters(caplog, wire, spans):
    wire.answers = lambda _: Answer(500)
    destination = new_destination(wire.uri)
    export_error(destination, [spans.made()])
    destination.close()
    assert caplog.records == []
    other_exporter = OTLPSpanExporter(f"{wire.uri}/v1/traces")
    other_exporter.export([spans.made()])
    other_exporter.shutdown()
    assert caplog.records[-1].levelno == logging.ERROR
