"""A trace with fluent spans is sent to MLflow in one request."""

from __future__ import annotations

import logging
import os
import threading
import time

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from opentelemetry.exporter.mlflow._mlflow_bridge import _started_spans, _trace_buffer
from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import started_spans
from tests.exporter.conftest import Response, error_response


@pytest.fixture
def tracer(exporter):
    """A tracer whose spans are exported when they end."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test")


def count_fluent_span(span):
    started_spans.add_fluent_span(span, has_local_root=False)
    return span


def count_application_span(span):
    started_spans.add_application_span(span)
    return span


def start_fluent_span(tracer, name="agent"):
    return count_fluent_span(tracer.start_span(name))


def start_child(tracer, parent, name="chat", **kwargs):
    from opentelemetry.trace import set_span_in_context

    return count_application_span(
        tracer.start_span(name, context=set_span_in_context(parent), **kwargs)
    )


def get_sent_names(fake_server):
    return [sorted(request.span_names) for request in fake_server.requests]


@pytest.fixture
def log_messages(caplog):
    return lambda: [record.getMessage() for record in caplog.records]


PARTS_WARNING = (
    "A trace with spans of @mlflow.trace is sent to MLflow in parts: it did not end "
    "within 600 s, or more than 10000 spans or 64 MiB are buffered. No span is lost. "
    "The totals of tokens and cost may be incomplete. This warning is logged once."
)


def test_a_trace_waits_for_its_last_span(tracer, fake_server):
    agent = start_fluent_span(tracer)
    first = start_child(tracer, agent, "first")
    first.end()
    second = start_child(tracer, agent, "second")
    agent.end()
    assert get_sent_names(fake_server) == []
    second.end()
    assert get_sent_names(fake_server) == [["agent", "first", "second"]]


def test_a_span_that_starts_after_the_trace_was_sent_is_not_buffered(
    tracer, fake_server
):
    agent = start_fluent_span(tracer)
    agent.end()
    start_child(tracer, agent, "late").end()
    assert get_sent_names(fake_server) == [["agent"], ["late"]]


def test_a_trace_without_fluent_spans_is_not_buffered(tracer, fake_server):
    start_fluent_span(tracer)
    tracer.start_span("other").end()
    assert get_sent_names(fake_server) == [["other"]]


def test_a_trace_does_not_wait_for_a_dropped_mirror(tracer, fake_server):
    agent = start_fluent_span(tracer)
    started_spans.add_application_span(agent)
    started_spans.remove(agent)
    agent.end()
    assert get_sent_names(fake_server) == [["agent"]]


def test_complete_traces_share_a_request_and_are_not_split(
    exporter, spans, fake_server
):
    traces = {}
    for name, span_count in (("large", 600), ("small", 2)):
        with spans.tracer.start_as_current_span(name) as root:
            count_fluent_span(root)
            for _ in range(span_count - 1):
                with spans.tracer.start_as_current_span(name) as child:
                    count_application_span(child)
        traces[name] = spans.take()
    others = [spans.make("other") for _ in range(3)]
    large = traces["large"]
    exporter.export([*traces["small"], *large[:100], *others, *large[100:]])
    assert [len(names) for names in get_sent_names(fake_server)] == [5, 600]


def test_force_flush_sends_buffered_spans(exporter, tracer, fake_server):
    agent = start_fluent_span(tracer)
    start_child(tracer, agent).end()
    assert exporter.force_flush()
    assert get_sent_names(fake_server) == [["chat"]]
    start_child(tracer, agent, "next").end()
    agent.end()
    assert get_sent_names(fake_server) == [["chat"], ["next"], ["agent"]]


def test_force_flush_returns_false_if_the_request_fails(exporter, tracer, fake_server):
    fake_server.respond = lambda _: error_response(403, "PERMISSION_DENIED")
    start_child(tracer, start_fluent_span(tracer)).end()
    assert not exporter.force_flush()
    assert exporter.dropped_spans == 0
    fake_server.respond = lambda _: Response()
    assert exporter.force_flush()


def test_shutdown_sends_buffered_spans(exporter, tracer, fake_server):
    start_child(tracer, start_fluent_span(tracer)).end()
    exporter.shutdown()
    assert get_sent_names(fake_server) == [["chat"]]
    assert exporter.dropped_spans == 0


@pytest.mark.parametrize(("limit", "value"), [("_MAX_SPANS", 2), ("_MAX_BYTES", 4_500)])
def test_the_oldest_trace_is_sent_in_parts_beyond_a_limit(
    monkeypatch, tracer, fake_server, log_messages, limit, value
):
    monkeypatch.setattr(_trace_buffer, limit, value)
    oldest = start_fluent_span(tracer, "oldest")
    newer = start_fluent_span(tracer, "newer")
    start_child(tracer, oldest, "of oldest", attributes={"text": "x" * 2_000}).end()
    start_child(tracer, newer, "of newer").end()
    assert get_sent_names(fake_server) == []
    start_child(tracer, newer, "of newer").end()
    assert get_sent_names(fake_server) == [["of oldest"]]
    oldest.end()
    newer.end()
    assert get_sent_names(fake_server)[1:] == [
        ["oldest"],
        ["newer", "of newer", "of newer"],
    ]
    assert [line.partition(":")[0] for line in log_messages()] == [
        PARTS_WARNING.partition(":")[0]
    ]


def test_an_overdue_trace_is_sent_by_the_timer(
    monkeypatch, tracer, fake_server, log_messages
):
    monkeypatch.setattr(_trace_buffer, "_MAX_WAIT_SECONDS", 0.2)
    agent = start_fluent_span(tracer)
    start_child(tracer, agent).end()
    assert get_sent_names(fake_server) == []
    deadline = time.monotonic() + 10
    while not fake_server.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    assert get_sent_names(fake_server) == [["chat"]]
    assert len(log_messages()) == 1
    agent.end()
    assert get_sent_names(fake_server) == [["chat"], ["agent"]]


def test_shutdown_sends_buffered_spans_if_no_thread_can_start(
    monkeypatch, exporter, tracer, fake_server
):
    def refuse_to_start(_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Timer, "start", refuse_to_start)
    start_child(tracer, start_fluent_span(tracer)).end()
    exporter.shutdown()
    assert get_sent_names(fake_server) == [["chat"]]


def test_the_timer_is_started_again_for_the_next_trace(
    monkeypatch, tracer, fake_server
):
    monkeypatch.setattr(_trace_buffer, "_MAX_WAIT_SECONDS", 0.2)
    for request_count in (1, 2):
        start_child(tracer, start_fluent_span(tracer)).end()
        deadline = time.monotonic() + 10
        while len(fake_server.requests) < request_count and time.monotonic() < deadline:
            time.sleep(0.01)
    assert get_sent_names(fake_server) == [["chat"], ["chat"]]


def test_sending_in_parts_is_logged_with_the_limits(
    monkeypatch, tracer, fake_server, caplog
):
    monkeypatch.setattr(_trace_buffer, "_MAX_SPANS", 0)
    with caplog.at_level(logging.WARNING):
        start_child(tracer, start_fluent_span(tracer)).end()
        start_child(tracer, start_fluent_span(tracer)).end()
    (message,) = [record.getMessage() for record in caplog.records]
    assert message == PARTS_WARNING.replace("10000", "0")
    assert get_sent_names(fake_server) == [["chat"], ["chat"]]


def test_traces_that_never_end_are_evicted(monkeypatch, tracer, fake_server):
    for module in (_started_spans, _trace_buffer):
        monkeypatch.setattr(module, "_MAX_TRACES", 1)
    evicted_span = start_fluent_span(tracer, "evicted")
    start_fluent_span(tracer)
    evicted_span.end()  # its trace is not buffered
    assert get_sent_names(fake_server) == [["evicted"]]
    for name in ("a", "b"):
        start_fluent_span(tracer, name).end()
    assert get_sent_names(fake_server) == [["evicted"], ["a"], ["b"]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_does_not_send_the_spans_of_its_parent(
    exporter, tracer, fake_server
):
    agent = start_fluent_span(tracer)
    start_child(tracer, agent).end()
    if (pid := os.fork()) == 0:
        try:
            agent.end()  # the child does not buffer its parent's trace
            exporter.shutdown()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert get_sent_names(fake_server) == [["agent"]]
    agent.end()
    assert get_sent_names(fake_server) == [["agent"], ["agent", "chat"]]
