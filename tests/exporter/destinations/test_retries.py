"""Retries and timeouts."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack

from opentelemetry.exporter.mlflow._destinations import _http
from tests.exporter.conftest import Response

from .destination import export_error, new_destination, unused_port


def test_busy_server_is_retried(fake_server, spans):
    responses = iter([Response(503, headers={"Retry-After": "0"}), Response()])
    fake_server.respond = lambda _: next(responses)
    destination = new_destination(fake_server.uri)
    destination.send([spans.make()])
    destination.close()
    assert len(fake_server.requests) == 2


def test_retries_end_at_timeout(fake_server, spans):
    fake_server.respond = lambda _: Response(503, headers={"Retry-After": "60"})
    destination = new_destination(fake_server.uri, timeout=5)
    assert export_error(destination, [spans.make()]).cause == "the request failed (503)"
    destination.close()


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


def test_refused_connection_is_retried_briefly(spans):
    destination = new_destination(f"http://127.0.0.1:{unused_port()}")
    start = time.monotonic()
    error = export_error(destination, [spans.make()])
    assert error.cause == "the connection failed (Connection refused)"
    assert "MLFLOW_TRACKING_URI" in error.advice
    assert 0.5 < time.monotonic() - start < 10
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


def test_close_aborts_retries(fake_server, spans):
    fake_server.respond = lambda _: Response(503, headers={"Retry-After": "20"})
    destination = new_destination(fake_server.uri)
    threading.Timer(0.3, destination.close).start()
    start = time.monotonic()
    assert export_error(destination, [spans.make()]).cause == "the request failed (503)"
    assert time.monotonic() - start < 5
