"""Spans that are lost: no more than need be, counted, and each cause said once."""

from __future__ import annotations

import logging
import threading

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._replace_span import replace_span
from tests.exporter.conftest import Answer, mlflow_error

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


def unreached(wire, cause, advice):
    return (
        f"Cannot export spans to MLflow at {wire.uri}: {cause}. {advice}. "
        "This cause is logged once; dropped spans are counted."
    )


def lost(wire, number, cause):
    return f"Spans not exported to MLflow at {wire.uri}: {number} ({cause})"


def poisonous(request):
    if any(name.startswith("bad") for name in request.span_names):
        return mlflow_error(400, "INVALID_PARAMETER_VALUE")
    return Answer()


def accepted(wire):
    return sorted(
        name
        for request in wire.requests
        if poisonous(request).status == 200
        for name in request.span_names
    )


def test_one_bad_span_is_lost_alone(wire, exporter, spans, lines):
    wire.answers = poisonous
    good = [f"good {number:03}" for number in range(199)]
    batch = [spans.made(name) for name in [*good[:77], "bad", *good[77:]]]
    assert exporter.export(batch) is FAILURE
    assert accepted(wire) == good
    assert len(wire.requests) <= 17
    assert exporter.dropped_spans == 1
    refused = "the server rejects some of the spans (400 INVALID_PARAMETER_VALUE)"
    advice = (
        "See the server's log for the reason; the other spans of the batch are sent "
        "without them"
    )
    assert lines() == [unreached(wire, refused, advice)]
    assert exporter.export([spans.made("good"), spans.made("bad")]) is FAILURE
    assert exporter.export([spans.made("good")]) is SUCCESS
    assert lines() == []
    exporter.shutdown()
    assert lines() == [lost(wire, 2, refused)]


def test_the_search_for_bad_spans_ends(wire, exporter, spans):
    wire.answers = poisonous
    exporter.export([spans.made(f"bad {number}") for number in range(200)])
    assert exporter.dropped_spans == 200
    assert len(wire.requests) <= 65


def test_a_span_that_cannot_be_encoded_is_lost_alone(wire, exporter, spans):
    impossible = replace_span(spans.made(), resource=Resource({}, schema_url=1970))
    batch = [spans.made("one"), impossible, spans.made("two")]
    assert exporter.export(batch) is FAILURE
    assert accepted(wire) == ["one", "two"]
    assert exporter.dropped_spans == 1


def test_a_server_that_refuses_everything_is_asked_once(wire, exporter, spans):
    wire.answers = lambda _: Answer(401)
    exporter.export([spans.made() for _ in range(450)])
    assert exporter.dropped_spans == 450
    assert len(wire.requests) == 1


def test_each_cause_is_said_once_until_it_is_over(wire, exporter, spans, lines):
    def export(answer):
        wire.answers = lambda _: answer
        return exporter.export([spans.made(), spans.made()])

    assert export(Answer(500)) is FAILURE
    assert export(Answer(500)) is FAILURE
    assert export(Answer(403)) is FAILURE
    assert export(Answer(500)) is FAILURE
    first, second = lines()
    assert first == unreached(
        wire, "the request failed (500)", "See the server's log for the reason"
    )
    assert "the server denies permission (403). Check the user's permission" in second
    assert export(Answer()) is SUCCESS
    again = f"Export to MLflow at {wire.uri} works again. Dropped spans"
    assert lines() == [
        f"{again}: 6 (the request failed (500))",
        f"{again}: 2 (the server denies permission (403))",
    ]
    assert export(Answer(500)) is FAILURE
    assert len(lines()) == 1
    assert exporter.dropped_spans == 10
    exporter.shutdown()
    exporter.shutdown()
    assert lines() == [lost(wire, 2, "the request failed (500)")]


def test_a_log_handler_may_end_spans_itself(wire, spans, lines):
    wire.answers = lambda _: Answer(500)
    exporter = MlflowSpanExporter(tracking_uri=wire.uri)

    class Tracing(logging.Handler):
        def emit(self, record):
            exporter.export([spans.made("while logging")])

    handler = Tracing()
    logger = logging.getLogger("opentelemetry.exporter.mlflow")
    logger.addHandler(handler)
    try:
        assert exporter.export([spans.made()]) is FAILURE
        assert exporter.dropped_spans == 2
        exporter.shutdown()
        assert exporter.dropped_spans == 4
    finally:
        logger.removeHandler(handler)
    assert len(lines()) == 3


def test_no_secret_is_said(monkeypatch, wire, spans, lines):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok-secret")
    uri = wire.uri.replace("//", "//user-secret:pw-secret@")
    wire.answers = lambda _: mlflow_error(401, "")
    exporter = MlflowSpanExporter(tracking_uri=uri)
    exporter.export([spans.made()])
    exporter.shutdown()
    said = "".join(lines())
    assert wire.uri in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "where",
    ["_span_translator.map_attributes", "_content._pending.ContentJoiner.join"],
)
def test_a_defect_of_ours_is_not_the_applications(
    monkeypatch, wire, exporter, spans, lines, where
):
    monkeypatch.setattr(f"opentelemetry.exporter.mlflow.{where}", lambda *_: 1 / 0)
    assert exporter.export([spans.made()]) is FAILURE
    assert exporter.dropped_spans == 1
    defect = "an internal error of the exporter (ZeroDivisionError)"
    advice = "Please report it, with the version of mlflow"
    assert lines() == [unreached(wire, defect, advice)]


def test_after_shutdown_nothing_is_sent(wire, exporter, spans, lines):
    exporter.shutdown()
    assert exporter.export([spans.made(), spans.made()]) is FAILURE
    assert wire.requests == []
    assert exporter.dropped_spans == 2
    (line,) = lines()
    assert "the exporter was shut down before" in line


def test_threads_may_export_at_once(wire, exporter, spans, lines):
    wire.answers = lambda request: (
        Answer(500) if "bad" in request.span_names else Answer()
    )
    batches = [[spans.made("bad" if n % 2 else "good")] for n in range(40)]
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
