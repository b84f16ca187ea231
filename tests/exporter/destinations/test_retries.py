"""Retries and timeouts."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import requests
from dirty_equals import IsApprox, IsNumber, IsOneOf

from opentelemetry.exporter.mlflow._destinations import (
    _deadline,
    _http,
    create_destination,
)
from tests.exporter.conftest import Response

from .destination import export_error, new_destination, unused_port


def test_busy_server_is_not_retried_by_the_destination(fake_server, spans):
    fake_server.respond = lambda _: Response(503, headers={"Retry-After": "20"})
    destination = new_destination(fake_server.uri)
    error = export_error(destination, [spans.make()])
    destination.close()
    assert error.cause == "the request failed (503)"
    assert error.retry_after == 20
    assert len(fake_server.requests) == 1


def http_date(seconds):
    return format_datetime(
        datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True
    )


@pytest.mark.parametrize(
    ("value", "retry_after"),
    [
        ("7", 7),
        # urllib3 limits the number. The ceiling of this package is lower.
        ("1000000000", IsNumber(ge=3_600)),
        pytest.param(http_date(9_000), IsApprox(9_000, delta=2_000), id="a date"),
        pytest.param(http_date(-9_000), 0, id="a past date"),
        ("soon", None),
        ("-7", None),
        ("1.5", None),
        ("9" * 400, IsNumber(ge=3_600) | IsOneOf(None)),
        ("", None),
    ],
)
@pytest.mark.parametrize("argument", ["tracking_uri", "endpoint"])
def test_retry_after_is_seconds_or_a_date(
    fake_server, spans, argument, value, retry_after
):
    fake_server.respond = lambda _: Response(429, headers={"Retry-After": value})
    destination = create_destination(
        **{"tracking_uri": None, argument: fake_server.uri},
        experiment_id=None,
        experiment_name=None,
        timeout=None,
    )
    error = export_error(destination, [spans.make()])
    destination.close()
    assert error.retry_after == retry_after


def test_closed_connection_is_reopened(fake_server, spans):
    destination = new_destination(fake_server.uri)
    destination.send([spans.make("one")])
    hang_up = iter([True, False])

    def respond(request):
        if next(hang_up):
            raise ConnectionAbortedError
        return Response()

    fake_server.respond = respond
    destination.send([spans.make("two")])
    destination.close()
    assert [request.span_names for request in fake_server.requests] == [
        ["one"],
        ["two"],
        ["two"],
    ]


def test_refused_connection_is_reported_at_once(spans):
    destination = new_destination(f"http://127.0.0.1:{unused_port()}")
    start = time.monotonic()
    error = export_error(destination, [spans.make()])
    assert error.cause == "the connection failed (Connection refused)"
    assert "MLFLOW_TRACKING_URI" in error.advice
    assert time.monotonic() - start < 0.5
    destination.close()


def test_unresponsive_server_costs_one_timeout(monkeypatch, fake_server, spans):
    release = threading.Event()

    def respond(_):
        release.wait(10)
        return Response()

    fake_server.respond = respond
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_TIMEOUT", "0.3")
    destination = new_destination(fake_server.uri)
    start = time.monotonic()
    error = export_error(destination, [spans.make()])
    release.set()
    destination.close()
    assert error.cause == "no response within 0.3 s"
    assert "OTEL_EXPORTER_MLFLOW_TIMEOUT" in error.advice
    assert time.monotonic() - start < 3


def test_a_response_that_is_much_later_than_others_is_not_awaited(fake_server, spans):
    destination = new_destination(fake_server.uri)
    destination.send([spans.make("one")])
    release = threading.Event()

    def respond(_):
        release.wait(10)
        return Response()

    fake_server.respond = respond
    start = time.monotonic()
    error = export_error(destination, [spans.make("two")])
    assert error.cause == "a response takes much longer than others before"
    assert 3 <= time.monotonic() - start < 5
    # A server that is only slow has the whole timeout.
    threading.Timer(4, release.set).start()
    destination.send([spans.make("three")])
    destination.close()


def test_connect_timeout_is_not_retried(monkeypatch, spans):
    monkeypatch.setattr(_http, "_CONNECT_TIMEOUT_SECONDS", 0.3)
    with ExitStack() as stack:
        # The queue is full: the kernel drops further connections.
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        destination = new_destination(f"http://127.0.0.1:{listener.getsockname()[1]}")
        start = time.monotonic()
        error = export_error(destination, [spans.make()])
        destination.close()
    assert error.cause.startswith("the connection failed (")
    assert time.monotonic() - start < 3


def test_a_server_that_never_responds_does_not_keep_more_and_more_threads(
    monkeypatch, fake_server, spans
):
    release = threading.Event()

    def respond(_):
        release.wait(20)
        return Response()

    fake_server.respond = respond
    monkeypatch.setattr(_deadline, "_MAX_LATE_CALLS", 2)
    # The timeout of a read does not end a response that comes byte by byte.
    monkeypatch.setattr(requests.Session, "send", lambda *_, **__: release.wait(20))
    destination = new_destination(fake_server.uri, timeout=0.2)
    for _ in range(4):
        error = export_error(destination, [spans.make()])
        assert error.cause == "no response within 0.2 s"
    assert len(destination._destination._otlp_session._caller._late_calls) == 2
    release.set()
    destination.close()
