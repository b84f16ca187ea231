"""How long a server is waited for."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack

from opentelemetry.exporter.mlflow._destinations import _http
from tests.exporter.conftest import Answer

from .sending import refused, to, unused_port


def test_a_busy_server_is_asked_again(wire, spans):
    answers = iter([Answer(503, headers={"Retry-After": "0"}), Answer()])
    wire.answers = lambda _: next(answers)
    server = to(wire.uri)
    server.send([spans.made()])
    server.close()
    assert len(wire.requests) == 2


def test_a_server_busy_for_longer_than_the_timeout_is_said_to_fail(wire, spans):
    wire.answers = lambda _: Answer(503, headers={"Retry-After": "60"})
    server = to(wire.uri, timeout=5)
    assert refused(server.send, [spans.made()]).cause == "it fails (503)"
    server.close()


def test_a_connection_that_the_server_closed_is_opened_again(wire, spans):
    server = to(wire.uri)
    server.send([spans.made("one")])
    hang_up = iter([True, False])

    def answers(request):
        if next(hang_up):
            raise ConnectionAbortedError
        return Answer()

    wire.answers = answers
    server.send([spans.made("two")])
    server.close()
    assert [request.span_names for request in wire.requests] == [
        ["one"],
        ["two"],
        ["two"],
    ]


def test_nobody_there_is_waited_for_a_little(spans):
    server = to(f"http://127.0.0.1:{unused_port()}")
    began = time.monotonic()
    why = refused(server.send, [spans.made()])
    assert why.cause == "no connection (Connection refused)"
    assert "MLFLOW_TRACKING_URI" in why.advice
    assert 0.5 < time.monotonic() - began < 10
    server.close()


def test_a_server_that_does_not_answer_costs_the_timeout(monkeypatch, wire, spans):
    release = threading.Event()

    def answers(_):
        release.wait(10)
        return Answer()

    wire.answers = answers
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_TIMEOUT", "0.3")
    server = to(wire.uri)
    began = time.monotonic()
    why = refused(server.send, [spans.made()])
    release.set()
    server.close()
    assert why.cause == "no answer within 0.3 s"
    assert "OTEL_EXPORTER_MLFLOW_TIMEOUT" in why.advice
    assert time.monotonic() - began < 3


def test_an_address_where_nobody_answers_is_given_up_soon(monkeypatch, spans):
    monkeypatch.setattr(_http, "_CONNECT_SECONDS", 0.3)
    with ExitStack() as held:
        # A queue that is full: the kernel drops what comes after.
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        server = to(f"http://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        why = refused(server.send, [spans.made()])
        server.close()
    assert why.cause.startswith("no connection (")
    assert time.monotonic() - began < 3


def test_closing_ends_the_wait_for_a_busy_server(wire, spans):
    wire.answers = lambda _: Answer(503, headers={"Retry-After": "20"})
    server = to(wire.uri)
    threading.Timer(0.3, server.close).start()
    began = time.monotonic()
    assert refused(server.send, [spans.made()]).cause == "it fails (503)"
    assert time.monotonic() - began < 5
