"""Exports that an exception, a signal or a finalizer interrupts."""

from __future__ import annotations

import itertools
import textwrap

import pytest

from opentelemetry.exporter.mlflow._delivery import _availability
from tests.exporter.conftest import Response
from tests.exporter.programs import run

pytestmark = pytest.mark.usefixtures("short_delays")


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
                gc.collect()
                handling.clear()
        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.0037)
        # Only the handler collects objects. A collection inside `ContextVar.set()`,
        # which OpenTelemetry calls too, crashes Python if a finalizer sets a variable.
        gc.disable()
        gc.freeze()
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
