"""Content waits for its span, in bounded memory, until all exporters have sent it."""

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

from .two_exporters import HOOK_VARIABLE, SECRET, call_model, decompressed_body


def test_content_is_removed_once_it_is_sent(exporters):
    call_model(exporters)
    assert not pending_content._content
    assert pending_content._bytes == 0


def test_content_of_spans_that_are_not_exported_is_not_stored(monkeypatch):
    monkeypatch.setenv(HOOK_VARIABLE, "mlflow")
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
    assert not pending_content._content


def test_call_without_content_is_not_stored(exporters):
    span = exporters.provider.get_tracer("t").start_span("s")
    load_completion_hook().on_completion(
        inputs=[], outputs=[], system_instruction=[], tool_definitions=None, span=span
    )
    assert not pending_content._content


def test_each_exporter_gets_the_content(monkeypatch, exporters, fake_server):
    second = MlflowSpanExporter(tracking_uri=fake_server.uri)
    exporters.provider.add_span_processor(SimpleSpanProcessor(second))
    call_model(exporters)
    bodies = map(decompressed_body, fake_server.requests)
    assert [SECRET.encode() in body for body in bodies] == [True, True]
    assert not pending_content._content
    second.shutdown()
    call_model(exporters)
    assert not pending_content._content


def test_number_of_calls_is_bounded(monkeypatch, caplog):
    monkeypatch.setattr(_pending, "_MAX_CALLS", 3)
    content = PendingContent()
    for number in range(5):
        content.add((1, number), {"a": "b"})
    assert list(content._content) == [(1, 2), (1, 3), (1, 4)]
    assert content.dropped_calls == 2
    (record,) = caplog.records
    assert record.getMessage() == (
        "Message content of more than 3 calls or 64 MiB waits for its spans. The "
        "oldest content is dropped, and does not reach MLflow. Check that the tracer "
        "provider has an MlflowSpanExporter that receives these spans. This is logged "
        "once; PendingContent.dropped_calls has the count."
    )


def test_number_of_bytes_is_bounded(monkeypatch):
    monkeypatch.setattr(_pending, "_MAX_BYTES", 3_000)
    content = PendingContent()
    for number in range(5):
        content.add((1, number), {"a": "b" * 1_000})
        assert content._bytes == sum(c.size for c in content._content.values()) <= 3_000
    assert list(content._content) == [(1, 3), (1, 4)]
    content.add((1, 9), {"a": "b" * 4_000})
    assert (list(content._content), content._bytes, content.dropped_calls) == ([], 0, 6)
    content.add((1, 1), {"a": "b"})
    content.add((1, 1), {"a": "c"})
    assert (len(content._content), content.dropped_calls) == (1, 6)


def test_number_of_waiting_spans_is_bounded(monkeypatch, spans):
    monkeypatch.setattr(_pending, "_MAX_SPANS", 2)
    monkeypatch.setattr(pending_content, "has_hook", True)
    joiner = ContentJoiner()
    model_calls = [
        spans.make(name, {"gen_ai.operation.name": "chat"}) for name in "abc"
    ]
    others = [spans.make("d"), ReadableSpan("e")]
    assert joiner.join([*model_calls, *others]) == [*model_calls, *others]
    assert [span.name for span in joiner._waiting_spans.values()] == ["b", "c"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is not available")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_has_no_pending_content():
    pending_content.add((1, 1), {"a": "b"})
    child = os.fork()
    if not child:
        os._exit(len(pending_content._content))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(pending_content._content) == 1
