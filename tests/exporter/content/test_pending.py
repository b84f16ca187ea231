"""Content that waits for its span: no longer than need be, and within bounds."""

from __future__ import annotations

import os

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, StaticSampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from opentelemetry.util.genai.completion_hook import load_completion_hook

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._content import _pending
from opentelemetry.exporter.mlflow._content._pending import (
    ContentJoiner,
    PendingContent,
    pending_content,
)

from .conversation import HOOK, SECRET, talk, unpacked


def test_nothing_is_held_once_it_is_sent(both):
    talk(both)
    assert not pending_content._calls
    assert pending_content._bytes == 0


def test_spans_that_nobody_records_leave_nothing_behind(monkeypatch):
    monkeypatch.setenv(HOOK, "mlflow")
    hook = load_completion_hook()
    unsampled, unexported = (
        TracerProvider(sampler=sampler).get_tracer("t").start_span("s")
        for sampler in (ALWAYS_OFF, StaticSampler(Decision.RECORD_ONLY))
    )
    assert unexported.is_recording()
    sampled = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    for span in (unsampled, unexported, NonRecordingSpan(sampled), None):
        hook.on_completion(
            inputs=[SECRET], outputs=[], system_instruction=[], span=span
        )
    assert not pending_content._calls


def test_a_call_without_content_is_not_held(both):
    span = both.provider.get_tracer("t").start_span("s")
    load_completion_hook().on_completion(
        inputs=[], outputs=[], system_instruction=[], tool_definitions=None, span=span
    )
    assert not pending_content._calls


def test_every_exporter_gets_it(monkeypatch, both, wire):
    another = MlflowSpanExporter(tracking_uri=wire.uri)
    both.provider.add_span_processor(SimpleSpanProcessor(another))
    talk(both)
    bodies = map(unpacked, wire.requests)
    assert [SECRET.encode() in body for body in bodies] == [True, True]
    assert not pending_content._calls
    another.shutdown()
    talk(both)
    assert not pending_content._calls


def test_memory_is_bounded_in_calls(monkeypatch, caplog):
    monkeypatch.setattr(_pending, "_MOST_CALLS", 3)
    content = PendingContent()
    for number in range(5):
        content.keep((1, number), {"a": "b"})
    assert list(content._calls) == [(1, 2), (1, 3), (1, 4)]
    assert content.dropped == 2
    (record,) = caplog.records
    assert record.getMessage() == (
        "Message content does not reach MLflow: that of more than 3 calls, or 64 MiB, "
        "waits for its spans, and the oldest is dropped. Is there an "
        "MlflowSpanExporter on the tracer provider, and does it get these spans? (This "
        "is said once; PendingContent.dropped counts.)"
    )


def test_memory_is_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(_pending, "_MOST_BYTES", 3_000)
    content = PendingContent()
    for number in range(5):
        content.keep((1, number), {"a": "b" * 1_000})
        assert content._bytes == sum(c.size for c in content._calls.values()) <= 3_000
    assert list(content._calls) == [(1, 3), (1, 4)]
    content.keep((1, 9), {"a": "b" * 4_000})
    assert (list(content._calls), content._bytes, content.dropped) == ([], 0, 6)
    content.keep((1, 1), {"a": "b"})
    content.keep((1, 1), {"a": "c"})
    assert (len(content._calls), content.dropped) == (1, 6)


def test_spans_that_wait_for_content_are_bounded(monkeypatch, spans):
    monkeypatch.setattr(_pending, "_MOST_SPANS", 2)
    monkeypatch.setattr(pending_content, "is_used", True)
    joining = ContentJoiner()
    talks = [spans.made(name, {"gen_ai.operation.name": "chat"}) for name in "abc"]
    others = [spans.made("d"), ReadableSpan("e")]
    assert joining.joined([*talks, *others]) == [*talks, *others]
    assert [span.name for span in joining._waiting.values()] == ["b", "c"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_takes_nothing_along():
    pending_content.keep((1, 1), {"a": "b"})
    child = os.fork()
    if not child:
        os._exit(len(pending_content._calls))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(pending_content._calls) == 1
