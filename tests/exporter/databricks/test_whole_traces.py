"""Traces are stored whole, although a batch does not contain whole traces."""

from __future__ import annotations

import pytest
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._mlflow_bridge import _trace_buffer
from tests.exporter.conftest import Response

from .agent_trace import agent_trace
from .destination import new_destination, translate
from .fake_databricks import EXPERIMENT
from .workspace_contents import STORAGE, TRACE_INFO_V3, sent_trace_infos, stored_spans


@pytest.fixture
def exporter(databricks):
    exporter = MlflowSpanExporter(tracking_uri="databricks", experiment_name=EXPERIMENT)
    yield exporter
    exporter.shutdown()


def sent_states(workspace):
    """The states of the traces, by name."""
    return {
        info["tags"]["mlflow.traceName"]: info["state"]
        for info in sent_trace_infos(workspace)
    }


def test_trace_is_sent_when_root_ends(databricks, exporter, spans):
    first, second = agent_trace(spans), agent_trace(spans)
    # Each batch contains spans of both traces.
    for pair in zip(first[:-1], second[:-1], strict=True):
        exporter.export(pair)
    assert exporter.force_flush()
    assert databricks.requests_to(TRACE_INFO_V3) == []
    exporter.export([first[-1], second[-1]])
    assert len(databricks.requests_to(TRACE_INFO_V3)) == 2
    for finished in (first, second):
        assert [span["name"] for span in stored_spans(databricks, finished[-1])] == [
            "POST /ask",
            "chat",
            "execute_tool weather",
        ]
    trace_info = sent_trace_infos(databricks)[0]
    assert trace_info["request_preview"] == "Wie heißt 🐘?"
    assert (
        '"total_tokens": 15' in trace_info["trace_metadata"]["mlflow.trace.tokenUsage"]
    )


def test_remote_parent_makes_local_root(databricks, exporter, spans):
    remote = SpanContext(5, 6, is_remote=True, trace_flags=TraceFlags(1))
    context = set_span_in_context(NonRecordingSpan(remote))
    with (
        spans.tracer.start_as_current_span("served", context),
        spans.tracer.start_as_current_span("inner"),
    ):
        pass
    for span in spans.take():
        exporter.export([span])
    assert sent_states(databricks) == {"served": "OK"}
    assert len(databricks.requests_to(STORAGE, "PUT")) == 1


def test_late_spans_are_sent_at_once(databricks, exporter, spans):
    *children, root = agent_trace(spans)
    for span in (children[0], root, children[1]):
        exporter.export([span])
    assert len(stored_spans(databricks, root)) == 3
    assert sent_states(databricks) == {"POST /ask": "OK"}


def test_batch_may_contain_several_traces(databricks, spans):
    finished = [spans.make("a"), spans.make("b")]
    destination = new_destination()
    destination.send(translate(finished))
    destination.close()
    assert len(databricks.trace_infos) == len(databricks.storage.files) == 2


def test_batch_may_contain_more_traces_than_buffer(
    databricks, exporter, monkeypatch, spans
):
    monkeypatch.setattr(_trace_buffer, "_MAX_TRACES", 1)
    exporter.export([spans.make(name) for name in ("a", "b", "c")])
    assert sent_states(databricks) == {"a": "OK", "b": "OK", "c": "OK"}
    assert exporter.dropped_spans == 0


def test_shutdown_sends_buffered_spans(databricks, exporter, spans):
    *children, root = agent_trace(spans)
    exporter.export(children)
    assert databricks.requests_to(TRACE_INFO_V3) == []
    exporter.shutdown()
    assert sent_states(databricks) == {"chat": "IN_PROGRESS"}
    assert len(stored_spans(databricks, root)) == 2
    assert exporter.dropped_spans == 0


def test_rejected_trace_does_not_affect_others(databricks, exporter, spans):
    finished = [spans.make("a"), spans.make("b"), spans.make("c")]
    name = f"tr-{finished[1].context.trace_id:032x}"
    databricks.overrides[f"/blob/{name}"] = Response(403)
    exporter.export(finished[:1])
    exporter.export(finished[1:2])
    exporter.export(finished[2:])
    exporter.shutdown()
    assert exporter.dropped_spans == 1
    assert len(databricks.storage.files) == 2
