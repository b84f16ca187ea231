"""What is said of spans that a server does not take."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tests.exporter.conftest import Answer, mlflow_error

from .sending import refused, to


@pytest.mark.parametrize(
    ("answer", "cause", "advice", "is_divisible"),
    [
        (
            Answer(302, headers={"Location": "/login?secret=1"}),
            "the address",
            "",
            False,
        ),
        (Answer(200, b"<p>", {"Content-Type": "text/html"}), "the address", "", False),
        (mlflow_error(400, "INVALID_PARAMETER_VALUE"), "it refuses some", "log", True),
        (Answer(413), "it refuses some of them (413)", "log", True),
        (Answer(422), "it refuses some of them (422)", "log", True),
        (Answer(401), "it wants other", "MLFLOW_TRACKING_TOKEN", False),
        (Answer(403), "it does not permit", "--allowed-hosts", False),
        (
            mlflow_error(404, "RESOURCE_DOES_NOT_EXIST"),
            "there is no experiment 7 (404 RESOURCE_DOES_NOT_EXIST)",
            "MLFLOW_EXPERIMENT_NAME",
            False,
        ),
        (Answer(404), "it has no such page (404)", "MLFLOW_TRACKING_URI", False),
        (Answer(405), "it does not take spans", "MLFLOW_TRACKING_URI", False),
        (Answer(407), "a proxy wants", "HTTP_PROXY", False),
        (Answer(501), "it keeps traces", "--backend-store-uri", False),
        (Answer(500), "it fails (500)", "log", False),
        (mlflow_error(500, "a secret"), "it fails (500)", "log", False),
    ],
)
def test_what_an_answer_means(wire, spans, answer, cause, advice, is_divisible):
    wire.answers = lambda _: answer
    server = to(wire.uri, experiment_id=7)
    why = refused(server.send, [spans.made()])
    server.close()
    assert why.cause.startswith(cause)
    assert advice in why.advice
    assert why.is_divisible is is_divisible
    assert "secret" not in why.cause + why.advice
    # Older versions of the stock exporter ask again after any of these.
    assert len(wire.requests) == 1 or answer.status >= 500


def test_a_span_that_cannot_be_encoded_is_one_of_some(wire, spans):
    server = to(wire.uri)
    why = refused(server.send, [spans.made("\ud800")])
    server.close()
    assert why.cause == "some spans cannot be encoded"
    assert why.is_divisible
    assert wire.requests == []


def test_the_stock_exporter_is_quiet_about_our_spans_alone(caplog, wire, spans):
    wire.answers = lambda _: Answer(500)
    server = to(wire.uri)
    refused(server.send, [spans.made()])
    server.close()
    assert caplog.records == []
    theirs = OTLPSpanExporter(f"{wire.uri}/v1/traces")
    theirs.export([spans.made()])
    theirs.shutdown()
    assert caplog.records[-1].levelno == logging.ERROR
