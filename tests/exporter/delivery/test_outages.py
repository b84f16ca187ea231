"""Spans wait while MLflow does not accept them, and are sent later."""

from __future__ import annotations

import itertools
import textwrap
import threading
import time

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._delivery import _availability, _sender
from opentelemetry.exporter.mlflow._destinations import ExportError
from opentelemetry.exporter.mlflow._replace_span import replace_span
from opentelemetry.instrumentation.exit_flush._exit_deadline import exit_deadline
from tests.exporter.conftest import Response, error_response
from tests.exporter.programs import run

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture(autouse=True)
def short_delays(monkeypatch):
    monkeypatch.setattr(_availability, "_FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(_availability, "_MAX_DELAY_SECONDS", 0.2)


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def hang_up(_):
    raise ConnectionAbortedError


@pytest.fixture
def accepted(fake_server):
    """The names of the spans in accepted requests, in the order of their arrival."""

    class Accepted:
        answer = Response()
        names: list[str]

        def __init__(self):
            self.names = []

        def __call__(self, request):
            response = self.answer(request) if callable(self.answer) else self.answer
            if response.status == 200 and request.path == "/v1/traces":
                self.names += request.span_names
            return response

    fake_server.respond = accepted = Accepted()
    return accepted


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


def test_an_interrupted_export_waits(monkeypatch, exporter, spans, accepted):
    """Ctrl-C raises KeyboardInterrupt in the main thread."""

    def interrupt(_):
        raise KeyboardInterrupt

    destination = exporter._destination
    with monkeypatch.context() as context:
        context.setattr(destination, "send", interrupt)
        with pytest.raises(KeyboardInterrupt):
            exporter.export([spans.make("a")])
    assert exporter.force_flush()
    assert accepted.names == ["a"]
    assert exporter.dropped_spans == 0


def test_an_interrupted_request_of_the_queue_waits_on(
    monkeypatch, exporter, spans, accepted
):
    monkeypatch.setattr(_availability, "_FIRST_DELAY_SECONDS", 60.0)
    accepted.answer = Response(503)
    exporter.export([spans.make("a")])

    def interrupt(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(exporter._destination, "send", interrupt)
        with pytest.raises(KeyboardInterrupt):
            exporter.force_flush()
    accepted.answer = Response()
    assert exporter.force_flush()
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


def test_retry_after_of_a_lookup_is_respected(fake_server, spans):
    fake_server.respond = lambda _: Response(429, headers={"Retry-After": "60"})
    exporter = MlflowSpanExporter(
        tracking_uri=fake_server.uri, experiment_name="agents"
    )
    exporter.export([spans.make()])
    time.sleep(0.5)
    assert not exporter.force_flush()
    assert len(fake_server.requests) == 1


def test_finalizers_and_signal_handlers_may_end_spans(fake_server, spans):
    """They run between two instructions of an export, in the same thread."""
    program = """
        import gc, signal, threading, faulthandler
        from opentelemetry.exporter.mlflow import MlflowSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        faulthandler.dump_traceback_later(40, exit=True)
        provider = TracerProvider()
        exporter = MlflowSpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("t")
        class Cycle:
            def __init__(self):
                self.me = self
                self.span = tracer.start_span("finalized")
            def __del__(self):
                self.span.end()
        handling = []
        def handle(*_):
            # Handlers that interrupt each other without end would fill the stack.
            if not handling:
                handling.append(1)
                tracer.start_span("signal").end()
                handling.clear()
        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.0037)
        gc.set_threshold(50)
        for _ in range(150):
            Cycle()
            tracer.start_span("plain").end()
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.collect()
        provider.shutdown()
        print("end")
    """
    answers = itertools.cycle([*[Response()] * 60, Response(503)])
    fake_server.respond = lambda _: next(answers)
    assert run(textwrap.dedent(program), MLFLOW_TRACKING_URI=fake_server.uri) == "end\n"
