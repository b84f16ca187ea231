"""Spans wait while MLflow does not accept them, and are sent later."""

from __future__ import annotations

import threading
import time

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._delivery import _availability
from opentelemetry.exporter.mlflow._replace_span import replace_span
from tests.exporter.conftest import Response, error_response

from .accepted_spans import wait_until

pytestmark = pytest.mark.usefixtures("short_delays")


SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


def hang_up(_):
    raise ConnectionAbortedError


OUTAGES = {
    "closed": hang_up,
    "429": Response(429),
    "500": Response(500),
    "502": Response(502),
    "503": Response(503),
    "504": Response(504),
    "422": Response(422),
    "401": Response(401),
    "403": error_response(403, "PERMISSION_DENIED"),
    "404": error_response(404, "RESOURCE_DOES_NOT_EXIST"),
    "redirect": Response(302, headers={"Location": "/login"}),
    "page": Response(200, b"<p>", {"Content-Type": "text/html"}),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_spans_of_an_outage_arrive_once_and_in_order(
    fake_server, exporter, spans, accepted, outage
):
    accepted.answer = OUTAGES[outage]
    names = [f"span {number}" for number in range(20)]
    for name in names[:10]:
        assert exporter.export([spans.make(name)]) is FAILURE
    time.sleep(0.3)
    accepted.names.clear()  # A web page has status 200.
    accepted.answer = Response()
    wait_until(lambda: len(accepted.names) == 10)
    for name in names[10:]:
        assert exporter.export([spans.make(name)]) is SUCCESS
    assert sorted(accepted.names) == sorted(names)
    assert exporter.dropped_spans == 0
    exporter.shutdown()
    assert exporter.dropped_spans == 0


def test_an_export_does_not_wait_while_the_server_is_away(
    monkeypatch, fake_server, exporter, spans, accepted
):
    monkeypatch.setattr(_availability, "_FIRST_DELAY_SECONDS", 60.0)
    monkeypatch.setattr(_availability, "_MAX_DELAY_SECONDS", 60.0)
    accepted.answer = Response(503)
    for _ in range(5):
        exporter.export([spans.make()])
    assert len(fake_server.requests) == 1
    accepted.answer = Response()
    assert exporter.force_flush()
    assert len(accepted.names) == 5


@pytest.mark.parametrize("retry_after", ["1", "1000000000"])
def test_the_server_is_not_asked_earlier_than_it_wants(
    monkeypatch, fake_server, exporter, spans, accepted, retry_after
):
    monkeypatch.setattr(_availability, "_MAX_RETRY_AFTER_SECONDS", 1.5)
    accepted.answer = Response(429, headers={"Retry-After": retry_after})
    start = time.monotonic()
    exporter.export([spans.make("a")])
    accepted.answer = Response()
    assert not exporter.force_flush()
    wait_until(lambda: accepted.names)
    asked = min(float(retry_after), 1.5)
    assert asked <= time.monotonic() - start < asked + 3
    assert [request.span_names for request in fake_server.requests] == [["a"], ["a"]]


@pytest.mark.parametrize("status", [500, 422])
def test_one_span_that_always_fails_is_dropped_alone(
    fake_server, exporter, spans, accepted, status
):
    accepted.answer = lambda request: (
        Response(status) if "poison" in request.span_names else Response()
    )
    names = [f"span {number}" for number in range(511)]
    batch = [spans.make(name) for name in [*names[:200], "poison", *names[200:]]]
    assert exporter.export(batch) is FAILURE
    wait_until(lambda: len(accepted.names) == 511)
    assert sorted(accepted.names) == sorted(names)
    # It is given up only if others succeed, and not if the server fails altogether.
    time.sleep(1)
    assert exporter.dropped_spans == 0
    while not exporter.dropped_spans:
        exporter.export([spans.make("later")])
        time.sleep(0.1)
    assert exporter.dropped_spans == 1
    exporter.shutdown()
    assert exporter.dropped_spans == 1


def test_a_request_that_fails_does_not_stop_the_others(exporter, spans, accepted):
    accepted.answer = lambda request: (
        Response(503) if "slow" in request.span_names else Response()
    )
    exporter.export([spans.make("slow")])
    for number in range(3):
        exporter.export([spans.make(f"span {number}")])
    wait_until(lambda: len(accepted.names) == 3)
    assert exporter.dropped_spans == 0


@pytest.mark.parametrize(("status", "min_spans"), [(503, 64), (500, 8)])
def test_a_total_outage_does_not_divide_requests_to_single_spans(
    fake_server, exporter, spans, accepted, status, min_spans
):
    accepted.answer = Response(status)
    exporter.export([spans.make() for _ in range(64)])
    time.sleep(2)
    sizes = [len(request.span_names) for request in fake_server.requests]
    assert len(sizes) > 5
    assert min(sizes) >= min_spans
    accepted.answer = Response()
    wait_until(lambda: len(accepted.names) == 64)


def test_the_buffer_drops_the_oldest_spans_and_counts_them(
    monkeypatch, fake_server, spans, accepted, caplog
):
    accepted.answer = Response(503)
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, buffer_max_bytes=2_000)
    names = [f"span {number:02}" for number in range(40)]
    for name in names:
        exporter.export([spans.make(name)])
    dropped = exporter.dropped_spans
    assert 0 < dropped < 40
    accepted.answer = Response()
    wait_until(lambda: len(accepted.names) == 40 - dropped)
    exporter.shutdown()
    assert sorted(accepted.names) == names[dropped:]
    assert exporter.dropped_spans == dropped
    messages = [record.getMessage() for record in caplog.records]
    (message,) = [m for m in messages if "buffer" in m and m.startswith("Cannot")]
    assert "the buffer in memory is full. Increase OTEL_EXPORTER_MLFLOW_BUFFER" in (
        message
    )


def test_a_span_that_cannot_be_encoded_does_not_keep_others_from_waiting(
    exporter, spans, accepted
):
    accepted.answer = Response(503)
    exporter.export([spans.make("first")])
    invalid_span = replace_span(spans.make(), resource=Resource({}, schema_url=1970))
    exporter.export([spans.make("one"), invalid_span, spans.make("two")])
    accepted.answer = Response()
    wait_until(lambda: len(accepted.names) == 3)
    assert sorted(accepted.names) == ["first", "one", "two"]
    assert exporter.dropped_spans == 1


def test_an_export_ends_within_its_timeout(monkeypatch, fake_server, spans, accepted):
    """An answer comes just before the timeout, and the next request gets none."""
    monkeypatch.setattr(
        "opentelemetry.exporter.mlflow._delivery._requests._MAX_SPANS", 1
    )
    may_end = threading.Event()

    def answer(request):
        may_end.wait(0.7 if request.span_names == ["a"] else 5)
        return Response()

    accepted.answer = answer
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, timeout=1)
    start = time.monotonic()
    assert exporter.export([spans.make("a"), spans.make("b")]) is FAILURE
    assert time.monotonic() - start < 3
    may_end.set()
    wait_until(lambda: "b" in accepted.names)
    exporter.shutdown()
    assert exporter.dropped_spans == 0


def test_a_large_request_does_not_make_the_others_go(fake_server, spans, accepted):
    accepted.answer = Response(503)
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri, buffer_max_bytes=5_000)
    for name in ("a", "b"):
        exporter.export([spans.make(name)])
    exporter.export([spans.make("large", {"text": "x" * 6_000})])
    assert exporter.dropped_spans == 1
    accepted.answer = Response()
    wait_until(lambda: sorted(accepted.names) == ["a", "b"])
    exporter.shutdown()
    assert exporter.dropped_spans == 1


def test_retry_after_of_a_lookup_is_respected(fake_server, spans):
    fake_server.respond = lambda _: Response(429, headers={"Retry-After": "60"})
    exporter = MlflowSpanExporter(
        tracking_uri=fake_server.uri, experiment_name="agents"
    )
    exporter.export([spans.make()])
    time.sleep(0.5)
    assert not exporter.force_flush()
    assert len(fake_server.requests) == 1
