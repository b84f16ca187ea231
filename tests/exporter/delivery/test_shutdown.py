"""What waits is sent by a flush and at a shutdown, and what is left is counted."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._delivery import _availability, _sender
from opentelemetry.exporter.mlflow._destinations import ExportError
from opentelemetry.instrumentation.exit_flush._exit_deadline import exit_deadline
from tests.exporter.conftest import Response

from .accepted_spans import wait_until

pytestmark = pytest.mark.usefixtures("short_delays")


def test_shutdown_sends_what_waits(monkeypatch, exporter, spans, accepted):
    monkeypatch.setattr(_availability, "_FIRST_DELAY_SECONDS", 60.0)
    accepted.answer = Response(503)
    exporter.export([spans.make("a")])
    accepted.answer = Response()
    exporter.shutdown()
    assert accepted.names == ["a"]
    assert exporter.dropped_spans == 0


def test_nothing_is_sent_after_shutdown(fake_server, exporter, spans, accepted):
    accepted.answer = Response(401)
    exporter.export([spans.make("a")])
    exporter.shutdown()
    assert exporter.dropped_spans == 1
    accepted.answer = Response()
    # The timer may call it at the same time.
    exporter._sender._send_due()
    assert accepted.names == []


def test_shutdown_waits_for_an_export_that_fails_meanwhile(
    monkeypatch, exporter, spans, accepted
):
    may_answer = threading.Event()
    answers = iter([Response(503), Response()])

    def answer(_):
        may_answer.wait(5)
        return next(answers)

    accepted.answer = answer
    export = threading.Thread(target=exporter.export, args=[[spans.make("a")]])
    export.start()
    time.sleep(0.2)
    threading.Timer(0.3, may_answer.set).start()
    exporter.shutdown()
    export.join()
    assert accepted.names == ["a"]
    assert exporter.dropped_spans == 0


def test_shutdown_goes_on_as_long_as_it_succeeds(
    monkeypatch, exporter, spans, accepted
):
    monkeypatch.setattr(exit_deadline, "timeout", 1.5)
    monkeypatch.setattr(_sender, "_LAST_TRY_SECONDS", 0.1)
    accepted.answer = Response(503)
    for number in range(8):
        exporter.export([spans.make(f"span {number}")])

    def answer_slowly(_):
        time.sleep(0.3)
        return Response()

    accepted.answer = answer_slowly
    exporter.shutdown()
    assert len(accepted.names) == 8
    assert exporter.dropped_spans == 0


def test_shutdown_tries_once_more_if_the_server_asks_for_a_long_time(
    monkeypatch, exporter, spans, accepted
):
    monkeypatch.setattr(exit_deadline, "timeout", 1.0)
    accepted.answer = Response(429, headers={"Retry-After": "1000000000"})
    exporter.export([spans.make("a")])
    later = [Response(429, headers={"Retry-After": "1000000000"})]
    accepted.answer = lambda _: later.pop() if later else Response()
    exporter.shutdown()
    assert accepted.names == ["a"]
    assert exporter.dropped_spans == 0


def test_shutdown_ends_although_a_request_succeeds_now_and_then(
    monkeypatch, exporter, spans, accepted
):
    monkeypatch.setattr(exit_deadline, "timeout", 0.3)
    monkeypatch.setattr(_sender, "_LAST_TRY_SECONDS", 0.05)
    accepted.answer = Response(503)
    for number in range(100):
        exporter.export([spans.make(f"span {number}")])
    answers = itertools.cycle([Response(), Response(503)])
    accepted.answer = lambda _: next(answers)
    start = time.monotonic()
    exporter.shutdown()
    assert time.monotonic() - start < 4
    assert len(accepted.names) + exporter.dropped_spans == 100


def test_force_flush_waits_for_requests_of_other_threads(exporter, spans, accepted):
    accepted.answer = Response(503)
    exporter.export([spans.make("a")])
    may_answer = threading.Event()

    def answer(_):
        may_answer.wait(5)
        return Response()

    accepted.answer = answer
    wait_until(lambda: exporter._sender.running_exports._count)
    threading.Timer(0.3, may_answer.set).start()
    assert exporter.force_flush()
    assert accepted.names == ["a"]


def test_force_flush_ends_within_its_timeout(exporter, spans, accepted):
    accepted.answer = Response(503)
    exporter.export([spans.make("a")])
    may_end = threading.Event()

    def answer(_):
        may_end.wait(10)
        return Response()

    accepted.answer = answer
    start = time.monotonic()
    assert not exporter.force_flush(500)
    assert time.monotonic() - start < 3
    may_end.set()


def test_a_short_limit_of_the_exit_leaves_time_for_one_try(
    monkeypatch, exporter, spans, accepted
):
    monkeypatch.setattr(exit_deadline, "timeout", 1.0)
    monkeypatch.setattr(_availability, "_FIRST_DELAY_SECONDS", 60.0)
    accepted.answer = Response(503)
    exporter.export([spans.make("a")])
    accepted.answer = Response()
    exporter.shutdown()
    assert accepted.names == ["a"]


def test_an_export_that_has_begun_is_not_lost_by_a_shutdown(
    monkeypatch, exporter, spans, accepted
):
    translate = exporter._translator.translate
    is_translating = threading.Event()

    def translate_slowly(batch):
        is_translating.set()
        time.sleep(0.3)
        return translate(batch)

    monkeypatch.setattr(exporter._translator, "translate", translate_slowly)
    export = threading.Thread(target=exporter.export, args=[[spans.make("a")]])
    export.start()
    is_translating.wait(5)
    exporter.shutdown()
    export.join()
    assert accepted.names == ["a"]
    assert exporter.dropped_spans == 0


def test_a_request_that_fails_after_the_shutdown_is_counted(
    monkeypatch, exporter, spans, accepted
):
    monkeypatch.setattr(exit_deadline, "timeout", 0.1)
    monkeypatch.setattr(_sender, "_CLOSE_SECONDS", 0.1)
    may_end = threading.Event()

    def fail_late(_):
        may_end.wait(10)
        raise ExportError("late", "advice")

    monkeypatch.setattr(exporter._destination, "send", fail_late)
    export = threading.Thread(target=exporter.export, args=[[spans.make("a")]])
    export.start()
    wait_until(lambda: exporter._sender.running_exports._count)
    exporter.shutdown()
    assert exporter.dropped_spans == 0
    may_end.set()
    export.join()
    assert exporter.dropped_spans == 1


def test_a_closed_destination_does_not_reject_spans(fake_server, spans):
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)
    exporter._destination.close()
    with pytest.raises(ExportError) as raised:
        exporter._destination.send([spans.make()])
    assert raised.value.cause == "the process ends, or the exporter was shut down"
    assert not raised.value.is_divisible
    with pytest.raises(ExportError, match="the process ends, or the exporter was"):
        exporter._destination.read_trace_info(1)
    exporter.shutdown()
