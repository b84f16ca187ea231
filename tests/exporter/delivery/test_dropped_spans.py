"""Dropped spans are counted, and each cause is logged."""

from __future__ import annotations

import logging
import threading

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._delivery import (
    _availability,
    _delivery_log,
)
from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.instrumentation.exit_flush._exit_deadline import exit_deadline
from tests.exporter.conftest import Response, error_response

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture
def log_messages(caplog):
    """A function that returns the messages logged since its last call."""

    def take_messages():
        assert all(record.exc_info is None for record in caplog.records)
        messages = [record.getMessage() for record in caplog.records]
        assert all("\n" not in message for message in messages)
        caplog.clear()
        return messages

    return take_messages


DROPPED = "Dropped spans are counted"
WAITING = "The spans wait in memory (at most 64 MiB), and are sent later"


def format_warning(fake_server, cause, advice, consequence=DROPPED):
    return (
        f"Cannot export spans to MLflow at {fake_server.uri}: {cause}. {advice}. "
        f"{consequence}. A cause is logged at most every 30 s."
    )


def format_summary(fake_server, span_count, cause):
    return f"Spans not exported to MLflow at {fake_server.uri}: {span_count} ({cause})"


def reject_bad_spans(request):
    if any(name.startswith("bad") for name in request.span_names):
        return error_response(400, "INVALID_PARAMETER_VALUE")
    return Response()


def get_accepted_names(fake_server):
    return sorted(
        name
        for request in fake_server.requests
        if reject_bad_spans(request).status == 200
        for name in request.span_names
    )


def test_one_rejected_span_is_dropped_alone(fake_server, exporter, spans, log_messages):
    fake_server.respond = reject_bad_spans
    good_names = [f"good {number:03}" for number in range(199)]
    batch = [spans.make(name) for name in [*good_names[:77], "bad", *good_names[77:]]]
    assert exporter.export(batch) is FAILURE
    assert get_accepted_names(fake_server) == good_names
    assert len(fake_server.requests) <= 17
    assert exporter.dropped_spans == 1
    cause = "MLflow rejects some of the spans (400 INVALID_PARAMETER_VALUE)"
    advice = (
        "See MLflow's log for the reason; the other spans of the batch are sent "
        "without them"
    )
    assert log_messages() == [format_warning(fake_server, cause, advice)]
    assert exporter.export([spans.make("good"), spans.make("bad")]) is FAILURE
    assert exporter.export([spans.make("good")]) is SUCCESS
    assert log_messages() == []
    exporter.shutdown()
    assert log_messages() == [format_summary(fake_server, 2, cause)]


def test_the_number_of_splits_is_limited(fake_server, exporter, spans):
    fake_server.respond = reject_bad_spans
    exporter.export([spans.make(f"bad {number}") for number in range(200)])
    assert exporter.dropped_spans == 200
    assert len(fake_server.requests) <= 129


def test_a_rejected_trace_is_dropped_alone(fake_server, exporter, spans):
    """MLflow 3.18 rejects a trace that it has in another experiment."""
    traces = []
    for number in range(20):
        with spans.tracer.start_as_current_span(f"{number:02} root"):
            for child in range(19):
                spans.tracer.start_span(f"{number:02} child {child:02}").end()
        traces.append(spans.take())
    rejected = traces[7][0].context.trace_id.to_bytes(16, "big")
    fake_server.respond = lambda request: (
        error_response(400, "INVALID_PARAMETER_VALUE")
        if any(span.trace_id == rejected for span in request.spans)
        else Response()
    )
    # The traces ended at the same time.
    batch = [
        span for spans_of_all in zip(*traces, strict=True) for span in spans_of_all
    ]
    assert exporter.export(batch) is FAILURE
    assert exporter.dropped_spans == 20
    accepted = [
        span.name
        for request in fake_server.requests
        if all(span.trace_id != rejected for span in request.spans)
        for span in request.spans
    ]
    names = [span.name for trace in traces for span in trace]
    assert sorted(accepted) == sorted(n for n in names if not n.startswith("07"))


def test_a_span_that_cannot_be_encoded_is_dropped_alone(fake_server, exporter, spans):
    invalid_span = replace_span(spans.make(), resource=Resource({}, schema_url=1970))
    batch = [spans.make("one"), invalid_span, spans.make("two")]
    assert exporter.export(batch) is FAILURE
    assert get_accepted_names(fake_server) == ["one", "two"]
    assert exporter.dropped_spans == 1


def test_a_server_that_rejects_everything_gets_one_request(
    fake_server, exporter, spans
):
    fake_server.respond = lambda _: Response(401)
    exporter.export([spans.make() for _ in range(450)])
    assert len(fake_server.requests) == 1
    assert exporter.dropped_spans == 0
    exporter.shutdown()
    assert exporter.dropped_spans == 450


def test_each_cause_is_logged_once_until_recovery(
    monkeypatch, fake_server, exporter, spans, log_messages
):
    monkeypatch.setattr(_availability, "_FIRST_DELAY_SECONDS", 60.0)

    def export(response):
        fake_server.respond = lambda _: response
        return exporter.export([spans.make(), spans.make()])

    assert export(Response(503)) is FAILURE
    assert export(Response(503)) is FAILURE
    assert not exporter.force_flush()
    fake_server.respond = lambda _: Response(403)
    assert not exporter.force_flush()
    first, second = log_messages()
    assert first == format_warning(
        fake_server,
        "the request failed (503)",
        "See MLflow's log for the reason",
        WAITING,
    )
    assert "MLflow denies permission (403). Check the user's permission" in second
    fake_server.respond = lambda _: Response()
    assert exporter.force_flush()
    recovery = f"Export to MLflow at {fake_server.uri} works again, after"
    assert log_messages() == [
        f"{recovery}: the request failed (503). Dropped spans: 0",
        f"{recovery}: MLflow denies permission (403). Dropped spans: 0",
    ]
    # A server that fails now and then does not fill the log.
    assert export(Response(503)) is FAILURE
    fake_server.respond = lambda _: Response()
    assert exporter.force_flush()
    assert log_messages() == []
    monkeypatch.setattr(_delivery_log, "_LOG_INTERVAL_SECONDS", 0.0)
    assert export(Response(503)) is FAILURE
    assert len(log_messages()) == 1
    assert exporter.dropped_spans == 0
    monkeypatch.setattr(exit_deadline, "timeout", 0.0)
    exporter.shutdown()
    exporter.shutdown()
    assert log_messages()[-1] == format_summary(
        fake_server, 2, "the request failed (503)"
    )


def test_a_log_handler_may_end_spans(monkeypatch, fake_server, spans, log_messages):
    fake_server.respond = lambda _: error_response(400, "INVALID_PARAMETER_VALUE")
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)

    class ExportingHandler(logging.Handler):
        def emit(self, record):
            exporter.export([spans.make("while logging")])

    handler = ExportingHandler()
    logger = logging.getLogger("opentelemetry.exporter.mlflow")
    logger.addHandler(handler)
    try:
        assert exporter.export([spans.make()]) is FAILURE
        assert exporter.dropped_spans == 2
        exporter.shutdown()
        assert exporter.dropped_spans == 4
    finally:
        logger.removeHandler(handler)
    assert len(log_messages()) == 3


def test_log_messages_contain_no_secret(monkeypatch, fake_server, spans, log_messages):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok-secret")
    uri = fake_server.uri.replace("//", "//user-secret:pw-secret@")
    fake_server.respond = lambda _: error_response(401, "")
    exporter = MlflowSpanExporter(tracking_uri=uri)
    exporter.export([spans.make()])
    exporter.shutdown()
    log_text = "".join(log_messages())
    assert fake_server.uri in log_text
    assert "secret" not in log_text


@pytest.mark.parametrize(
    "function",
    [
        "_span_translator.map_attributes",
        "_content._pending.ContentJoiner.join",
        "_destinations._server.MlflowServerDestination.send",
    ],
)
def test_an_internal_error_does_not_reach_the_application(
    monkeypatch, fake_server, exporter, spans, log_messages, function
):
    monkeypatch.setattr(f"opentelemetry.exporter.mlflow.{function}", lambda *_: 1 / 0)
    assert exporter.export([spans.make()]) is FAILURE
    assert exporter.dropped_spans == 1
    cause = "an internal error of the exporter (ZeroDivisionError)"
    advice = "Please report it, with the version of mlflow"
    assert log_messages() == [format_warning(fake_server, cause, advice)]


def test_nothing_is_sent_after_shutdown(fake_server, exporter, spans, log_messages):
    exporter.shutdown()
    assert exporter.export([spans.make(), spans.make()]) is FAILURE
    assert fake_server.requests == []
    assert exporter.dropped_spans == 2
    (message,) = log_messages()
    assert "the exporter was shut down before" in message


def test_threads_can_export_concurrently(fake_server, exporter, spans, log_messages):
    fake_server.respond = lambda request: (
        Response(400) if "bad" in request.span_names else Response()
    )
    batches = [[spans.make("bad" if number % 2 else "good")] for number in range(40)]
    results = {}

    def export(number):
        results[number] = exporter.export(batches[number])

    threads = [threading.Thread(target=export, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {
        number: FAILURE if number % 2 else SUCCESS for number in range(40)
    }
    assert exporter.dropped_spans == 20
