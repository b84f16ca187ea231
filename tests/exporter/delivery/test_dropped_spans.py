"""Spans that are lost: no more than need be, counted, and each cause said once."""

from __future__ import annotations

import logging
import threading

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._replace_span import replace_span
from tests.exporter.conftest import Response, error_response

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture
def lines(caplog):
    """What was logged since the last call."""

    def taken():
        assert all(record.exc_info is None for record in caplog.records)
        messages = [record.getMessage() for record in caplog.records]
        assert all("\n" not in message for message in messages)
        caplog.clear()
        return messages

    return taken


def unreached(fake_server, cause, advice):
    return (
        f"Cannot export spans to MLflow at {fake_server.uri}: {cause}. {advice}. "
        "This cause is logged once; dropped spans are counted."
    )


def lost(fake_server, number, cause):
    return f"Spans not exported to MLflow at {fake_server.uri}: {number} ({cause})"


def poisonous(request):
    if any(name.startswith("bad") for name in request.span_names):
        return error_response(400, "INVALID_PARAMETER_VALUE")
    return Response()


def accepted(fake_server):
    return sorted(
        name
        for request in fake_server.requests
        if poisonous(request).status == 200
        for name in request.span_names
    )


def test_one_bad_span_is_lost_alone(fake_server, exporter, spans, lines):
    fake_server.respond = poisonous
    good = [f"good {number:03}" for number in range(199)]
    batch = [spans.make(name) for name in [*good[:77], "bad", *good[77:]]]
    assert exporter.export(batch) is FAILURE
    assert accepted(fake_server) == good
    assert len(fake_server.requests) <= 17
    assert exporter.dropped_spans == 1
    refused = "MLflow rejects some of the spans (400 INVALID_PARAMETER_VALUE)"
    advice = (
        "See MLflow's log for the reason; the other spans of the batch are sent "
        "without them"
    )
    assert lines() == [unreached(fake_server, refused, advice)]
    assert exporter.export([spans.make("good"), spans.make("bad")]) is FAILURE
    assert exporter.export([spans.make("good")]) is SUCCESS
    assert lines() == []
    exporter.shutdown()
    assert lines() == [lost(fake_server, 2, refused)]


def test_the_search_for_bad_spans_ends(fake_server, exporter, spans):
    fake_server.respond = poisonous
    exporter.export([spans.make(f"bad {number}") for number in range(200)])
    assert exporter.dropped_spans == 200
    assert len(fake_server.requests) <= 65


def test_a_span_that_cannot_be_encoded_is_lost_alone(fake_server, exporter, spans):
    impossible = replace_span(spans.make(), resource=Resource({}, schema_url=1970))
    batch = [spans.make("one"), impossible, spans.make("two")]
    assert exporter.export(batch) is FAILURE
    assert accepted(fake_server) == ["one", "two"]
    assert exporter.dropped_spans == 1


def test_a_server_that_refuses_everything_is_asked_once(fake_server, exporter, spans):
    fake_server.respond = lambda _: Response(401)
    exporter.export([spans.make() for _ in range(450)])
    assert exporter.dropped_spans == 450
    assert len(fake_server.requests) == 1


def test_each_cause_is_said_once_until_it_is_over(fake_server, exporter, spans, lines):
    def export(answer):
        fake_server.respond = lambda _: answer
        return exporter.export([spans.make(), spans.make()])

    assert export(Response(500)) is FAILURE
    assert export(Response(500)) is FAILURE
    assert export(Response(403)) is FAILURE
    assert export(Response(500)) is FAILURE
    first, second = lines()
    assert first == unreached(
        fake_server, "the request failed (500)", "See MLflow's log for the reason"
    )
    assert "MLflow denies permission (403). Check the user's permission" in second
    assert export(Response()) is SUCCESS
    again = f"Export to MLflow at {fake_server.uri} works again. Dropped spans"
    assert lines() == [
        f"{again}: 6 (the request failed (500))",
        f"{again}: 2 (MLflow denies permission (403))",
    ]
    assert export(Response(500)) is FAILURE
    assert len(lines()) == 1
    assert exporter.dropped_spans == 10
    exporter.shutdown()
    exporter.shutdown()
    assert lines() == [lost(fake_server, 2, "the request failed (500)")]


def test_a_log_handler_may_end_spans_itself(fake_server, spans, lines):
    fake_server.respond = lambda _: Response(500)
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)

    class Tracing(logging.Handler):
        def emit(self, record):
            exporter.export([spans.make("while logging")])

    handler = Tracing()
    logger = logging.getLogger("opentelemetry.exporter.mlflow")
    logger.addHandler(handler)
    try:
        assert exporter.export([spans.make()]) is FAILURE
        assert exporter.dropped_spans == 2
        exporter.shutdown()
        assert exporter.dropped_spans == 4
    finally:
        logger.removeHandler(handler)
    assert len(lines()) == 3


def test_no_secret_is_said(monkeypatch, fake_server, spans, lines):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok-secret")
    uri = fake_server.uri.replace("//", "//user-secret:pw-secret@")
    fake_server.respond = lambda _: error_response(401, "")
    exporter = MlflowSpanExporter(tracking_uri=uri)
    exporter.export([spans.make()])
    exporter.shutdown()
    said = "".join(lines())
    assert fake_server.uri in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "where",
    ["_span_translator.map_attributes", "_content._pending.ContentJoiner.join"],
)
def test_a_defect_of_ours_is_not_the_applications(
    monkeypatch, fake_server, exporter, spans, lines, where
):
    monkeypatch.setattr(f"opentelemetry.exporter.mlflow.{where}", lambda *_: 1 / 0)
    assert exporter.export([spans.make()]) is FAILURE
    assert exporter.dropped_spans == 1
    defect = "an internal error of the exporter (ZeroDivisionError)"
    advice = "Please report it, with the version of mlflow"
    assert lines() == [unreached(fake_server, defect, advice)]


def test_after_shutdown_nothing_is_sent(fake_server, exporter, spans, lines):
    exporter.shutdown()
    assert exporter.export([spans.make(), spans.make()]) is FAILURE
    assert fake_server.requests == []
    assert exporter.dropped_spans == 2
    (line,) = lines()
    assert "the exporter was shut down before" in line


def test_threads_may_export_at_once(fake_server, exporter, spans, lines):
    fake_server.respond = lambda request: (
        Response(500) if "bad" in request.span_names else Response()
    )
    batches = [[spans.make("bad" if n % 2 else "good")] for n in range(40)]
    results = {}

    def export(n):
        results[n] = exporter.export(batches[n])

    threads = [threading.Thread(target=export, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: FAILURE if n % 2 else SUCCESS for n in range(40)}
    assert exporter.dropped_spans == 20
